"""The conversation as it is heard: what was said and done, the draft as it grows, and how things stand."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

from textual.containers import Vertical
from textual.screen import Screen

from kcode.folders import config_folder, make_folder
from kcode.tui.doing import tell_resumed
from kcode.tui.history import InputHistory, Unsent
from kcode.tui.keys import clash_warnings, shown_keys
from kcode.tui.moving import paint_what_moves
from kcode.tui.notopened import tell_not_opened
from kcode.tui.sources import WorkspaceSource
from kcode.tui.widgets.activity import Activity
from kcode.tui.widgets.aside import REMARK_SECONDS, Aside
from kcode.tui.widgets.beside import Beside
from kcode.tui.widgets.completion import Completion
from kcode.tui.widgets.composer import Composer
from kcode.tui.widgets.draftbar import DraftBar
from kcode.tui.widgets.statusline import StatusLine
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from textual.app import ComposeResult

    from kcode.commands.front import Tone
    from kcode.errors import KcodeError
    from kcode.questions import Question
    from kcode.tui.app import KcodeApp
    from kcode.tui.news import News, Opened
    from kcode.tui.preferences import Preferences
    from kcode.tui.texts import Texts
    from kcode.tui.widgets.draftpane import DraftPane
    from kcode.tui.widgets.findline import FindLine
    from kcode.tui.widgets.picklist import PickList
    from kcode.tui.widgets.question import QuestionPanel
    from kcode.tui.widgets.transcript import Transcript


class HearingScreen(Screen[None]):
    """One session. What happens in it comes through `receive`."""

    DEFAULT_CSS = """
    HearingScreen { layout: vertical; background: $background; }
    HearingScreen Transcript { width: 1fr; }
    HearingScreen #asides { height: auto; }
    HearingScreen.-linear Composer, HearingScreen.-linear Composer:focus { border: none; }
    """

    def __init__(
        self,
        texts: Texts,
        preferences: Preferences,
        resumed: str | None = None,
        words: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self.texts, self.preferences, self.resumed, self._words = texts, preferences, resumed, words
        self._clock = clock
        self.source = WorkspaceSource(texts)
        self.running = False
        # Looked up for each piece of a stream, which a query would take too long for.
        self._activity = Activity(texts, still=preferences.linear, now=clock)
        self.aside = Aside()
        self._transcript: Transcript | None = None
        self._waiting = 0
        self._draft: DraftPane | None = None
        self._questions: QuestionPanel | None = None
        self._picks: PickList | None = None
        self._finding: FindLine | None = None
        self.not_opened: KcodeError | None = None
        """Why there is no session to talk in; None where there is one, or will be."""
        self.set_class(preferences.linear, "-linear")

    def compose(self) -> ComposeResult:
        place, texts = self.kcode.place, self.texts
        completion = Completion(texts)
        # What is said, what is asked, and the words to find, have their places here once they are there.
        yield Beside(id="upper")
        yield Vertical(id="asides")
        yield DraftBar(texts)
        yield self._activity
        yield self.aside
        yield completion
        yield Composer(
            texts,
            completion,
            self.source,
            InputHistory(place.typed),
            Unsent(place.typed, self.resumed or "new"),
            edit_outside=partial(edit_outside, place.typed),
            vim=self.preferences.vim,
        )
        yield StatusLine(texts)

    def on_mount(self) -> None:
        paint_what_moves(self)
        status = self.query_one(StatusLine)
        help_key, send_key = (shown_keys(key, self.preferences.keys, most=1) for key in ("help", "composer-send"))
        opening = self.texts("app.opening")
        status.state = replace(status.state, background=opening, help_key=help_key, send_key=send_key)
        self.query_one(Composer).focus()
        if self.kcode.is_painted:
            self.call_after_refresh(self.begin_talk)
            return
        # What Textual draws before it is ready it throws away. What nobody asks for once more comes a frame later.
        for widget in self.children:
            widget.call_after_refresh(widget.refresh)

    def begin_talk(self) -> None:
        """Put in what the first paint can do without, and open the session."""
        if self.resumed is None:
            self.tell(self.texts("app.welcome"))
        config = str(config_folder(os.environ) / "config.toml")
        for warning in clash_warnings(self.preferences.keys, self.texts, config):
            self.tell(warning, "warning")
        self.kcode.begin(self.resumed, self._words)

    @property
    def kcode(self) -> KcodeApp:
        return cast("KcodeApp", self.app)

    @property
    def transcript(self) -> Transcript:
        """What was said."""
        if self._transcript is None:
            from kcode.tui.widgets.transcript import Transcript  # noqa: PLC0415 - after the first paint

            self._transcript = Transcript(self.texts, self._clock)
            self._transcript.stack.is_linear = self.preferences.linear
            self._transcript.stack.show_reasoning(self.preferences.reasoning)
            self.query_one("#upper").mount(self._transcript, before=0)
        return self._transcript

    def tell(self, text: str, tone: Tone = "info") -> None:
        """Say something in the conversation that the model never sees."""
        from kcode.tui.blocks import NoticeKind  # noqa: PLC0415 - after the first paint

        kinds = {"warning": NoticeKind.WARNING, "error": NoticeKind.ERROR}
        self.transcript.notice(text, kinds.get(tone, NoticeKind.INFO))

    def remark(self, text: str, *, seconds: float = REMARK_SECONDS) -> None:
        """Say for a while, where the user types, why something was not done."""
        self.aside.remark(text, self.query_one(Composer).text, seconds=seconds)

    @property
    def draft(self) -> DraftPane:
        """The draft beside the conversation."""
        if self._draft is None:
            from kcode.tui.widgets.draftpane import DraftPane  # noqa: PLC0415 - after the first paint

            self._draft = DraftPane(self.texts, wrap=self.preferences.wrap)
            self._draft.is_wanted = not self.preferences.linear
            self.query_one("#upper").mount(self._draft)
        return self._draft

    @property
    def questions(self) -> QuestionPanel:
        """Where the user is asked."""
        if self._questions is None:
            from kcode.tui.widgets.question import QuestionPanel  # noqa: PLC0415 - after the first paint

            self._questions = QuestionPanel(self.texts)
            self.query_one("#asides").mount(self._questions)
        return self._questions

    async def picks(self) -> PickList:
        """Where the user picks one of many names."""
        if self._picks is None:
            from kcode.tui.widgets.picklist import PickList  # noqa: PLC0415 - after the first paint

            self._picks = PickList(self.texts)
            await self.query_one("#asides").mount(self._picks)
        return self._picks

    @property
    def finding(self) -> FindLine:
        """Where one looks for words in the conversation."""
        if self._finding is None:
            from kcode.tui.widgets.findline import FindLine  # noqa: PLC0415 - after the first paint

            self._finding = FindLine(self.texts)
            self.query_one("#asides").mount(self._finding)
        return self._finding

    # What happens.

    def receive(self, news: Sequence[News]) -> None:
        """Show what happened, in order."""
        for one in news:
            self._receive_one(one)
        if self.transcript.stack.waiting != self._waiting:
            self.count_waiting()

    def count_waiting(self) -> None:
        """Have it shown how many messages wait for a turn to take them."""
        waiting = self._waiting = self.transcript.stack.waiting
        self.query_one(Composer).queued = waiting
        self._activity.queue(waiting)

    def _receive_one(self, news: News) -> None:
        from kcode.events import TurnStarted  # noqa: PLC0415 - after the first paint
        from kcode.tui.news import (  # noqa: PLC0415
            CommandBegun,
            Counted,
            Crashed,
            DraftSeen,
            NotOpened,
            Opened,
            Remembered,
            Rested,
            TurnFailed,
        )
        from kcode.tui.routing import draft_state, show_activity, with_account  # noqa: PLC0415

        match news:
            case Remembered(history):
                self.transcript.load(history)
            case Opened():
                self._begin(news)
            case NotOpened(error):
                self.not_opened = error
                status = self.query_one(StatusLine)
                status.state = replace(status.state, background="")
                self.running = False
                run_beside(self, partial(tell_not_opened, self.kcode, error), group="screens")
            case Counted():
                status = self.query_one(StatusLine)
                status.state = with_account(status.state, news)
            case DraftSeen(view, tests):
                key = shown_keys("review", self.preferences.keys, most=1)
                state = draft_state(view, tests, key)
                self.query_one(DraftBar).state = state
                self.kcode.pending = state.pending + state.accepted
                if view.proposal.changes or self._draft is not None:
                    self.draft.show(view)
                self.kcode.refresh_review()
            case CommandBegun(words):
                self.running = True
                self.transcript.unqueue(words, first=True)
            case TurnFailed(error):
                self.transcript.stop()
                text = self.texts("app.interrupted") if error is None else str(error)
                self.tell(text, "warning" if error is None else "error")
            case Crashed(error):
                self.transcript.stop()
                words = f"{type(error).__name__}: {error}"
                self.running = False
                self._activity.end()
                text = self.texts("app.crashed", error=words, session=self.kcode.session)
                self.tell(text, "error")
            case Rested():
                self.running = False
                self._activity.end()
                self.kcode.call_user("done")
            case _:
                if isinstance(news, TurnStarted):
                    self.running = True
                self.transcript.show(news)
                show_activity(self._activity, news)

    def _begin(self, opened: Opened) -> None:
        self.kcode.session = opened.session
        self.query_one(DraftBar).know()
        status = self.query_one(StatusLine)
        status.state = replace(
            status.state, endpoint=opened.endpoint, model=opened.model, branch=opened.branch, background=""
        )
        if self.resumed is not None:
            run_beside(self, partial(tell_resumed, self), group="learning")
        for warning in opened.warnings:
            self.tell(warning, "warning")
        self.on_opened()

    def on_opened(self) -> None:
        """The session is there to be worked with."""

    def on_composer_mode_changed(self, event: Composer.ModeChanged) -> None:
        status = self.query_one(StatusLine)
        status.state = replace(status.state, vim=event.mode.value if event.mode else "")

    def on_composer_editing_failed(self, event: Composer.EditingFailed) -> None:
        self.remark(event.reason)

    async def ask(self, question: Question) -> str | None:
        """What the user answers to a question of the loop's; None where they turn away."""
        self.kcode.call_user("asks")
        return await self.questions.ask(question)


def edit_outside(folder: Path, text: str) -> str | None:
    """What the user makes of a message in their editor; None when that failed."""
    from kcode.editor import edit_text  # noqa: PLC0415 - needed by few sessions

    edited = edit_text(make_folder(folder), "message.md", text.encode(), os.environ)
    return None if edited is None else edited.decode("utf-8", "replace")
