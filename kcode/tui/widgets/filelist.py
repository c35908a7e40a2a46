"""The files of a review in one widget, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kcode.tui.diff.filelines import draw_files
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from kcode.tui.diff.filelines import FileEntry
    from kcode.tui.lines import Line
    from kcode.tui.palette import Palette


class FileList(ScrollView, can_focus=False):
    """Shows the files; which of them is current is the screen's to say."""

    DEFAULT_CSS = """
    FileList { background: $background; width: 36; height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    class FileChosen(Message):
        """A file was clicked."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._entries: Sequence[FileEntry] = ()
        self._current = ""
        self._lines: list[tuple[str, Line]] = []
        self._palette: Palette | None = None

    def show(self, entries: Sequence[FileEntry], current: str) -> None:
        if (entries, current) != (self._entries, self._current):
            self._entries, self._current = entries, current
            self._lay_out()

    def _lay_out(self) -> None:
        width = max(self.scrollable_content_region.width, 20)
        self._lines = draw_files(self._entries, width, self._current)
        self.virtual_size = Size(width, len(self._lines))
        at = next((number for number, (path, _) in enumerate(self._lines) if path == self._current), 0)
        top, room = self.scroll_offset.y, max(self.size.height, 1)
        if not top <= at < top + room:
            self.scroll_to(y=max(at - room // 2, 0), animate=False)
        self.refresh()

    def on_resize(self) -> None:
        self._lay_out()

    def notify_style_update(self) -> None:
        self._palette = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        if at >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        return self._palette.strip(self._lines[at][1], width).apply_style(self.rich_style)

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y
        if at < len(self._lines) and self._lines[at][0]:
            self.post_message(self.FileChosen(self._lines[at][0]))
