"""Typing text: as high as it needs, pastes as chips, and nothing on the screen that steers the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.actions import SkipAction

from kcode.tui.history import Typed
from kcode.tui.pastes import Pastes, is_large, pasted_text, shown_text
from kcode.tui.widgets.readlineentry import ReadlineEntry

if TYPE_CHECKING:
    from textual.events import Key, Paste

    from kcode.tui.texts import Texts

_MOST_ROWS = 10
# How Enter with a modifier arrives from terminals that spell it as xterm does.
_NEWLINES = frozenset({"shift+\r", "alt+\r", "ctrl+\r"})


class TextEntry(ReadlineEntry):
    """A text of several lines, as high as it needs."""

    def __init__(self, texts: Texts, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, highlight_cursor_line=False, placeholder=placeholder, max_checkpoints=200)
        self._texts = texts
        self._pastes = Pastes()
        # A caret that blinks is a timer that never rests.
        self.cursor_blink = False
        self.match_cursor_bracket = False

    @property
    def typed(self) -> Typed:
        """What stands here, with what its chips stand for."""
        return Typed(self.text, self._pastes.used_in(self.text))

    def put(self, typed: Typed) -> None:
        """Show this text in the place of what stands here; undo brings that back."""
        self._pastes = Pastes({**self._pastes.contents, **typed.pastes.contents})
        self.history.checkpoint()
        self.replace(shown_text(typed.text), (0, 0), self.document.end, maintain_selection_offset=False)
        self.move_cursor(self.document.end)
        self.history.checkpoint()

    def empty(self) -> None:
        """Nothing stands here and nothing is remembered of it."""
        self._pastes = Pastes()
        self.load_text("")

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        del container, viewport, width
        return min(max(self.wrapped_document.height, 1), _MOST_ROWS)

    async def _on_key(self, event: Key) -> None:
        if event.key in _NEWLINES:
            event.prevent_default()
            event.stop()
            self.action_newline()

    async def _on_paste(self, event: Paste) -> None:
        event.prevent_default()
        event.stop()
        self._insert_pasted(event.text)
        self.focus()

    def action_paste(self) -> None:
        self._insert_pasted(self.app.clipboard)

    def _insert_pasted(self, pasted: str) -> None:
        text = pasted_text(pasted)
        if is_large(text):
            chip = self._texts("composer.chip", number="{number}", lines="{lines}")
            self._pastes, text = self._pastes.folded(text, chip)
        else:
            text = shown_text(text)
        self.history.checkpoint()
        done = self.replace(text, *self.selection, maintain_selection_offset=False)
        self.move_cursor(done.end_location)

    def action_unfold(self) -> None:
        """Show in full the paste at the caret, or else the last one."""
        text = self.text
        at = self._pastes.chip_at(text, self.caret)
        if at is None:
            folded = [(text.rindex(chip), chip) for chip in self._pastes.used_in(text).contents]
            at = max((start, start + len(chip)) for start, chip in folded) if folded else None
        if at is None:
            return
        self.history.checkpoint()
        whole = shown_text(self._pastes.contents[text[at[0] : at[1]]])
        done = self.replace(whole, self._location(at[0]), self._location(at[1]), maintain_selection_offset=False)
        self.move_cursor(done.end_location)

    def action_delete_left(self) -> None:
        if not self._delete_chip(before=True):
            super().action_delete_left()

    def action_delete_right(self) -> None:
        if not self.text:
            raise SkipAction  # the app may have another use for the key
        if not self._delete_chip(before=False):
            super().action_delete_right()

    def action_cursor_page_up(self) -> None:
        raise SkipAction  # what is above is longer, and the text here fits

    def action_cursor_page_down(self) -> None:
        raise SkipAction

    def _delete_chip(self, *, before: bool) -> bool:
        at = self._pastes.chip_at(self.text, self.caret) if self.selection.is_empty else None
        if at is None or self.caret == (at[0] if before else at[1]):
            return False
        self.delete(self._location(at[0]), self._location(at[1]), maintain_selection_offset=False)
        return True
