"""A widget of one line, drawn anew only when what it shows has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.strip import Strip
from textual.widget import Widget

from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from kcode.tui.lines import Ground, Line


class OneLine(Widget):
    """Subclasses say in `line` what stands there; `draw` looks whether that has changed."""

    DEFAULT_CSS = """
    OneLine {
        height: 1;
        width: 1fr;
    }
    """
    ground: Ground | None = None
    _drawn: tuple[Line, int] | None = None

    def line(self, width: int) -> Line:
        """What to show in so many cells. Empty before there is anything."""
        del width
        return ()

    def draw(self) -> None:
        """Repaint if the line is another one than what stands on the screen."""
        if self._drawn is None or self._drawn != (self.line(self.size.width), self.size.width):
            self.refresh(layout=False)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip.blank(width)
        line = self.line(width)
        self._drawn = line, width
        # What the line leaves bare shows the widget's own background.
        return palette_for(self.app.current_theme).strip(line, width, self.ground).apply_style(self.rich_style)

    def notify_style_update(self) -> None:
        self._drawn = None
        super().notify_style_update()
