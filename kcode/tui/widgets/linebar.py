"""Lines of the screen that are drawn anew only when they say something else, and a text that scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from kcode.tui.lines import Span, cut, plain, width_of, wrap
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kcode.tui.lines import Line
    from kcode.tui.palette import Palette


class LineBar(Widget, can_focus=False):
    """One line, made for the width that there is."""

    DEFAULT_CSS = """
    LineBar { height: 1; width: 1fr; background: $panel; }
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._make: Callable[[int], Line] | None = None
        self._shown: Line = ()
        self._palette: Palette | None = None

    def show(self, make: Callable[[int], Line]) -> None:
        """Show the line that `make` gives for a width."""
        self._make = make
        if (line := make(self.size.width)) != self._shown:
            self._shown = line
            self.refresh()

    def on_resize(self) -> None:
        if self._make is not None:
            self._shown = self._make(self.size.width)
            self.refresh()

    def notify_style_update(self) -> None:
        self._palette = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        return self._palette.strip(cut(self._shown, 0, self.size.width) if y == 0 else (), self.size.width).apply_style(
            self.rich_style
        )


class WordsBar(Widget, can_focus=False):
    """What is said, in as many rows as the words take, up to a few; one while nothing is said."""

    DEFAULT_CSS = """
    WordsBar { height: auto; max-height: 4; width: 1fr; background: $background; }
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._line: Line = ()
        self._palette: Palette | None = None

    def show(self, line: Line) -> None:
        """Say this in place of what was said."""
        if line == self._line:
            return
        before = len(self._rows(self.size.width))
        self._line = line
        self.refresh(layout=before != len(self._rows(self.size.width)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        return len(self._rows(width))

    def notify_style_update(self) -> None:
        self._palette = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        rows = self._rows(self.size.width)
        row = rows[y] if y < len(rows) else ()
        return self._palette.strip(row, self.size.width).apply_style(self.rich_style)

    def _rows(self, width: int) -> list[Line]:
        margin: Line = (Span(" "),)
        room = max(width - 2, 10)
        rows = [self._line] if width_of(self._line) <= room else wrap(self._line, room)
        return [(*margin, *row) for row in rows]


def _wrapped(line: Line, width: int) -> list[Line]:
    """The line in rows, those after the first as far in as the first."""
    text = plain(line)
    return wrap(line, width, hang=len(text) - len(text.lstrip(" ")))


class TextPane(ScrollView, can_focus=True):
    """Lines that are wrapped to the pane's width."""

    DEFAULT_CSS = """
    TextPane { background: $surface; height: 1fr; width: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; overflow-x: hidden;
               scrollbar-background: $surface; padding: 0 1;
               scrollbar-background-hover: $surface; scrollbar-background-active: $surface; }
    """

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._rows: list[Line] = []
        self._palette: Palette | None = None

    def show(self, lines: Sequence[Line], *, follow: bool = False) -> None:
        """Show these lines from their first one, or, to `follow` what grows, up to their last one."""
        if lines == self._lines:
            return
        self._lines = lines
        self._lay_out()
        if self.styles.is_auto_height:
            self.refresh(layout=True)
        if follow:
            self.scroll_end(animate=False)
        else:
            self.scroll_to(y=0, animate=False)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """As high as the text is, where the height is to be automatic."""
        return sum(len(_wrapped(line, max(width, 10))) for line in self._lines)

    def _lay_out(self) -> None:
        width = max(self.scrollable_content_region.width, 10)
        self._rows = [row for line in self._lines for row in _wrapped(line, width)]
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def on_resize(self) -> None:
        self._lay_out()

    def notify_style_update(self) -> None:
        self._palette = None
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, at = self.scrollable_content_region.width, y + self.scroll_offset.y
        if at >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        return self._palette.strip(self._rows[at], width).apply_style(self.rich_style)
