"""A text area with readline's keys, whose places are counted in characters from its start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets.text_area import Selection

from kcode.tui.widgets.caret import CaretArea

if TYPE_CHECKING:
    from textual.events import Key


class ReadlineEntry(CaretArea):
    """What is deleted by word or line can be put back; what is deleted in a row is put back in a row."""

    _killed = ""
    _kill_end: tuple[str, int] | None = None

    async def _on_key(self, event: Key) -> None:
        """Carry out this widget's bindings in order with what is typed.

        Textual runs them once the key has gone all the way up to the app, when characters that came with it have long
        been inserted: where keys come several at a time, a newline would stand behind what was typed after it.
        """
        if event.is_printable:
            return
        bound = self.screen.active_bindings.get(event.key)
        is_own = bound is not None and bound.node is self and not bound.binding.priority
        if is_own and bound and await self.app.run_action(bound.binding.action, self):
            event.stop()
            event.prevent_default()
        elif event.key == "enter":
            event.prevent_default()  # it is no newline of itself

    @property
    def caret(self) -> int:
        return self._index(self.cursor_location)

    def action_newline(self) -> None:
        self.replace("\n", *self.selection, maintain_selection_offset=False)

    def action_kill_to_start(self) -> None:
        row, column = self.cursor_location
        self._kill((row, 0) if column else self.get_cursor_left_location())

    def action_kill_to_end(self) -> None:
        row, column = self.cursor_location
        end = len(self.document[row])
        self._kill((row, end) if column < end else self.get_cursor_right_location())

    def action_kill_word_left(self) -> None:
        row, column = self.cursor_location
        line = self.document[row]
        stem = line[:column].rstrip()
        start = max((at + 1 for at, character in enumerate(stem) if character.isspace()), default=0)
        self._kill((row, start) if column else self.get_cursor_left_location())

    def action_kill_word_right(self) -> None:
        self._kill(self.get_cursor_word_right_location())

    def _kill(self, to: tuple[int, int]) -> None:
        """Delete between the caret and that place, or what is selected; what is killed in a row is put back in a row."""
        start, end = sorted((self.cursor_location, to)) if self.selection.is_empty else sorted(self.selection)
        is_backward, in_row = to < self.cursor_location, self._kill_end == (self.text, self.caret)
        killed = self.delete(start, end, maintain_selection_offset=False).replaced_text
        if in_row:
            killed = killed + self._killed if is_backward else self._killed + killed
        self._killed = killed
        self._kill_end = self.text, self.caret

    def action_yank(self) -> None:
        done = self.replace(self._killed, *self.selection, maintain_selection_offset=False)
        self.move_cursor(done.end_location)

    def show_change(self, text: str, caret: int, selected: tuple[int, int] | None = None) -> None:
        """Put this text here by the one edit that makes it of what stands here, so that one undo takes it back."""
        old = self.text
        if old != text:
            shortest = min(len(old), len(text))
            same = next((at for at in range(shortest) if old[at] != text[at]), shortest)
            tail = next((at for at in range(shortest - same) if old[-1 - at] != text[-1 - at]), shortest - same)
            self.history.checkpoint()
            self.replace(
                text[same : len(text) - tail],
                self._location(same),
                self._location(len(old) - tail),
                maintain_selection_offset=False,
            )
            self.history.checkpoint()
        if selected is None:
            self.move_cursor(self._location(caret))
        else:
            self.selection = Selection(self._location(selected[0]), self._location(selected[1]))

    def _index(self, location: tuple[int, int]) -> int:
        row, column = location
        return sum(len(self.document[line]) + 1 for line in range(row)) + column

    def _location(self, index: int) -> tuple[int, int]:
        before = self.text[:index]
        return before.count("\n"), index - (before.rfind("\n") + 1)
