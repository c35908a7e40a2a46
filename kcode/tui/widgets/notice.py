"""What just happened, told in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from kcode.tui.columns import paragraphs
from kcode.tui.lines import Role
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.strip import Strip


class Notice(Widget):
    """What just happened, in at most a few lines above the keys; not there while there is nothing to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Notice { width: 100%; height: auto; max-height: 8; padding: 0 2; background: $background; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._text, self._role = "", Role.TEXT

    @property
    def text(self) -> str:
        """What is said at the moment."""
        return self._text

    def show(self, text: str, role: Role) -> None:
        """Say it; "" says nothing any longer."""
        self._text, self._role = text, role
        self.display = bool(text)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual gives all three
        return len(paragraphs(self._text, width, self._role))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        rows = paragraphs(self._text, max(self.size.width, 1), self._role)
        line = rows[y] if y < len(rows) else ()
        return palette_for(self.app.current_theme).strip(line, self.size.width).apply_style(self.rich_style)
