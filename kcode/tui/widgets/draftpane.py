"""The draft beside the conversation: the file that was changed last, as it grows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical

from kcode.tui.diff.bars import draw_file_bar
from kcode.tui.diff.learning import color
from kcode.tui.reviewstate import ReviewState
from kcode.tui.widgets.diffbody import DiffBody
from kcode.tui.widgets.draftbar import DraftBar
from kcode.tui.widgets.linebar import LineBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Click

    from kcode.draft.files import FileChange
    from kcode.draft.review import Reviewed
    from kcode.tui.texts import Texts


class DraftPane(Vertical):
    """Only looks; deciding is the review's, which a click asks for as one on the draft's bar does. Hidden while nothing is proposed, while `is_wanted` is False or room is short."""

    DEFAULT_CSS = """
    DraftPane { width: 1fr; height: 1fr; display: none; border-left: solid $panel; }
    DraftPane.-shown { display: block; }
    """

    def __init__(self, texts: Texts, *, wrap: bool = False) -> None:
        super().__init__()
        self._texts = texts
        self._bar, self._body = LineBar(), DiffBody(wrap=wrap)
        self._body.can_focus = False
        self._state: ReviewState | None = None
        self.is_wanted = True

    def compose(self) -> ComposeResult:
        yield self._bar
        yield self._body

    def show(self, view: Reviewed) -> None:
        """Show the proposal as it is by now, at what was changed last."""
        former = self._state.view if self._state else None
        if self._state is None:
            self._state = ReviewState(view, self._texts)
        else:
            self._state.update(view, from_outside=True)
        changed = _changed_last(former, view)
        if changed is not None:
            self._state.go_to_file(changed.path)
            key = _changed_hunk(former, changed)
            self._state.go(key)
        self.come_or_go()
        self._paint()

    def come_or_go(self) -> None:
        """Come and go with what there is to show."""
        has_files = self._state is not None and bool(self._state.view.proposal.changes)
        self.set_class(has_files and self.is_wanted, "-shown")

    def on_show(self) -> None:
        self._paint()

    def _paint(self) -> None:
        """Draw what is to be seen, if anything is; syntax colours follow."""
        state = self._state
        if state is None or not self.display:
            return
        self._bar.show(lambda width: draw_file_bar(state, self._texts, width))
        self._body.show(state.sheet(), state.key)
        if state.change is not None and state.known.colors(state.change) is None:
            self._color(state.change)

    @work(group="color", exclusive=True)
    async def _color(self, change: FileChange) -> None:
        colors = await asyncio.to_thread(color, change)
        if self._state is not None:
            self._state.known.take_colors(change, colors)
            self._paint()

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(DraftBar.Pressed())

    def on_diff_body_hunk_chosen(self, event: DiffBody.HunkChosen) -> None:
        event.stop()
        self.post_message(DraftBar.Pressed())


def _changed_last(former: Reviewed | None, view: Reviewed) -> FileChange | None:
    """The file that is not as it was before; None where all are."""
    known = {change.path: change for change in former.proposal.changes} if former else {}
    return next((change for change in view.proposal.changes if known.get(change.path) != change), None)


def _changed_hunk(former: Reviewed | None, change: FileChange) -> str:
    known = former.decisions if former else {}
    fresh = [hunk.id for hunk in change.hunks if hunk.id not in known]
    return (fresh or [hunk.id for hunk in change.hunks] or [change.path])[-1]
