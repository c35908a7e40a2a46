"""Every key and every command in one list that can be filtered, and what the draft is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.containers import Vertical

from kcode.tui.columns import column, paragraphs, said
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Line, Role, Span, width_of, wrap
from kcode.tui.screens.sheet import Sheet
from kcode.tui.widgets.keybar import KeyHint
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kcode.tui.texts import Texts

_GAP = 3
_WIDEST_NAME = 22


class HelpItem(NamedTuple):
    """A key or a command, what it does in a line, and the heading that it stands under."""

    name: str
    words: str
    group: str


def help_rows(items: Iterable[HelpItem], filtered: str, width: int, intro: str = "") -> list[Row]:
    """The items that have all words of the filter, under their headings; the intro only where nothing is filtered."""
    wanted = filtered.casefold().split()
    kept = [item for item in items if all(word in " ".join(item).casefold() for word in wanted)]
    rows = [] if wanted or not intro else [*(Row(line) for line in paragraphs(intro, width)), Row(())]
    first = min(max((width_of((said(item.name),)) for item in kept), default=0), _WIDEST_NAME, max(width // 2, 1))
    group = ""
    for item in kept:
        if item.group != group:
            rows += [*([Row(())] if group else []), Row((said(item.group, Role.HEADING),))]
            group = item.group
        rows += [Row(line) for line in _item_lines(item, first, width)]
    return rows


def _item_lines(item: HelpItem, first: int, width: int) -> list[Line]:
    name: Line = (said(item.name, Role.ACCENT),)
    words = wrap((said(item.words),), max(width - first - _GAP, 2))
    indent = Span(" " * (first + _GAP))
    start: list[Line] = [(*column(name, first), Span(" " * _GAP), *words[0])]
    if width_of(name) > first:
        start = [*wrap(name, width), (indent, *words[0])]
    return [*start, *((indent, *line) for line in words[1:])]


class HelpScreen(Sheet[None]):
    """Nothing can be chosen here: it is to be read."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("help")

    def __init__(self, texts: Texts, keys: Sequence[HelpItem], commands: Sequence[HelpItem]) -> None:
        super().__init__(texts, texts("screens.help"))
        self._items = (*commands, *keys)
        self._words = ""
        self._list = RowList(id="help")
        self.main_list = self._list

    def compose_body(self) -> ComposeResult:
        with Vertical(classes="body"):
            yield self._list

    def hints(self) -> Sequence[KeyHint]:
        return (
            KeyHint("/", self.text("filter"), "screen.filter"),
            KeyHint("↓", self.text("down"), "screen.step(1)"),
            KeyHint("↑", self.text("up"), "screen.step(-1)"),
            KeyHint("PgDn", self.text("page_down"), "screen.leap(1)"),
            KeyHint("PgUp", self.text("page_up"), "screen.leap(-1)"),
            self.closing(),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self._filter("")
        self._list.focus()

    @work(exclusive=True, group="ask")
    async def action_filter(self) -> None:
        if await self.ask(self.text("filter_label"), self._words, heard=self._filter) is None:
            self._filter("")

    def _filter(self, words: str) -> None:
        self._words = words
        self._list.show(self._rows, at_top=True)
        self.title_line.show((said(words, Role.ACCENT),) if words.strip() else ())

    def _rows(self, width: int) -> Sequence[Row]:
        found = help_rows(self._items, self._words, width, self.text("draft_is"))
        return found or [
            Row(line) for line in paragraphs(self.text("help_no_match", words=self._words), width, Role.DIM)
        ]
