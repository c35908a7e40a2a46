"""A source file's definitions with what stands beside them: imports, and statements between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.context.symbols import Symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

STATEMENTS = "statements"
_LONGEST = 60
_WORD = re.compile(rb"\w")


def with_statements(
    definitions: Sequence[Symbol], lines: Sequence[bytes], comments: tuple[bytes, ...]
) -> tuple[Symbol, ...]:
    """The definitions, and for each stretch of lines between those at the top one of kind `statements` without a name.

    From the first on they are all lines of the file: each at the top reaches over the blank lines and the closing brackets
    that are left below it. The text of a stretch is the start of what it says, without comments, in one line.
    """
    found: list[Symbol] = []
    line = 1
    for one in definitions:
        if one.depth == 0:
            found += _stretch(lines, line, one.start - 1, comments)
        found.append(one)
        line = max(line, one.end + 1)
    end = len(lines) - (not lines[-1])
    found += _stretch(lines, line, end, comments)
    for at in range(len(found) - 1, -1, -1):
        one = found[at]
        if one.depth == 0:
            if one.end < end:
                found[at] = Symbol(one.name, one.kind, one.start, end, 0, one.text)
            end = one.start - 1
    return tuple(found)


def _stretch(lines: Sequence[bytes], first: int, last: int, comments: tuple[bytes, ...]) -> list[Symbol]:
    """The lines from `first` to `last`; none where no word stands in them."""
    said = [told for line in lines[first - 1 : last] if _WORD.search(told := line.strip())]
    if not said:
        return []
    while not _WORD.search(lines[first - 1]):
        first += 1
    code = [line for line in said if not line.startswith(comments)]
    text = b"; ".join((code or said)[:_LONGEST]).replace(b"(; ", b"(")[: 4 * _LONGEST].decode("utf-8", "replace")
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    return [Symbol("", STATEMENTS, first, last, 0, short)]
