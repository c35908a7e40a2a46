"""The interface as a program: themes, the talk behind the screens, and how one leaves."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from kcode.errors import KcodeError
from kcode.folders import config_folder
from kcode.tui.doing import take_preferences
from kcode.tui.notify import RESTORE_TITLE, SAVE_TITLE, title_sequence
from kcode.tui.preferences import load_preferences, save_preference
from kcode.tui.screens.conversation import ConversationScreen
from kcode.tui.terminalapp import TerminalApp
from kcode.tui.texts import language_of, load_texts
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kcode.agent.place import Place
    from kcode.agent.workbench import Workbench
    from kcode.events import Event
    from kcode.messages import Message
    from kcode.options import ModelOptions, PlaceOptions
    from kcode.questions import Question
    from kcode.tui.preferences import Preferences
    from kcode.tui.screens.review import ReviewScreen
    from kcode.tui.talk import Talk
    from kcode.tui.texts import Texts

# How long a session may take to be closed; after that the process ends without it, and the log has what counts.
CLOSING_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Start:
    """What the command line asked for. `resume` is a session's id, None for a new one."""

    model: ModelOptions
    place: PlaceOptions
    spot: Place
    prompt: str = ""
    resume: str | None = None


class KcodeApp(TerminalApp):
    """Shows one session at a time."""

    TITLE = "kcode"
    PAUSE_GC_ON_SCROLL: ClassVar[bool] = True
    DEFAULT_MODE = "session 0"
    # The composer's own list of commands is the palette.
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, start: Start, preferences: Preferences, texts: Texts, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__(preferences, texts)
        self.start, self._clock = start, clock
        self._config = config_folder(os.environ) / "config.toml"
        self._numbers = count(1)
        self._add_session(self.DEFAULT_MODE, start.resume, start.prompt)
        self.session = ""
        self.pending = 0
        """How many hunks the draft proposes that are not rejected."""
        self._talk: Talk | None = None
        self._leaving_code: int | None = None
        self._watchdog: threading.Timer | None = None
        self.wants_demo = False
        self.reviewing: ReviewScreen | None = None
        self.is_painted = False

    def on_ready(self) -> None:
        """Textual is about to paint for the first time; what it refreshes before that is not seen yet."""
        self.is_painted = True
        self.conversation.call_after_refresh(self.conversation.begin_talk)

    def on_mount(self) -> None:
        self.write_sequence(SAVE_TITLE + title_sequence(f"kcode {self.place.workspace.root.name}"))

    def _add_session(self, mode: str, resume: str | None, words: str) -> None:
        """Have a stack of screens for a session: with it all that was opened over the one before goes away."""
        self.add_mode(mode, lambda: ConversationScreen(self.texts, self.preferences, resume, words, self._clock))

    def begin(self, resume: str | None, prompt: str = "") -> None:
        """Open a session behind the screen that is shown; called once that is painted."""
        from kcode.tui.talk import Talk  # noqa: PLC0415 - after the first paint

        loop = asyncio.get_running_loop()

        def open_bench() -> Workbench:
            from kcode.agent.workbench import open_workbench  # noqa: PLC0415 - after the first paint

            bench = open_workbench(self.start.model, self.start.place, "chat", resume=resume)
            # What is imported by now stays; the collector need not look through it again.
            gc.freeze()
            return bench

        def wake() -> None:
            # As a message of the app's: what goes wrong then ends it with a word, and is not lost in the loop.
            with suppress(RuntimeError):  # the screen is gone already
                self.call_later(self._deliver)

        def remember() -> Sequence[Message | Event]:
            from kcode.session.history import read_history  # noqa: PLC0415 - after the first paint
            from kcode.session.store import find_session  # noqa: PLC0415

            return read_history(find_session(self.place.state, resume or ""))

        past = None if resume is None else remember
        self._talk = Talk(open_bench, wake, partial(self._ask, loop), past)
        self._talk.start()
        if prompt:
            self.conversation.say(prompt)

    @property
    def has_session(self) -> bool:
        """Whether there is a session to talk in, or one that is being opened."""
        return self._talk is not None and self._talk.is_alive

    @property
    def talk(self) -> Talk:
        if self._talk is None:
            raise KcodeError(self.texts("commands.not_open"))
        return self._talk

    @property
    def place(self) -> Place:
        return self.start.spot

    @property
    def conversation(self) -> ConversationScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, ConversationScreen))

    def _deliver(self) -> None:
        if self._talk is not None and self.is_running:
            self.conversation.receive(self._talk.take())

    def _ask(self, loop: asyncio.AbstractEventLoop, question: Question) -> Future[str | None]:
        """Have the question answered on the screen. Called in the talk's thread."""
        answer: Future[str | None] = Future()

        async def ask() -> None:
            given = await self.conversation.ask(question)
            if answer.set_running_or_notify_cancel():
                answer.set_result(given)

        def post(act: Callable[[], object]) -> None:
            with suppress(RuntimeError):  # the screen is gone already
                loop.call_soon_threadsafe(act)

        def begin() -> None:
            worker = run_beside(self, ask, group="question")

            def end(done: Future[str | None]) -> None:
                if done.cancelled():
                    post(worker.cancel)

            answer.add_done_callback(end)

        post(begin)
        return answer

    def change_session(self, resume: str | None, words: str = "") -> None:
        """Close this session and go on in another, with these words if there are any; None begins a new one."""
        # By the app: what a screen does ends with it, and this one is taken away in the middle.
        run_beside(self, partial(self._change_session, resume, words), group="sessions")

    async def _change_session(self, resume: str | None, words: str) -> None:
        talk, self._talk = self.talk, None
        pending, self.pending, left = self.pending, 0, self.session
        await asyncio.to_thread(talk.close, CLOSING_SECONDS)
        former, mode = self.current_mode, f"session {next(self._numbers)}"
        self._add_session(mode, resume, words)
        await self.switch_mode(mode)
        await self.remove_mode(former)
        if pending and resume is None:
            told = self.texts("app.left_pending", count=pending, session=left)
            self.conversation.call_after_refresh(self.conversation.tell, told)

    def refresh_review(self) -> None:
        """Have an open review look at the draft anew."""
        if self.reviewing is not None:
            self.reviewing.refresh_proposal()

    async def set_preference(self, name: str, value: str) -> None:
        """Set a preference for this run and those that follow; UsageError where it cannot be kept, and is not set then."""
        kind = type(getattr(self.preferences, name, ""))
        kept = value == "true" if kind is bool else value
        self.follow(await asyncio.to_thread(save_preference, self._config, name, kept))
        take_preferences(self.conversation, self.preferences)

    def leave(self, code: int = 0) -> None:
        """Close the session and end the program."""
        if self._leaving_code is not None:
            return
        self._leaving_code = code
        # A terminal that is gone may block the screen's last words for ever.
        self._watchdog = threading.Timer(2 * CLOSING_SECONDS, os._exit, (code,))
        self._watchdog.daemon = True
        self._watchdog.start()
        run_beside(self, partial(self._close, code), group="leaving")

    async def _close(self, code: int) -> None:
        if self._talk is not None:
            await asyncio.to_thread(self._talk.close, CLOSING_SECONDS)
        self.write_sequence(RESTORE_TITLE)
        self.exit(code)

    def end(self) -> None:
        """What is left to be done once the screen is gone, also where it went by a crash."""
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._talk is not None:
            self._talk.close(CLOSING_SECONDS)


def run_interface(start: Start) -> tuple[int, bool]:
    """Show the interface until the user leaves; the exit code, and whether they want to see the demo."""
    preferences = load_preferences(config_folder(os.environ) / "config.toml")
    texts = load_texts(language_of(os.environ) if preferences.language == "auto" else preferences.language)
    app = KcodeApp(start, preferences, texts)
    try:
        # Also where stderr goes elsewhere.
        code = app.run_at_terminal(1)
    finally:
        app.end()
    if app.session:
        sys.stderr.write(texts("app.goodbye", session=app.session) + "\n")
    if app.pending:
        sys.stderr.write(texts("app.goodbye_pending", count=app.pending) + "\n")
    return code, app.wants_demo
