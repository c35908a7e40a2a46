"""One line to type in, whose caret the terminal's own cursor goes with, as in `caret`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip


class CaretLine(Input):
    """Input methods find the caret where it is drawn."""

    @property
    def cursor_screen_offset(self) -> Offset:
        # Behind the text Textual counts the room that it keeps free there.
        return super().cursor_screen_offset - Offset(int(self.cursor_at_end), 0)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset
        return super().render_lines(crop)
