"""Where the terminal's own cursor is: there the windows of input methods open, so it goes with the caret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Offset
from textual.widgets import TextArea

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip


class CaretArea(TextArea):
    """Whatever moved the text on the screen, input methods find the caret where it is."""

    @property
    def cursor_screen_offset(self) -> Offset:
        # Textual's own does not know of lines that were broken anew for another width.
        column, row = self.wrapped_document.location_to_offset(self.cursor_location)
        return self.content_region.offset + Offset(column + self.gutter_width, row) - self.scroll_offset

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        # An undo that shortens the text lets the scrollbar go before it takes the caret back: Textual would look for that
        # behind the text's end.
        if self.cursor_location[0] >= self.document.line_count:
            return Offset(0, 0)
        return super().scroll_cursor_visible(center, animate)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.has_focus:
            self.app.cursor_position = self.cursor_screen_offset
        return super().render_lines(crop)
