"""The first line of a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from kcode.tui.columns import spread
from kcode.tui.lines import Line, Role, Span
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from textual.strip import Strip


class TitleLine(Widget):
    """The screen's name at the left and what there is to know at once at the right."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TitleLine { dock: top; width: 100%; height: 1; padding: 0 1; background: $panel; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._facts: Line = ()

    def show(self, facts: Line) -> None:
        """Put these facts at the right."""
        self._facts = facts
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it is one line
        line = spread((Span(self._title, Role.HEADING),), self._facts, self.size.width)
        return palette_for(self.app.current_theme).strip(line, self.size.width).apply_style(self.rich_style)
