"""Blocks in one widget that draws lines: scrolling, selecting and marks, whatever their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from kcode.tui.blocks import UserBlock
from kcode.tui.lines import Ground, Line, Role, Span, cut, pad, width_of
from kcode.tui.marking import on_part, with_cursor, with_found
from kcode.tui.rows import text_of
from kcode.tui.themes import palette_for
from kcode.tui.viewport import InView, Viewport

if TYPE_CHECKING:
    from textual.events import Resize
    from textual.selection import Selection

    from kcode.tui.palette import Palette
    from kcode.tui.stack import Stack

# In a selection a row is known by its block's number and its own within the block: that stays while others grow.
_ROWS_OF_A_BLOCK = 1 << 24
_STRIPS_KEPT = 2_000


class BlockView(ScrollView, can_focus=True):
    """Shows a stack of blocks. `note` stands in the corner while there is more below that has not been seen."""

    DEFAULT_CSS = """
    BlockView {
        height: 1fr;
        background: $background;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "go_by(-1)", show=False, id="transcript.page_up"),
        Binding("pagedown", "go_by(1)", show=False, id="transcript.page_down"),
        Binding("home", "go_to_start", show=False, id="transcript.start"),
        Binding("end", "go_to_end", show=False, id="transcript.end"),
    ]

    ALLOW_SELECT: ClassVar[bool] = True

    def __init__(self, stack: Stack, note: str, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self.stack = stack
        self.viewport = Viewport(stack.blocks)
        self.needle = ""
        self.cursor: int | None = None
        self._note = note
        self._has_unseen = self._shows_note = False
        self._shown: list[InView] = []
        self._palette: Palette | None = None
        self._strips: dict[object, Strip] = {}

    def sync(self, *, is_new: bool = False) -> None:
        """Show what the stack holds by now; `is_new` says that something happened, and not only looks otherwise."""
        changed = self.stack.take_changed()
        if changed is not None:
            self.viewport.sync(changed)
            if is_new and not self.viewport.follows:
                self._has_unseen = True
        self.settle()

    def settle(self) -> None:
        """Lay out what is in view, and draw the rows that are others than before."""
        self.viewport.settle()
        self._has_unseen = self._has_unseen and not self.viewport.follows
        before, self._shown = self._shown, self.viewport.in_view()
        self._place_scrollbar()
        if len(before) != len(self._shown) or self._has_unseen is not self._shows_note:
            self._shows_note = self._has_unseen
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, self._shown, strict=True)) if old != new]
        if len(changed) > len(self._shown) // 2:
            self.refresh()
        elif changed:
            self.refresh(*(Region(0, y, self.text_width, 1) for y in changed))

    def redraw(self) -> None:
        """Draw all that is in view: marks have changed."""
        self._shown = self.viewport.in_view()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.text_width
        if y >= len(self._shown):
            return Strip.blank(width, self.rich_style)
        seen, line = self._shown[y], self.line_at(y)
        ground = Ground.PANEL if isinstance(seen.block, UserBlock) and seen.row.line else None
        number = seen.block.number * _ROWS_OF_A_BLOCK + seen.number if seen.block else None
        key = (line, width, ground, number)
        strip = self._strips.get(key)
        if strip is None:
            # What a click does is looked up in the rows: by its style it may be that of the row that stood there before.
            drawn = tuple(span._replace(action="") for span in line)
            strip = self.palette.strip(drawn, width, ground).apply_style(self.rich_style)
            if number is not None:
                strip = strip.apply_offsets(-seen.row.margin, number)
            if len(self._strips) > _STRIPS_KEPT:
                self._strips.clear()
            self._strips[key] = strip
        return strip

    def line_at(self, y: int) -> Line:
        """What is drawn there, with what a click on it does; empty below the last row."""
        if not 0 <= y < len(self._shown):
            return ()
        width = self.text_width
        line = self._marked(self._shown[y], width)
        return self._with_note(line, width) if y == self.size.height - 1 and self._has_unseen else line

    @property
    def text_width(self) -> int:
        """How wide a row is; the scrollbar stands beside it."""
        return max(self.size.width - self.styles.scrollbar_size_vertical, 1)

    @property
    def palette(self) -> Palette:
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        return self._palette

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._strips.clear()

    def on_resize(self, _event: Resize) -> None:
        if self.size.width < 4 or self.size.height < 1:
            return
        # No text touches the scrollbar.
        self.viewport.resize(self.text_width - 1, self.size.height)
        self._shown = []
        self.sync()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What a wheel, a key or the bar asks for; rows that were only estimated may shift where that is."""
        # A widget that grew is made to scroll back before it is told of its size: that is not the user's wish.
        is_wanted = self.size.height == self.viewport.height or not self.viewport.follows
        if is_wanted and round(new_value) != self.viewport.top:
            self.viewport.scroll_to(round(new_value))
            self._has_unseen = self._has_unseen and not self.viewport.follows
            self._shown = self.viewport.in_view()
            self._place_scrollbar()
            self.refresh()
        super().watch_scroll_y(old_value, new_value)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is selected, whole where it was broken to the width, and without margins."""
        start, end = selection
        first = max(start.y, 0) if start else 0
        last = end.y if end else None
        parts: list[str] = []
        for block in self.stack.blocks:
            base = block.number * _ROWS_OF_A_BLOCK
            if base + _ROWS_OF_A_BLOCK <= first or (last is not None and base > last):
                continue
            rows = []
            for number, row in enumerate(block.rows(self.viewport.width)):
                y = base + number
                if y < first or (last is not None and y > last):
                    continue
                span = selection.get_span(y) or (0, -1)
                text = row.text[max(span[0], 0) : None if span[1] < 0 else span[1]]
                rows.append(row._replace(line=(Span(text),), margin=0))
            parts.append(text_of(rows))
        return "\n".join(parts).strip("\n"), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - Textual's signature
        self.redraw()

    def action_go_by(self, pages: int) -> None:
        self.scroll_to(y=self.viewport.top + pages * max(self.size.height - 2, 1), animate=False)

    def action_go_to_start(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_go_to_end(self) -> None:
        self.viewport.scroll_end()
        self.settle()
        self.redraw()

    def _place_scrollbar(self) -> None:
        """Tell Textual how tall all is and where the view begins, without a new layout of the screen."""
        total, top = max(self.viewport.total, 1), self.viewport.top
        if total != self.virtual_size.height or self.text_width != self.virtual_size.width:
            self.set_reactive(Widget.virtual_size, Size(self.text_width, total))
        self.set_reactive(Widget.scroll_y, top)
        self.set_reactive(Widget.scroll_target_y, top)
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            bar.window_virtual_size, bar.window_size, bar.position = total, self.size.height, top

    def _marked(self, seen: InView, width: int) -> Line:
        line = with_found(seen.row.line, self.needle, seen.row.margin)
        if seen.block is None:
            return line
        selection = self.text_selection
        if selection is not None:
            span = selection.get_span(seen.block.number * _ROWS_OF_A_BLOCK + seen.number)
            if span is not None:
                end = len(seen.row.text) if span[1] < 0 else span[1]
                margin = seen.row.margin
                line = on_part(line, max(span[0], 0) + margin, end + margin, Ground.SELECTION)
        if seen.block.number == self.cursor and seen.row.line:
            line = with_cursor(pad(line, 1), width)
        return line

    def _with_note(self, line: Line, width: int) -> Line:
        note = Span(f" {self._note} ", Role.ACCENT, Ground.CURSOR, "go_to_end")
        room = max(width - width_of((note,)) - 1, 0)
        return (*pad(cut(line, 0, room), room), note)
