"""The diff of one file, drawn line by line: only what is seen is ever laid out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kcode.tui.diff.copying import selected_text, with_selection
from kcode.tui.diff.draw import Look, draw, text_width
from kcode.tui.diff.layout import Placed, place
from kcode.tui.diff.rows import Kind, Shape
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from textual import events
    from textual.binding import BindingType
    from textual.geometry import Region
    from textual.selection import Selection

    from kcode.draft.review import Cut
    from kcode.tui.diff.sheet import Sheet
    from kcode.tui.palette import Palette

# What stands above a hunk that was jumped to.
_ABOVE = 3
# So many columns a press goes to the side.
_SIDEWAYS = 8
# Room for what is said behind the end of a line.
_BEHIND = 30


class DiffBody(ScrollView, can_focus=True):
    """Shows a sheet. Keys about hunks are the screen's; this one scrolls, folds and says which hunk was clicked."""

    ALLOW_SELECT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", f"scroll_columns(-{_SIDEWAYS})", show=False),
        Binding("right", f"scroll_columns({_SIDEWAYS})", show=False),
    ]
    DEFAULT_CSS = """
    DiffBody { background: $background; width: 1fr; height: 1fr; scrollbar-size: 0 1; }
    """

    class HunkChosen(Message):
        """A line of a hunk was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, id: str | None = None, *, split: bool = False, wrap: bool = False) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.sheet: Sheet | None = None
        self.look = Look(split=split, wrap=wrap)
        self._placed = Placed()
        self._basis: object = None
        """What the rows were laid out from."""
        self._opened: dict[str, frozenset[int] | None] = {}
        self._palette: Palette | None = None
        self._ground, self._drawn_look = Style.null(), self.look
        """What all lines of a painting share, looked up once for it."""

    @property
    def cursor(self) -> str:
        return self.look.cursor

    def show(self, sheet: Sheet | None, cursor: str) -> None:
        """Show a file with the cursor at one of its hunks; of the same file as before nothing moves on the screen."""
        former = self.sheet
        stays = former is not None and sheet is not None and former.path == sheet.path
        before = self._placed.span(self.look.cursor) if stays else None
        offset = before[0] - self.scroll_offset.y if before else _ABOVE
        moved = cursor != self.look.cursor
        self.sheet, self.look = sheet, replace(self.look, cursor=cursor)
        self._lay_out()
        after = self._placed.span(cursor)
        if moved or not stays:
            self._bring_in(cursor, jump=not stays)
        elif after is not None:
            self.scroll_to(y=after[0] - offset, animate=False)
        self.refresh()

    def set_look(self, *, split: bool | None = None, blanks: bool | None = None, wrap: bool | None = None) -> None:
        """Change how the diff is shown; the hunk of the cursor stays where it is."""
        look = self.look
        self.look = replace(
            look,
            split=look.split if split is None else split,
            blanks=look.blanks if blanks is None else blanks,
            wrap=look.wrap if wrap is None else wrap,
        )
        self.scroll_to(x=0, animate=False)
        self.show(self.sheet, self.cursor)

    def find(self, text: str) -> None:
        """Mark a text in the lines; "" for none."""
        if text != self.look.find:
            self.look = replace(self.look, find=text)
            self.refresh()

    def mark_cut(self, cut: Cut | None) -> None:
        """Show in which of two parts each line of the cursor's hunk would be."""
        self.look = replace(self.look, cut=cut)
        self.refresh()

    def unfold(self, old: int) -> None:
        """Open the fold that begins at this old line."""
        if self.sheet is not None:
            opened = self._opened.get(self.sheet.path, frozenset())
            self._opened[self.sheet.path] = None if opened is None else opened | {old}
            self.show(self.sheet, self.cursor)

    def toggle_folds(self, *, everywhere: bool = False) -> None:
        """Open the folds on both sides of the cursor's hunk, or all of the file; close them where they are open."""
        if self.sheet is None or self.sheet.is_excerpt:
            return
        path = self.sheet.path
        opened = self._opened.get(path, frozenset())
        if everywhere:
            self._opened[path] = frozenset() if opened is None else None
        else:
            near = self._folds_beside(self.cursor)
            self._opened[path] = (opened or frozenset()) | near if near else frozenset()
        self.show(self.sheet, self.cursor)

    def _folds_beside(self, key: str) -> frozenset[int]:
        rows = self._placed.rows
        first = next((index for index, row in enumerate(rows) if row.key == key), 0)
        before = next((row.old for row in rows[first::-1] if row.kind is Kind.FOLD), None)
        behind = next((row.old for row in rows[first:] if row.kind is Kind.FOLD), None)
        others = [index for index, row in enumerate(rows) if row.kind is Kind.HEAD and row.key != key]
        # Only what no other hunk lies between.
        found = set()
        for old in (before, behind):
            index = next((i for i, row in enumerate(rows) if row.kind is Kind.FOLD and row.old == old), None)
            if index is not None and not any(min(first, index) < other < max(first, index) for other in others):
                found.add(rows[index].old)
        return frozenset(found)

    def _lay_out(self) -> None:
        if self.sheet is None:
            self._placed, self._basis = Placed(), None
            self.virtual_size = Size(self.size.width, 0)
            return
        shape = Shape(split=self.look.split, opened=self._opened.get(self.sheet.path, frozenset()))
        look = self._present_look()
        wrapped = (look.wrap, look.wrap and look.blanks, look.wrap and self.sheet.moved)
        basis = (self.sheet, shape, look.width, wrapped, self.sheet.notes())
        if basis == self._basis:
            return
        self._basis = basis
        self._placed = place(self.sheet, self.sheet.rows(shape), look)
        beyond = 0
        if not look.wrap and (longest := self.sheet.longest) > text_width(self.sheet, look):
            beyond = longest + _BEHIND - text_width(self.sheet, look)
        self.virtual_size = Size(look.width + beyond, self._placed.total)

    def _bring_in(self, key: str, *, jump: bool) -> None:
        """Scroll so that the hunk is seen, and as little as that takes."""
        span = self._placed.span(key)
        if span is None:
            self.scroll_to(y=0, animate=False)
            return
        start, end = span
        top, room = self.scroll_offset.y, max(self.scrollable_content_region.height, 1)
        if not jump and top + _ABOVE <= start and end <= top + room:
            return
        if not jump and start >= top + room and end - start + _ABOVE <= room:
            self.scroll_to(y=end + _ABOVE - room, animate=False)
            return
        self.scroll_to(y=max(start - _ABOVE, 0), animate=False)

    def _present_look(self) -> Look:
        width = max(self.scrollable_content_region.width, 20)
        return replace(self.look, width=width, x=0 if self.look.wrap else self.scroll_offset.x)

    def action_scroll_columns(self, by: int) -> None:
        self.scroll_relative(x=by, animate=False)

    def on_resize(self) -> None:
        self._lay_out()
        self._bring_in(self.cursor, jump=False)

    def notify_style_update(self) -> None:
        self._palette = None
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._ground, self._drawn_look = self.rich_style, self._present_look()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        found = self._placed.at(at)
        width = self._drawn_look.width
        if found is None or self.sheet is None:
            return Strip.blank(width, self._ground)
        if self._palette is None:
            self._palette = palette_for(self.app.current_theme)
        row, part = found
        lines = draw(self.sheet, row, self._drawn_look)
        line = lines[min(part, len(lines) - 1)]
        if (selection := self.text_selection) is not None:
            line = with_selection(line, selection.get_span(at))
        return self._palette.strip(line, width).apply_style(self._ground).apply_offsets(0, at)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        if self.sheet is None:
            return None
        return selected_text(self.sheet, self._placed, self._present_look(), selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002 - what is selected is asked for where it is drawn
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        # A selection ends with a click too, and is not meant to go anywhere.
        if event.style.meta.get("@click") or self.text_selection is not None:
            return
        found = self._placed.at(event.y + self.scroll_offset.y)
        if found is not None and found[0].key:
            self.post_message(self.HunkChosen(found[0].key))
