"""A table that grows by rows: its columns widen with what comes, and only then is it laid out anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.tui.lines import Line, Role, Span, pad, width_of
from kcode.tui.markdown.inline import inline
from kcode.tui.markdown.structure import cells_of
from kcode.tui.rows import Row, broken

if TYPE_CHECKING:
    from collections.abc import Sequence

_BETWEEN = Span(" │ ", Role.RULE)
_NARROWEST = 3


def shares(natural: Sequence[int], room: int) -> list[int]:
    """How wide each column is: what it needs, and where that is too much in sum, the widest give way."""
    if sum(natural) <= room:
        return list(natural)
    low, high = _NARROWEST, max(natural)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(min(one, middle) for one in natural) <= room else (low, middle - 1)
    widths = [min(one, low) for one in natural]
    for place, one in enumerate(natural):
        if one > widths[place] and sum(widths) < room:
            widths[place] += 1
    return widths


class Table:
    """Its rows in `final`; `generation` goes up when those that were there have changed."""

    def __init__(self, head: str, delimiter: str, width: int) -> None:
        self.generation = 0
        self.final: list[Row] = []
        marks = cells_of(delimiter)
        self._sides = [(mark.startswith(":"), mark.endswith(":")) for mark in marks]
        self._room = max(width - 3 * (len(marks) - 1), _NARROWEST)
        self._cells: list[list[Line]] = []
        self._natural = [1] * len(marks)
        self._widths: list[int] = []
        self.add(head)

    def add(self, row: str) -> None:
        cells = self._read(row)
        self._cells.append(cells)
        self._natural = [max(old, width_of(cell)) for old, cell in zip(self._natural, cells, strict=True)]
        widths = shares(self._natural, self._room)
        if widths != self._widths:
            self._widths = widths
            self.generation += 1
            self.final = self._head() + [one for line in self._cells[1:] for one in self._rows(line)]
        else:
            self.final += self._rows(cells)

    def preview(self, row: str) -> list[Row]:
        """The rows of a last line that is not yet whole; the columns are as they are."""
        return self._rows(self._read(row))

    def _read(self, row: str) -> list[Line]:
        role = Role.TEXT if self._cells else Role.STRONG
        cells = [inline(cell, role) for cell in cells_of(row)[: len(self._sides)]]
        return cells + [()] * (len(self._sides) - len(cells))

    def _head(self) -> list[Row]:
        rule = "─┼─".join("─" * width for width in self._widths)
        return [*self._rows(self._cells[0]), Row((Span(rule, Role.RULE),))]

    def _rows(self, cells: Sequence[Line]) -> list[Row]:
        columns = [[row.line for row in broken(cell, width)] for cell, width in zip(cells, self._widths, strict=True)]
        rows: list[Row] = []
        for number in range(max(map(len, columns))):
            line: list[Span] = []
            for place, (column, width) in enumerate(zip(columns, self._widths, strict=True)):
                if place:
                    line.append(_BETWEEN)
                line += self._aligned(column[number] if number < len(column) else (), width, place)
            rows.append(Row(tuple(line)))
        return rows

    def _aligned(self, cell: Line, width: int, place: int) -> Line:
        left, right = self._sides[place]
        missing = width - width_of(cell)
        before = missing if right and not left else missing // 2 if right else 0
        return pad((Span(" " * before), *cell) if before else cell, width)
