"""A text area with readline's keys, whose places are counted in characters from its start."""

from __future__ import annotations

from textual.widgets import TextArea
from textual.widgets.text_area import Selection


class ReadlineEntry(TextArea):
    """What is deleted by word or line can be put back; what is deleted in a row is put back in a row."""

    _killed = ""
    _kill_end: tuple[str, int] | None = None

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
        in_row = self._kill_end == (self.text, self.caret)
        done = self.delete(start, end, maintain_selection_offset=False)
        before = to < self.cursor_location or start == to
        joined = done.replaced_text + self._killed if before else self._killed + done.replaced_text
        self._killed = joined if in_row else done.replaced_text
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
