"""A paragraph that grows: what can no longer change is set aside, so that the longest costs no more than its end."""

from __future__ import annotations

import re

from kcode.tui.lines import Line, Role, Span
from kcode.tui.markdown.inline import inline
from kcode.tui.markdown.structure import LONG_LINE
from kcode.tui.rows import Flow, Row, broken

# A piece is set aside at the first blank behind so many characters where no mark is open; at the latest anywhere behind so many.
_PIECE, _LONGEST_PIECE = 600, 2_400
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


def split_point(text: str, end: int) -> int:
    """Where the text's first piece ends, before `end`; 0 where it has none yet. What comes later changes nothing."""
    at = text.find(" ", _PIECE, min(end, _LONGEST_PIECE))
    while at >= 0 and not _is_closed(text[:at]):
        at = text.find(" ", at + 40, min(end, _LONGEST_PIECE))
    if at < 0:
        return _LONGEST_PIECE if end > _LONGEST_PIECE else 0
    return at


def _is_closed(text: str) -> bool:
    bare = _CODE_SPAN.sub("", text)
    return (
        "`" not in bare
        and all(bare.count(mark) % 2 == 0 for mark in ("**", "~~"))
        and bare.count("*") % 2 == 0
        and bare.count("_") % 2 == 0
        and bare.count("[") <= bare.count("]")
        and bare.count("<") <= bare.count(">")
        and bare.count("(") <= bare.count(")")
    )


class Paragraph:
    """Its rows in `final`; those never change."""

    generation = 0

    def __init__(self, width: int, role: Role = Role.TEXT) -> None:
        self._flow = Flow(width)
        self._role = role
        self._text = ""
        self._last_line = 0

    @property
    def final(self) -> list[Row]:
        return self._flow.final

    def add(self, text: str) -> None:
        self._last_line = len(self._text) + 1 if self._text else 0
        self._text = f"{self._text}\n{text}" if self._text else text

    def more(self, text: str) -> None:
        self._text += text

    def end_line(self) -> None:
        pass

    def close(self) -> None:
        self._settle(len(self._text))
        *lines, last = _lines(self._inline(self._text))
        for line in lines:
            self._flow.add(line)
            self._flow.end_line()
        self._flow.add(last)
        self._flow.end_line()
        self._text = ""

    def preview(self, text: str | None) -> list[Row]:
        is_long = len(self._text) - self._last_line >= LONG_LINE
        self._settle(len(self._text) if is_long else self._last_line)
        whole = self._text if text is None else f"{self._text}\n{text}" if self._text else text
        first, *rest = _lines(self._inline(whole))
        return self._flow.tail(first) + [row for line in rest for row in broken(line, self._flow.width)]

    def take_last_line(self) -> str:
        """Give the last line away, which turns out to be something else."""
        line = self._text[self._last_line :]
        self._text = self._text[: max(self._last_line - 1, 0)]
        self._last_line = 0
        return line

    def take_all(self) -> str:
        text, self._text = self._text, ""
        return text

    @property
    def is_empty(self) -> bool:
        return not self._text and not self._flow.final

    def _settle(self, end: int) -> None:
        while point := split_point(self._text, end):
            lines = _lines(self._inline(self._text[:point]))
            for line in lines[:-1]:
                self._flow.add(line)
                self._flow.end_line()
            self._flow.add(lines[-1])
            self._text = self._text[point:]
            self._last_line = max(self._last_line - point, 0)
            end -= point

    def _inline(self, text: str) -> Line:
        return inline(text, self._role)


def _lines(line: Line) -> list[Line]:
    """The line cut at its hard breaks."""
    if not any("\n" in span.text for span in line):
        return [line]
    lines: list[list[Span]] = [[]]
    for span in line:
        head, *rest = span.text.split("\n")
        lines[-1].append(span._replace(text=head))
        lines += [[span._replace(text=part)] for part in rest]
    return [tuple(span for span in one if span.text) for one in lines]
