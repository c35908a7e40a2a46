"""Changing hunks: splitting, editing and commenting on them. Nothing is written here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.app import SuspendNotSupported

from kcode.draft.linediff import split_lines
from kcode.draft.review import comment, divide, edit
from kcode.errors import KcodeError
from kcode.tui.diff.cuts import cuts_of
from kcode.tui.diff.handedit import EditableText, editable_text
from kcode.tui.lines import Role
from kcode.tui.screens.reviewdeciding import DecidingScreen
from kcode.tui.widgets.writebox import WriteBox
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.review import Cut


class EditingScreen(DecidingScreen):
    """What is written in the box below the diff is kept as a decision is."""

    def compose(self) -> ComposeResult:
        self._box = WriteBox("review-write")
        self._keep: Callable[[str], None] = lambda _: None
        self._cuts: Sequence[Cut] = ()
        self._cut_at = 0
        for widget in super().compose():
            if widget is self._said:
                yield self._box
            yield widget

    def _whole(self) -> tuple[FileChange, Hunk] | None:
        """The hunk of the cursor with its file, where it has lines that can be changed; else it is said why not."""
        change, hunk = (self.state.change, self.state.hunk) if self.state else (None, None)
        if change is None or hunk is None or change.after is None:
            self.say(self.texts("review.whole_only"), Role.WARNING)
            return None
        return change, hunk

    def action_split(self) -> None:
        """Choose where the hunk is split."""
        found = self._whole()
        if found is None:
            return
        self._cuts = cuts_of(found[1])
        if not self._cuts:
            self.say(self.texts("review.one_line"), Role.WARNING)
            return
        self.mode, self._cut_at = "cut", len(self._cuts) // 2
        self.say(self.texts("review.split_hint"), Role.DIM)
        self.action_move_cut(0)
        self.paint_keys()

    def action_move_cut(self, by: int) -> None:
        self._cut_at = max(0, min(self._cut_at + by, len(self._cuts) - 1))
        self.body.mark_cut(self._cuts[self._cut_at])

    async def action_keep_cut(self) -> None:
        hunk, cut = self.state.hunk if self.state else None, self._cuts[self._cut_at]
        self.action_leave_cut()
        if hunk is not None:
            await self.act(lambda review: divide(review, hunk, cut))

    def action_leave_cut(self) -> None:
        self.mode = "look"
        self.body.mark_cut(None)
        self.say("")
        self.paint_keys()

    def action_comment(self) -> None:
        if self.state is not None and self.state.key:
            key = self.state.key
            self.write(
                self.texts("review.comment_title"), self.state.view.comments.get(key, ""), partial(self._comment, key)
            )

    def _comment(self, key: str, text: str) -> None:
        run_beside(self, partial(self.act, lambda review: comment(review, key, text)), group="act")

    def action_edit(self) -> None:
        """Change the hunk's new lines here."""
        found = self._whole()
        if found is None:
            return
        text = editable_text(found[1])
        if text is None:
            self.say(self.texts("review.edit_outside_only"), Role.WARNING)
            return
        title = self.texts("review.edit_title")
        self.write(title, text.text, partial(self._edited, *found, text), is_short=False)

    def _edited(self, change: FileChange, hunk: Hunk, before: EditableText, text: str) -> None:
        lines = before.lines(text)
        # Of a conflict the user may well want these very lines in the place of their own.
        wanted = self.state is not None and hunk.id in self.state.view.proposal.conflicts
        if wanted or (text != before.text and lines != hunk.new_lines):
            run_beside(self, partial(self.act, lambda review: edit(review, change, hunk, lines)), group="act")

    async def action_edit_outside(self) -> None:
        """Change the hunk's new lines in the user's own editor, which has the terminal for so long."""
        found = self._whole()
        if found is None:
            return
        change, hunk = found
        before = b"".join(hunk.new_lines)
        try:
            with self.app.suspend():
                after = self.desk.edit_outside(change.path, before)
        except SuspendNotSupported:
            self.say(self.texts("review.no_suspend"), Role.WARNING)
            return
        except KcodeError as error:
            self.say(str(error), Role.BAD)
            return
        self.app.refresh(layout=True)
        if after is not None and before and not before.endswith(b"\n"):
            after = after.removesuffix(b"\n")  # which editors add
        if after is None or after == before:
            self.say(self.texts("review.not_edited"), Role.DIM)
            return
        lines = split_lines(after)
        await self.act(lambda review: edit(review, change, hunk, lines))

    def write(self, title: str, text: str, keep: Callable[[str], None], *, is_short: bool = True) -> None:
        """Ask for a text in the box below the diff."""
        self.mode, self._keep = "write" if is_short else "edit", keep
        self.say("")
        # A click beside the box would leave it without keys, and the diff's have no meaning meanwhile.
        self.body.can_focus = False
        self._box.open(title, text, is_short=is_short)
        self.paint_keys()

    def action_in_box(self, what: Literal["keep", "break_line", "leave"]) -> None:
        """What the box's own keys do, for a click on them."""
        self._box.carry_out(what)

    def on_write_box_kept(self, event: WriteBox.Kept) -> None:
        self.on_write_box_left()
        self._keep(event.text)

    def on_write_box_left(self) -> None:
        self.mode = "look"
        self._box.close()
        self.body.can_focus = True
        self.set_focus(self.body)
        self.paint_keys()
