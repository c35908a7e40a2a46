"""The conversation as it is heard: what was said and done, the draft as it grows, and how things stand."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal
from textual.screen import Screen

from kcode.events import TurnStarted
from kcode.folders import config_folder, make_folder
from kcode.questions import ChooseModel
from kcode.tui.blocks import NoticeKind
from kcode.tui.history import InputHistory, Unsent
from kcode.tui.keys import clash_warnings, shown_keys
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
    from collections.abc import Sequence
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
    HearingScreen.-linear Composer, HearingScreen.-linear Composer:focus { border: none; }
    """

    def __init__(self, texts: Texts, preferences: Preferences, resumed: str | None = None) -> None:
        super().__init__()
        self.texts, self.preferences, self.resumed = texts, preferences, resumed
        self.source = WorkspaceSource(texts)
        self.running = False
        self.refusal = ""
        """Why there is no session to talk in; "" where there is one, or will be."""
        self.set_class(preferences.linear, "-linear")

    def compose(self) -> ComposeResult:
        place, texts = self.kcode.place, self.texts
        completion = Completion(texts)
        with Horizontal(id="upper"):
            yield Transcript(texts)
            yield DraftPane(texts)
        yield QuestionPanel(texts)
        yield FindLine(texts)
        yield DraftBar(texts)
        yield Activity(texts, still=self.preferences.linear)
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
        stack = self.transcript.stack
        stack.is_linear = self.preferences.linear
        stack.show_reasoning(self.preferences.reasoning)
        self.query_one(DraftPane).is_wanted = not self.preferences.linear
        status = self.query_one(StatusLine)
        status.state = replace(status.state, background=self.texts("app.opening"))
        if self.resumed is None:
            self.transcript.notice(self.texts("app.welcome"))
        config = str(config_folder(os.environ) / "config.toml")
        for warning in clash_warnings(self.preferences.keys, self.texts, config):
            self.transcript.notice(warning, NoticeKind.WARNING)
        self.query_one(Composer).focus()

    def on_resize(self) -> None:
        # Whether there is room beside the conversation is known once the screen has its new size.
        self.call_after_refresh(self.query_one(DraftPane).come_or_go)

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
        self.count_waiting()

    def count_waiting(self) -> None:
        """Have it shown how many messages wait for a turn to take them."""
        waiting = self.transcript.stack.waiting
        self.query_one(Composer).queued = waiting
        self.query_one(Activity).queue(waiting)

    def _receive_one(self, news: News) -> None:
        match news:
            case Opened():
                self._begin(news)
            case NotOpened(error):
                self.refusal = str(error)
                status = self.query_one(StatusLine)
                status.state = replace(status.state, background="")
                self.running = False
                self.run_worker(self.kcode.tell_not_opened(error), group="screens")
            case Counted():
                status = self.query_one(StatusLine)
                status.state = with_account(status.state, news)
            case DraftSeen(view, tests):
                key = shown_keys("review", self.preferences.keys, most=1)
                state = draft_state(view, tests, key)
                self.query_one(DraftBar).state = state
                self.kcode.pending = state.pending + state.accepted
                self.query_one(DraftPane).show(view)
                self.kcode.refresh_review()
            case TurnFailed(error):
                self.transcript.stop()
                text = self.texts("app.interrupted") if error is None else str(error)
                self.transcript.notice(text, NoticeKind.WARNING if error is None else NoticeKind.ERROR)
            case Crashed(error):
                self.transcript.stop()
                words = f"{type(error).__name__}: {error}"
                self.running = False
                self.query_one(Activity).end()
                text = self.texts("app.crashed", error=words, session=self.kcode.session)
                self.transcript.notice(text, NoticeKind.ERROR)
            case Rested():
                self.running = False
                self.query_one(Activity).end()
                self.kcode.call_user("done")
            case _:
                if isinstance(news, TurnStarted):
                    self.running = True
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

    def on_composer_mode_changed(self, event: Composer.ModeChanged) -> None:
        status = self.query_one(StatusLine)
        status.state = replace(status.state, vim=event.mode.value if event.mode else "")

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
        if outcome.applied:
            self.transcript.notice(self.texts("app.applied", count=outcome.applied))
        if outcome.rejected:
            self.transcript.notice(self.texts("app.rejected", count=outcome.rejected))

    def take_preferences(self) -> None:
        """Look and act as the user has set it by now."""
        self.query_one(Activity).is_still = self.preferences.linear
        stack = self.transcript.stack
        stack.show_reasoning(self.preferences.reasoning)
        stack.read_aloud(is_linear=self.preferences.linear)
        self.transcript.flush()
        self.query_one(Composer).use_vim(on=self.preferences.vim)
        self.set_class(self.preferences.linear, "-linear")


def edit_outside(folder: Path, text: str) -> str | None:
    """What the user makes of a message in their editor; None when that failed."""
    from kcode.editor import edit_text  # noqa: PLC0415 - needed by few sessions

    edited = edit_text(make_folder(folder), "message.md", text.encode(), os.environ)
    return None if edited is None else edited.decode("utf-8", "replace")
