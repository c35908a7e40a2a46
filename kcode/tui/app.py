"""The interface as a program: themes, the talk behind the screens, signals, and how one leaves."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import App

from kcode.errors import KcodeError, NoKeyError, UsageError
from kcode.folders import config_folder
from kcode.tui.keys import teach_keys
from kcode.tui.notify import RESTORE_TITLE, SAVE_TITLE, notice_sequence, title_sequence
from kcode.tui.preferences import load_preferences, save_preference
from kcode.tui.screens.conversation import ConversationScreen
from kcode.tui.texts import language_of, load_texts
from kcode.tui.themes import own_themes, repaint

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


class KcodeApp(App[int]):
    """Shows one session at a time; its result is the exit code."""

    TITLE = "kcode"
    PAUSE_GC_ON_SCROLL: ClassVar[bool] = True
    # The composer's own list of commands is the palette.
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, start: Start, preferences: Preferences, texts: Texts, clock: Callable[[], float] = monotonic
    ) -> None:
        super().__init__()
        self.clock = clock
        self._config = config_folder(os.environ) / "config.toml"
        self.start, self.preferences, self.texts = start, preferences, texts
        self.session = ""
        self._talk: Talk | None = None
        self._leaving_code: int | None = None
        self._watchdog: threading.Timer | None = None
        for theme in own_themes():
            self.register_theme(theme)
        self.theme = preferences.theme
        self.set_keymap(dict(preferences.keys))
        self.wants_demo = False
        self.reviewing: ReviewScreen | None = None

    def on_mount(self) -> None:
        self.write_sequence(SAVE_TITLE + title_sequence(f"kcode {self.place.workspace.root.name}"))
        self.theme_changed_signal.subscribe(self, lambda _: repaint(self))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.leave, 128 + number)

    def get_default_screen(self) -> ConversationScreen:
        return ConversationScreen(self.texts, self.preferences, self.start.resume, self.start.prompt)

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
            with suppress(RuntimeError):  # the screen is gone already
                loop.call_soon_threadsafe(self._deliver)

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
        return self._talk is not None and self._talk.thread.is_alive()

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
            if not answer.cancelled():
                answer.set_result(given)

        def begin() -> None:
            worker = self.run_worker(ask(), group="question")
            answer.add_done_callback(lambda done: done.cancelled() and loop.call_soon_threadsafe(worker.cancel))

        loop.call_soon_threadsafe(begin)
        return answer

    async def change_session(self, resume: str | None, words: str = "") -> None:
        """Close this session and go on in another, with these words if there are any; None begins a new one."""
        await asyncio.to_thread(self.talk.close, CLOSING_SECONDS)
        self._talk = None
        await self.switch_screen(ConversationScreen(self.texts, self.preferences, resume, words))

    def refresh_review(self) -> None:
        """Have an open review look at the draft anew."""
        if self.reviewing is not None:
            self.reviewing.refresh_proposal()

    def call_user(self, why: Literal["done", "asks"]) -> None:
        """Call the user back to a terminal that they do not look at."""
        text = self.texts(f"app.{why}_title")
        how = self.preferences.notifications
        self.write_sequence(notice_sequence(how, text, os.environ, focused=self.app_focus))

    def write_sequence(self, sequence: str) -> None:
        """Send the terminal something that it does not show."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)

    def try_preference(self, name: str, value: str) -> str | None:
        """Set a preference for this run and those that follow; what is wrong with it, None when it is set."""
        kind = type(getattr(self.preferences, name, ""))
        try:
            found = save_preference(self._config, name, value == "true" if kind is bool else value)
        except UsageError as error:
            return str(error)
        self.preferences = self.conversation.preferences = found
        self.theme = found.theme
        self.conversation.take_preferences()
        return None

    async def tell_not_opened(self, error: KcodeError) -> None:
        """Ask for what is missing, where that is a key; else say what is wrong."""
        from kcode.providers.logins import Logins  # noqa: PLC0415 - needed by few sessions
        from kcode.tui.screens.first_run import Demo, FirstRunScreen, Ready  # noqa: PLC0415

        if not isinstance(error, NoKeyError):
            self.conversation.front.tell(str(error), "error")
            return
        screen = FirstRunScreen(self.texts, Logins(), str(error))
        match await self.push_screen_wait(screen):
            case Ready(endpoint, base_url):
                model = replace(self.start.model, endpoint=endpoint, base_url=base_url)
                self.start = replace(self.start, model=model)
                await self.change_session(self.start.resume)
            case Demo():
                self.wants_demo = True
                self.leave()
            case _:
                self.conversation.front.tell(str(error), "warning")

    def leave(self, code: int = 0) -> None:
        """Close the session and end the program."""
        if self._leaving_code is not None:
            return
        self._leaving_code = code
        # A terminal that is gone may block the screen's last words for ever.
        self._watchdog = threading.Timer(2 * CLOSING_SECONDS, os._exit, (code,))
        self._watchdog.daemon = True
        self._watchdog.start()
        self.run_worker(self._close(code), group="leaving")

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

    def _fatal_error(self) -> None:
        """Show what went wrong without the values of variables, among which a key may be."""
        from rich.traceback import Traceback  # noqa: PLC0415 - mostly never needed

        self.bell()
        self._exit_renderables.append(Traceback(show_locals=False, width=None))
        self._close_messages_no_wait()


def run_interface(start: Start) -> tuple[int, bool]:
    """Show the interface until the user leaves; the exit code, and whether they want to see the demo."""
    preferences = load_preferences(config_folder(os.environ) / "config.toml")
    texts = load_texts(language_of(os.environ) if preferences.language == "auto" else preferences.language)
    teach_keys()
    app = KcodeApp(start, preferences, texts)
    try:
        code = app.run(mouse=preferences.mouse)
    finally:
        app.end()
    if app.session:
        sys.stderr.write(texts("app.goodbye", session=app.session) + "\n")
    return app.return_code or code or 0, app.wants_demo
