"""The conversation as it is heard: what was said and done, the draft as it grows, and how things stand."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal
from textual.screen import Screen

from kcode.folders import make_folder
from kcode.questions import ChooseModel
from kcode.tui.blocks import NoticeKind, ReasoningBlock
from kcode.tui.history import InputHistory, Unsent
from kcode.tui.keys import shown_keys
from kcode.tui.news import Counted, Crashed, DraftSeen, NotOpened, Opened, Rested, TurnFailed
from kcode.tui.routing import draft_state, show_activity, with_account
from kcode.tui.sources import WorkspaceSource
from kcode.tui.widgets.activity import Activity
from kcode.tui.widgets.completion import Completion
from kcode.tui.widgets.composer import Composer
from kcode.tui.widgets.draftbar import DraftBar
from kcode.tui.widgets.draftpane import DraftPane
from kcode.tui.widgets.findline import FindLine
from kcode.tui.widgets.question import QuestionPanel
from kcode.tui.widgets.statusline import StatusLine
from kcode.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from textual.app import ComposeResult

    from kcode.questions import Question
    from kcode.tui.app import KcodeApp
    from kcode.tui.news import News
    from kcode.tui.preferences import Preferences
    from kcode.tui.screens.reviewlooking import ReviewOutcome
    from kcode.tui.texts import Texts


class HearingScreen(Screen[None]):
    """One session. What happens in it comes through `receive`."""

    # From this width on the draft stands beside the conversation.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it so
    DEFAULT_CSS = """
    HearingScreen { layout: vertical; background: $background; }
    HearingScreen #upper { height: 1fr; }
    HearingScreen Transcript { width: 1fr; }
    HearingScreen.-narrow DraftPane { display: none; }
    """

    def __init__(
        self,
        texts: Texts,
        preferences: Preferences,
        resumed: str | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__()
        self.texts, self.preferences, self.resumed = texts, preferences, resumed
        self._clock = clock
        self.source = WorkspaceSource(texts)
        self.running = False
        self.queued = 0

    def compose(self) -> ComposeResult:
        place, texts = self.kcode.place, self.texts
        completion = Completion(texts)
        with Horizontal(id="upper"):
            yield Transcript(texts, self._clock)
            yield DraftPane(texts)
        yield QuestionPanel(texts)
        yield FindLine(texts)
        yield DraftBar(texts)
        yield Activity(texts, still=self.preferences.linear, now=self._clock)
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
        status = self.query_one(StatusLine)
        status.state = replace(status.state, background=self.texts("app.opening"))
        if self.resumed is None:
            self.transcript.notice(self.texts("app.welcome"))
        self.query_one(Composer).focus()

    @property
    def kcode(self) -> KcodeApp:
        return cast("KcodeApp", self.app)

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)

    # What happens.

    def receive(self, news: Sequence[News]) -> None:
        """Show what happened, in order."""
        for one in news:
            self._receive_one(one)

    def _receive_one(self, news: News) -> None:
        match news:
            case Opened():
                self._begin(news)
            case NotOpened(error):
                self.run_worker(self.kcode.tell_not_opened(error), group="screens")
            case Counted(account, is_billed):
                status = self.query_one(StatusLine)
                status.state = with_account(status.state, account, is_billed=is_billed)
            case DraftSeen(view, tests):
                key = shown_keys("review", self.preferences.keys, most=1)
                self.query_one(DraftBar).state = draft_state(view, tests, key)
                self.query_one(DraftPane).show(view)
                self.kcode.refresh_review()
            case TurnFailed(error):
                self.transcript.stop()
                text = self.texts("app.interrupted") if error is None else str(error)
                self.transcript.notice(text, NoticeKind.WARNING if error is None else NoticeKind.ERROR)
            case Crashed(error):
                self.transcript.stop()
                words = f"{type(error).__name__}: {error}"
                text = self.texts("app.crashed", error=words, session=self.kcode.session)
                self.transcript.notice(text, NoticeKind.ERROR)
            case Rested():
                self.running = False
                self.query_one(Activity).end()
                self.kcode.call_user("done")
            case _:
                self.transcript.show(news)
                show_activity(self.query_one(Activity), news)

    def _begin(self, opened: Opened) -> None:
        self.kcode.session = opened.session
        status = self.query_one(StatusLine)
        status.state = replace(
            status.state, endpoint=opened.endpoint, model=opened.model, branch=opened.branch, background=""
        )
        if self.resumed is not None:
            self.transcript.load(opened.history)
            self.transcript.notice(self.texts("app.resumed"))
        for warning in opened.warnings:
            self.transcript.notice(warning, NoticeKind.WARNING)
        self.on_opened()

    def on_opened(self) -> None:
        """The session is there to be worked with."""

    def on_composer_editing_failed(self, event: Composer.EditingFailed) -> None:
        self.transcript.notice(event.reason, NoticeKind.WARNING)

    async def ask(self, question: Question) -> str | None:
        """What the user answers to a question of the loop's; None where they turn away."""
        self.kcode.call_user("asks")
        return await self.query_one(QuestionPanel).ask(question)

    async def choose(self, question: str, choices: tuple[str, ...]) -> str | None:
        """One of these, or another word; None where the user turns away."""
        return await self.query_one(QuestionPanel).ask(ChooseModel(question, choices))

    def tell_review(self, outcome: ReviewOutcome) -> None:
        """Say what came of a review."""
        if outcome.rejected:
            self.transcript.notice(self.texts("app.rejected", count=outcome.rejected))

    def take_preferences(self) -> None:
        """Look and act as the user has set it by now."""
        self.transcript.stack.open_all(ReasoningBlock, is_open=self.preferences.reasoning == "open")
        self.transcript.flush()


def edit_outside(folder: Path, text: str) -> str | None:
    """What the user makes of a message in their editor; None when that failed."""
    from kcode.editor import edit_text  # noqa: PLC0415 - needed by few sessions

    edited = edit_text(make_folder(folder), "message.md", text.encode(), os.environ)
    return None if edited is None else edited.decode("utf-8", "replace")
