"""A document of Markdown that grows at its end, laid out for one width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.sanitize import StreamSanitizer
from kcode.tui.lines import Line, Role, Span, cut, expand_tabs, width_of
from kcode.tui.markdown.leaves import Leaf, TableLeaf, make_leaf
from kcode.tui.markdown.paragraph import Paragraph
from kcode.tui.markdown.structure import (
    LONG_LINE,
    Added,
    Closed,
    Container,
    Kind,
    Opened,
    Recast,
    State,
    advance,
    is_undecided,
)
from kcode.tui.markdown.table import Table
from kcode.tui.rows import EMPTY, Row, indented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.markdown.structure import Step

_BULLETS = ("• ", "◦ ", "▪ ")
_ROOM = 8
# Around these there is always a blank line, but not within a list.
_APART = {Kind.CODE, Kind.TABLE, Kind.RULE}


@dataclass(frozen=True, slots=True)
class _Place:
    """A block on its way into the document: its margins, and the rows that part it from what stands before."""

    kind: Kind
    path: tuple[Container, ...]
    leaf: Leaf
    first: Line
    rest: Line
    gap: list[Row]


class Document:
    """The rows depend on the text alone, not on the pieces in which it came.

    All stand behind `margin`, and behind the rows in `lead`, which come first.
    """

    def __init__(self, width: int, margin: Line = (), lead: Sequence[Row] = ()) -> None:
        self._width = max(width, _ROOM)
        self._outer = margin
        self._sanitizer = StreamSanitizer()
        self._state = State()
        self._partial = ""
        self._in_long_line = self._has_line = False
        self._rows: list[Row] = list(lead)
        self._place: _Place | None = None
        self._is_open = False
        # Rows up to `_fixed` stay; those from `_start` on are the last block's, of which `_taken` have been copied.
        self._fixed = self._start = len(self._rows)
        self._taken = self._generation = 0

    def feed(self, text: str) -> None:
        """Take the next piece, as it came from outside."""
        *lines, rest = self._sanitizer.feed(text).split("\n")
        for line in lines:
            self._take(line, ends=True)
        self._take(rest, ends=False)

    def finish(self) -> None:
        """Nothing more comes."""
        self._take(self._sanitizer.finish(), ends=True)
        self._close()

    def rows(self) -> list[Row]:
        """All rows, in a list that the next piece changes."""
        self._settle()
        self._rows += self._tail()
        return self._rows

    def _take(self, piece: str, *, ends: bool) -> None:
        if self._in_long_line:
            if piece:
                self._more(piece)
            if ends:
                self._in_long_line = False
                self._end_line()
            return
        self._partial += piece
        if len(self._partial) >= LONG_LINE or ends:
            line, self._partial = self._partial, ""
            self._read(line[:LONG_LINE])
            if len(line) > LONG_LINE:
                self._more(line[LONG_LINE:])
            if ends:
                self._end_line()
            self._in_long_line = not ends

    def _more(self, text: str) -> None:
        if self._place and self._is_open:
            self._place.leaf.more(text.replace("\t", "    "))

    def _end_line(self) -> None:
        if self._place and self._is_open and self._has_line:
            self._place.leaf.end_line()

    def _read(self, line: str) -> None:
        self._has_line = False
        self._state, steps = advance(self._state, expand_tabs(line))
        for step in steps:
            self._carry_out(step)

    def _carry_out(self, step: Step) -> None:
        match step:
            case Opened():
                self._open(self._placed(step, self._place))
            case Closed():
                self._close()
            case Added(text) if self._place:
                self._place.leaf.add(text)
                self._has_line = True
            case Recast(kind, text):
                self._recast(kind, text)

    def _open(self, place: _Place) -> None:
        self._settle()
        self._rows += place.gap
        self._place, self._is_open = place, True
        self._fixed = self._start = len(self._rows)
        self._taken = self._generation = 0

    def _close(self) -> None:
        if self._place and self._is_open:
            self._place.leaf.close()
            self._settle()
            self._is_open = False

    def _recast(self, kind: Kind, text: str) -> None:
        """Make a heading of the open paragraph, or a table of its last line."""
        assert self._place is not None
        place, paragraph = self._place, self._place.leaf
        assert isinstance(paragraph, Paragraph)
        width = self._inner(place.rest)
        if kind is Kind.HEADING:
            leaf: Leaf = make_leaf(kind, text, width, quoted=False)
            leaf.add(paragraph.take_all())
            self._restart(place, leaf, kind)
            return
        head = paragraph.take_last_line()
        table = TableLeaf(Table(head, text, width))
        if paragraph.is_empty:
            self._restart(place, table, kind)
            return
        self._close()
        gap = [] if place.path else [EMPTY]
        self._open(_Place(kind, place.path, table, place.rest, place.rest, gap))

    def _restart(self, place: _Place, leaf: Leaf, kind: Kind) -> None:
        """The open block is another one, with the same margins."""
        self._place = _Place(kind, place.path, leaf, place.first, place.rest, [])
        self._fixed, self._taken, self._generation = self._start, 0, leaf.generation
        del self._rows[self._fixed :]

    def _settle(self) -> None:
        """Copy the rows that stay."""
        del self._rows[self._fixed :]
        if not self._place or not self._is_open:
            return
        leaf = self._place.leaf
        if leaf.generation != self._generation:
            self._generation = leaf.generation
            self._fixed, self._taken = self._start, 0
            del self._rows[self._fixed :]
        self._rows += self._margined(leaf.final[self._taken :], self._place, begun=self._taken > 0)
        self._taken, self._fixed = len(leaf.final), len(self._rows)

    def _tail(self) -> list[Row]:
        """The rows that the next piece may change."""
        partial = expand_tabs(self._partial)
        is_code = self._state.leaf is Kind.CODE
        steps: list[Step] = []
        if partial and not (is_undecided(partial) and not (is_code and partial.strip(" `~"))):
            steps = advance(self._state, partial)[1]
        if steps and isinstance(steps[0], Added):
            return self._open_rows(steps[0].text)
        if any(isinstance(step, Recast) for step in steps):
            return self._open_rows(None)
        rows = self._open_rows(None)
        place = self._place
        for step, following in zip(steps, [*steps[1:], Closed()], strict=False):
            if isinstance(step, Opened):
                place = self._placed(step, place)
                shown = [
                    *place.leaf.final,
                    *place.leaf.preview(following.text if isinstance(following, Added) else None),
                ]
                rows += [*place.gap, *self._margined(shown, place, begun=False)]
        return rows

    def _open_rows(self, text: str | None) -> list[Row]:
        if not self._place or not self._is_open:
            return []
        rows = self._place.leaf.preview(text)
        # A preview may set rows aside.
        self._settle()
        return self._margined(rows, self._place, begun=self._taken > 0)

    def _margined(self, rows: Sequence[Row], place: _Place, *, begun: bool) -> list[Row]:
        return indented(rows, place.rest if begun else place.first, place.rest)

    def _inner(self, margin: Line) -> int:
        return self._width - width_of(margin)

    def _placed(self, step: Opened, before: _Place | None) -> _Place:
        """Where a block that begins goes."""
        shared = 0
        for ours, theirs in zip(step.path, before.path if before else (), strict=False):
            if ours.serial != theirs.serial:
                break
            shared += 1
        room = self._width - _ROOM
        first, rest = (cut((*self._outer, *_margin(step.path, begun)), 0, room) for begun in (shared, len(step.path)))
        is_outside = not step.path or (before is not None and not before.path)
        is_apart = before is not None and (
            step.apart
            or step.kind is Kind.HEADING
            or (is_outside and bool({step.kind, before.kind} & _APART))
            or (not step.path and bool(before.path))
        )
        between = cut((*self._outer, *_margin(step.path[:shared], shared)), 0, room)
        gap = indented([EMPTY], between, between) if is_apart else []
        quoted = any(container.is_quote for container in step.path)
        leaf = make_leaf(step.kind, step.info, self._inner(rest), quoted=quoted)
        return _Place(step.kind, step.path, leaf, first, rest, gap)


def _margin(path: Sequence[Container], begun: int) -> Line:
    """What stands left of a block in these containers; the marks of the first `begun` items have been shown."""
    spans: list[Span] = []
    depth = 0
    for place, container in enumerate(path):
        if container.is_quote:
            spans.append(Span("│ ", Role.RULE))
            continue
        mark = f"{container.number}{container.mark} " if container.mark in ".)" else _BULLETS[depth % len(_BULLETS)]
        depth += 1
        spans.append(Span(mark if place >= begun else " " * len(mark), Role.ACCENT))
    return tuple(spans)
