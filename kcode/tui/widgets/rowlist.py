"""A list of rows drawn line by line: some can be chosen, by key or by click, and all can be read."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kcode.tui.lines import Ground, Line, Role, Span, shorten
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.events import Click, Resize

    MakeRows = Callable[[int], "Sequence[Row]"]

_MARK, _BLANK = Span("› ", Role.ACCENT), Span("  ")  # noqa: RUF001 - the sign of the completion too
GUTTER = 2


class Row(NamedTuple):
    """One line of a list. Neighbours with the same `key` are one entry; "" is for what can only be read."""

    line: Line
    key: str = ""


class Entry(NamedTuple):
    """The rows from `first` to `last`, which are chosen together."""

    key: str
    first: int
    last: int


def entries_of(rows: Sequence[Row]) -> list[Entry]:
    """What can be chosen of the rows, from above to below."""
    found: list[Entry] = []
    at = 0
    for key, group in groupby(rows, key=lambda row: row.key):
        size = sum(1 for _ in group)
        if key:
            found.append(Entry(key, at, at + size - 1))
        at += size
    return found


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows made for the width that there is. A click marks an entry, one on the marked entry chooses it, as Enter does.

    Without anything to choose the keys scroll.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    RowList { width: 1fr; height: 1fr; background: $background; overflow-x: hidden; scrollbar-gutter: stable;
              scrollbar-size-vertical: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", show=False),
        Binding("down,j", "step(1)", show=False),
        Binding("pageup", "leap(-1)", show=False),
        Binding("pagedown", "leap(1)", show=False),
        Binding("home,g", "edge(0)", show=False),
        Binding("end,G", "edge(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Moved(Message):
        """The mark is on another entry, or on none: `key` is "" then."""

        def __init__(self, rows: RowList, key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> RowList:
            return self.rows

    class Chosen(Moved):
        """The marked entry was chosen."""

    def __init__(
        self,
        make: MakeRows | None = None,
        *,
        one_click: bool = False,
        id: str | None = None,  # noqa: A002 - as in every widget
        classes: str | None = None,
    ) -> None:
        """With `one_click` the first click on an entry chooses it."""
        super().__init__(id=id, classes=classes)
        self._one_click = one_click
        self._make: MakeRows = make or (lambda _: ())
        self._rows: Sequence[Row] = ()
        self._entries: list[Entry] = []
        self._key = ""
        self._made_for = -1

    @property
    def key(self) -> str:
        """The marked entry's key; "" where there is none."""
        return self._key

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown, for the width that there was last."""
        return self._rows

    def show(self, make: MakeRows, key: str | None = None, *, at_top: bool = False) -> None:
        """Show other rows. The mark goes to `key`, else it stays where it is, if that is still there.

        `at_top` shows their start, wherever the mark is.
        """
        self._make = make
        self._remake(self._key if key is None else key, follow=not at_top)
        if at_top:
            self.scroll_to(y=0, animate=False)

    def remake(self) -> None:
        """Make the rows again: what they tell of has changed."""
        self._remake(self._key)

    def mark(self, key: str) -> None:
        """Put the mark on the entry of this key, and that into view."""
        self._set_mark(key, follow=True)

    def on_resize(self, _: Resize) -> None:
        if self._made_for != self.scrollable_content_region.width:
            self._remake(self._key)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        at = self.scroll_offset.y + y
        if at >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[at]
        marked = bool(row.key) and row.key == self._key
        first = marked and (at == 0 or self._rows[at - 1].key != row.key)
        line = shorten((_MARK if first else _BLANK, *row.line), width)
        palette = palette_for(self.app.current_theme)
        strip = palette.strip(line, width, Ground.CURSOR if marked else None)
        return strip.apply_style(self.rich_style)

    def on_click(self, event: Click) -> None:
        at = self.scroll_offset.y + event.y
        key = self._rows[at].key if 0 <= at < len(self._rows) else ""
        if not key:
            return
        if key != self._key:
            self._set_mark(key, follow=False)
            if not self._one_click:
                return
        self.post_message(self.Chosen(self, key))

    def action_step(self, by: int) -> None:
        if self._is_out_of_view(by):
            self.scroll_relative(y=by, animate=False)
            return
        at = self._index() + by
        self.mark(self._entries[min(max(at, 0), len(self._entries) - 1)].key)

    def action_leap(self, pages: int) -> None:
        height = max(self.size.height - 1, 1) * pages
        if self._is_out_of_view(pages):
            self.scroll_relative(y=height, animate=False)
            return
        goal = self._entries[self._index()].first + height
        reached = [entry for entry in self._entries if (entry.first <= goal if pages > 0 else entry.last >= goal)]
        self.mark((reached[-1] if pages > 0 else reached[0]).key)

    def action_edge(self, last: int) -> None:
        if self._entries:
            self.mark(self._entries[-last].key)
        self.scroll_to(y=self.virtual_size.height if last else 0, animate=False)

    def action_choose(self) -> None:
        if self._key:
            self.post_message(self.Chosen(self, self._key))

    def _is_out_of_view(self, way: int) -> bool:
        """Whether there is something to read before the mark can go that way: above, below or without any entry."""
        if not self._entries:
            return True
        entry, top = self._entries[self._index()], self.scroll_offset.y
        if way < 0:
            return entry == self._entries[0] or entry.last < top
        return entry.first >= top + self.size.height or entry == self._entries[-1]

    def _index(self) -> int:
        return next((i for i, entry in enumerate(self._entries) if entry.key == self._key), 0)

    def _remake(self, key: str, *, follow: bool = False) -> None:
        self._made_for = self.scrollable_content_region.width
        if self._made_for <= GUTTER:
            self._key = key
            return
        self._rows = self._make(self._made_for - GUTTER)
        self._entries = entries_of(self._rows)
        self.virtual_size = Size(self._made_for, len(self._rows))
        keys = [entry.key for entry in self._entries]
        self._set_mark(key if key in keys else next(iter(keys), ""), follow=follow)

    def _set_mark(self, key: str, *, follow: bool) -> None:
        changed, self._key = key != self._key, key
        entry = next((entry for entry in self._entries if entry.key == key), None)
        if entry and follow:
            height = entry.last - entry.first + 1
            self.scroll_to_region(Region(0, entry.first, 1, height), animate=False, force=True)
        self.refresh()
        if changed:
            self.post_message(self.Moved(self, key))
