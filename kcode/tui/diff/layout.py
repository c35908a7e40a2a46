"""At which line of the screen each row of a file begins."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from kcode.tui.diff.draw import height, text_width
from kcode.tui.diff.rows import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.diff.draw import Look
    from kcode.tui.diff.rows import Row
    from kcode.tui.diff.sheet import Sheet


@dataclass(frozen=True, slots=True)
class Placed:
    """Rows with the lines that they begin at; `starts` is empty where every row takes one line."""

    rows: Sequence[Row] = ()
    starts: Sequence[int] = ()
    total: int = 0

    def at(self, y: int) -> tuple[Row, int] | None:
        """The row of a line, and which of its lines that is."""
        if not 0 <= y < self.total:
            return None
        if not self.starts:
            return self.rows[y], 0
        index = bisect_right(self.starts, y) - 1
        return self.rows[index], y - self.starts[index]

    def span(self, key: str) -> tuple[int, int] | None:
        """The lines from a hunk's head to behind its last row."""
        indices = [index for index, row in enumerate(self.rows) if row.key == key]
        return (self._start(indices[0]), self._start(indices[-1] + 1)) if indices else None

    def hunk_at(self, y: int) -> str:
        """The key of the hunk that a line belongs to, or of the first one below it; "" where there is none."""
        found = self.at(y)
        if found is None:
            return ""
        index = y if not self.starts else bisect_right(self.starts, y) - 1
        return next((row.key for row in self.rows[index:] if row.kind is Kind.HEAD or row.key), "")

    def _start(self, index: int) -> int:
        if index >= len(self.rows):
            return self.total
        return self.starts[index] if self.starts else index


def place(sheet: Sheet, rows: Sequence[Row], look: Look) -> Placed:
    room = text_width(sheet, look)
    if not look.wrap and all(height(sheet, row, look, room) == 1 for row in rows if row.kind is Kind.NOTE):
        return Placed(rows, (), len(rows))
    ends = list(accumulate(height(sheet, row, look, room) for row in rows))
    return Placed(rows, [0, *ends[:-1]], ends[-1] if ends else 0)
