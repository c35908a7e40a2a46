"""Looking at a review: the files, the diff, what is known of the hunk of the cursor; nothing is decided here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from kcode.errors import KcodeError
from kcode.sanitize import sanitize_line
from kcode.tui.diff.bars import draw_file_bar, draw_keys, draw_title
from kcode.tui.diff.learning import color, learn
from kcode.tui.diff.moved import moved_lines
from kcode.tui.lines import Role, Span, shorten
from kcode.tui.moving import paint_what_moves
from kcode.tui.reviewdesk import Source
from kcode.tui.reviewstate import ReviewState
from kcode.tui.screens.reviewkeys import is_open, keys_for
from kcode.tui.widgets.caretline import CaretLine
from kcode.tui.widgets.diffbody import DiffBody
from kcode.tui.widgets.filelist import FileList
from kcode.tui.widgets.linebar import LineBar, TextPane
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from textual.app import ComposeResult

    from kcode.draft.review import Reviewed
    from kcode.tui.preferences import SideBySide
    from kcode.tui.reviewdesk import ReviewDesk
    from kcode.tui.texts import Texts

Answer = TypeVar("Answer")
# Keys that were meant for what stood here before must decide nothing; the line of keys comes when they count.
GRACE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """What was done while the screen was open, in hunks and whole files."""

    applied: int = 0
    rejected: int = 0


class LookingScreen(Screen[ReviewOutcome | None]):
    """Shows what the desk has, and goes through it."""

    AUTO_FOCUS = "DiffBody"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (140, "-wide")]  # noqa: RUF012 - Textual declares it so
    DEFAULT_CSS = """
    LookingScreen { background: $background; }
    LookingScreen #review-files { border-right: solid $panel; }
    LookingScreen.-narrow #review-files { display: none; }
    LookingScreen.-narrow.-listing #review-files { display: block; width: 1fr; border-right: none; }
    LookingScreen.-narrow.-listing #review-panes { display: none; }
    LookingScreen #review-panes { layout: vertical; width: 1fr; }
    LookingScreen.-wide #review-panes { layout: horizontal; }
    LookingScreen #review-side { display: none; height: 45%; border-top: solid $panel; }
    LookingScreen.-side #review-side { display: block; }
    LookingScreen.-wide #review-side { height: 1fr; width: 42%; border-top: none; border-left: solid $panel; }
    LookingScreen.-linear #review-files, LookingScreen.-linear #review-side { border: none; }
    LookingScreen #review-said { background: $background; }
    LookingScreen #review-file { background: $surface; }
    LookingScreen #review-filter { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    """

    def __init__(
        self,
        desk: ReviewDesk,
        texts: Texts,
        *,
        grace: float = GRACE_SECONDS,
        side_by_side: SideBySide = "never",
        wrap: bool = False,
        linear: bool = False,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        if linear:
            # One thing at a time, as where there is no room for two.
            self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow")]
            self.add_class("-linear")
        self.desk, self.texts = desk, texts
        self.state: ReviewState | None = None
        self.mode = "look"
        self._grace, self._is_heeding = grace, not grace
        self._side, self._keymap = "", keymap or {}
        self._splits_itself = side_by_side == "auto" and not linear
        self._is_confined: bool | None = None
        self.is_studying = False
        self._moved_of: Reviewed | None = None
        self._title_bar, self._file_bar = LineBar("review-title"), LineBar("review-file")
        self._said, self._keys = LineBar("review-said"), LineBar("review-keys")
        self.files, self.body, self.side = (
            FileList("review-files"),
            DiffBody("review-body", split=side_by_side == "always", wrap=wrap),
            TextPane("review-side"),
        )
        self.side.can_focus = False
        self.filter_box = CaretLine(id="review-filter", select_on_focus=False)
        self.filter_box.can_focus = False

    def compose(self) -> ComposeResult:
        yield self._title_bar
        with Horizontal(id="review-main"):
            yield self.files
            with Vertical(id="review-panes"):
                with Vertical(id="review-diff"):
                    yield self._file_bar
                    yield self.body
                yield self.side
        yield self.filter_box
        yield self._said
        yield self._keys

    def on_mount(self) -> None:
        paint_what_moves(self)
        if self._grace:
            self.set_timer(self._grace, self._heed)
        self.filter_box.placeholder = self.texts("review.filter_hint")
        self._title_bar.show(lambda _: (Span(f" {self.texts('review.reading')}", Role.DIM),))
        self.refresh_proposal()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        """Whether a key or a click counts: not in the first moment, and not before there is something to look at."""
        if not self._is_heeding:
            return False
        if self.state is None:
            return action == "close"
        return is_open(action, self.mode)

    def _heed(self) -> None:
        self._is_heeding = True
        if self.state is not None:
            self.paint_keys()

    def refresh_proposal(self) -> None:
        """Look at the draft and the user's files anew; the cursor and all decisions stay."""
        run_beside(self, self._look, group="look", exclusive=True)

    async def _look(self) -> None:
        view = await self.asked(lambda: self.desk.look(anew=True))
        if view is None:
            return
        # Decisions that were made meanwhile are in this one.
        view = self.desk.look()
        if self.state is None:
            self.state = ReviewState(view, self.texts, is_excerpt=self.desk.source is Source.EXCERPT)
        else:
            self.state.update(view, from_outside=True)
        self.paint()

    async def asked(self, ask: Callable[[], Answer]) -> Answer | None:
        """What the desk answers, from a thread; None when it failed, which is said."""
        try:
            return await asyncio.to_thread(ask)
        except KcodeError as error:
            self.say(str(error), Role.BAD)
            return None

    def say(self, text: str, role: Role = Role.TEXT, action: str = "") -> None:
        """Say something in the line above the keys; "" clears it. `action` is what a click on it runs."""
        safe = sanitize_line(" ".join(text.split()))
        self._said.show(lambda width: shorten((Span(f" {safe}", role, action=action),), width) if safe else ())

    def paint(self) -> None:
        """Draw what has changed."""
        state = self.state
        if state is None:
            return
        title, confined = self.desk.title, self._is_confined is not False
        self._title_bar.show(lambda width: draw_title(state, title, self.texts, width, is_confined=confined))
        self._file_bar.show(lambda width: draw_file_bar(state, self.texts, width))
        change = state.change
        self.files.show(state.entries(), change.path if change else "")
        self.body.show(state.sheet(), state.key)
        self.paint_keys()
        if not self.is_studying:
            self.is_studying = True
            run_beside(self, self._study, group="study")

    def paint_keys(self) -> None:
        keys = keys_for(self.mode, self.desk.source, self.texts, self._keymap) if self._is_heeding else []
        self._keys.show(lambda width: draw_keys(keys, width))

    async def _study(self) -> None:
        """Find out what takes longer, the file of the cursor first."""
        try:
            while await self._study_one():
                self.paint()
                self.on_learned()
            if self._is_confined is None:
                # Known before the user has any tests run.
                self._is_confined = await self.asked(self.desk.is_confined)
                self.paint()
        finally:
            self.is_studying = False

    async def _study_one(self) -> bool:
        state, change = self.state, self.state.change if self.state else None
        if state is None or change is None:
            return False
        if self._moved_of is None or self._moved_of.proposal != state.view.proposal:
            view = state.view
            state.moved, self._moved_of = await asyncio.to_thread(moved_lines, view.proposal), view
            return True
        if state.known.colors(change) is None:
            state.known.take_colors(change, await asyncio.to_thread(color, change))
            return True
        unread = next((one for one in (change, *state.view.proposal.changes) if not state.known.is_learned(one)), None)
        if unread is None:
            return False
        view = state.view
        lesson = await self.asked(lambda: learn(self.desk, view, unread, self.texts))
        if lesson is None:
            return False
        state.known.take(lesson)
        return True

    def on_learned(self) -> None:
        """Something was found out."""

    def action_step(self, by: int) -> None:
        if self.state is None:
            return
        if self.has_class("-listing"):
            self.state.step_file(by)
        else:
            self.state.step(by)
        self.moved_on()

    def action_step_file(self, by: int) -> None:
        if self.state is not None:
            self.state.step_file(by)
            self.moved_on()

    def action_go(self, which: str) -> None:
        """Go to a hunk of the file that is shown, or to the file as a whole."""
        if self.state is not None:
            self.state.go(self.key_of(which))
            self.moved_on()

    def key_of(self, which: str) -> str:
        """The key that a click means: a hunk's id, or "" for a file that is decided whole."""
        change = self.state.change if self.state else None
        return which or (change.path if change else "")

    def moved_on(self) -> None:
        """The cursor is somewhere else."""
        self.say("")
        self.paint()

    def on_diff_body_hunk_chosen(self, event: DiffBody.HunkChosen) -> None:
        self.action_go(event.key if self.state and event.key in self.state.view.decisions else "")
