"""A block of code that grows by lines: each is coloured once when it is whole, and a stretch of them once more together."""

from __future__ import annotations

import re

from kcode.tui.highlight import highlight_lines
from kcode.tui.lines import Ground, Line, Role, Span, expand_tabs, on, pad
from kcode.tui.rows import Row, broken

# What spans lines, such as a long string, is coloured right within a stretch; a stretch takes some 20 ms.
_STRETCH = 200
_LONGEST_COLORED, _LONGEST_LINE = 4_000, 1_000
_MARGIN = 2


class Code:
    """Its rows in `final`; `generation` goes up when those that were there have changed."""

    def __init__(self, info: str, width: int) -> None:
        self.generation = 0
        self.final: list[Row] = []
        self._width = max(width, 6)
        self._language = re.split(r"[\s,:;{]", info.strip(), maxsplit=1)[0].strip(".")
        self._stretch: list[str] = []
        self._settled = 0
        self._count = 0
        self._line = ""
        if info.strip():
            self.final.append(self._on_panel(Row(broken((Span(info.strip(), Role.DIM),), self._width - 4)[0].line)))
            self._settled = 1

    def add(self, text: str) -> None:
        """Add to the last line."""
        self._line += text

    def end_line(self) -> None:
        line, self._line = self._line, ""
        self._count += 1
        self._stretch.append(line)
        self.final += self._rows(self._colored([line])[0])
        if len(self._stretch) == _STRETCH:
            self._recolor()

    def close(self) -> None:
        if len(self._stretch) > 1:
            self._recolor()

    def preview(self, text: str) -> list[Row]:
        line = self._line + text
        return self._rows((Span(expand_tabs(line)),) if line else ())

    def _recolor(self) -> None:
        """Colour the lines of a stretch together."""
        rows = [row for line in self._colored(self._stretch) for row in self._rows(line)]
        if rows != self.final[self._settled :]:
            self.final[self._settled :] = rows
            self.generation += 1
        self._settled = len(self.final)
        self._stretch = []

    def _colored(self, lines: list[str]) -> list[Line]:
        if not self._language or self._count > _LONGEST_COLORED or any(len(line) > _LONGEST_LINE for line in lines):
            return [(Span(expand_tabs(line)),) if line else () for line in lines]
        # Text of blank lines alone would come back as one line too few.
        return highlight_lines("\n".join(lines) + "\n", self._language)

    def _rows(self, line: Line) -> list[Row]:
        return [self._on_panel(row) for row in broken(line, self._width - 2 * _MARGIN)]

    def _on_panel(self, row: Row) -> Row:
        line = (Span(" " * _MARGIN), *row.line)
        return Row(on(Ground.PANEL, pad(line, self._width)), _MARGIN, row.glue)
