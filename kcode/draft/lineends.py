"""Writing edits into a file that holds CRLF: every line that did not change keeps its own line end."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from kcode.draft.linediff import changed_ranges
from kcode.draft.original import replace_lines, to_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.original import Original, Place


def with_line_ends(base: Original, places: Sequence[Place]) -> str:
    """The new text as it is written, for places in order that do not overlap."""
    raw, crlf = base.file.raw, [match.start() for match in re.finditer("\r\n", base.file.raw)]
    # In `text` each CRLF is one character shorter, so the offsets of its LFs there are these.
    in_text = [at - index for index, at in enumerate(crlf)]

    def in_raw(offset: int) -> int:
        return offset + bisect_right(in_text, offset - 1)

    mixed, usual = base.file.is_mixed, base.file.line_end
    # In a file that holds both kinds the whole lines around a place tell which of its line ends are new.
    written = replace_lines(base.text, places) if mixed else [(place.start, place.end, place.new) for place in places]
    pieces, done = [], 0
    for start, end, new in written:
        first, last = in_raw(start), in_raw(end)
        pieces.append(raw[done:first])
        if mixed:
            pieces.append(_merge(raw[first:last], new, _end_above(raw, first) or usual))
        else:
            pieces.append(new.replace("\n", "\r\n"))
        done = last
    pieces.append(raw[done:])
    return "".join(pieces)


def _end_above(raw: str, start: int) -> str:
    """The line end nearest above the offset; "" when the first line goes that far."""
    at = raw.rfind("\n", 0, start)
    return "" if at < 0 else _end_of(raw[max(0, at - 1) : at])


def _merge(raw_old: str, new_text: str, last: str) -> str:
    """The new lines for a file that holds both kinds: one ends as the line that it replaces or, `last`, follows."""
    old_ends = [_end_of(line) for line in raw_old.split("\n")[:-1]]
    new = new_text.split("\n")
    old_lines, new_lines = to_lines(raw_old.replace("\r\n", "\n")), to_lines(new_text)
    ends: list[str] = []
    done = 0
    for change in changed_ranges(old_lines, new_lines):
        ends += old_ends[done : change.old_from]
        last = ends[-1] if ends else last
        for index in range(change.new_to - change.new_from):
            if change.old_from + index < min(change.old_to, len(old_ends)):
                last = old_ends[change.old_from + index]
            ends.append(last)
        done = change.old_to
    ends += old_ends[done:]
    return "".join(line + end for line, end in zip(new[:-1], ends, strict=False)) + new[-1]


def _end_of(line: str) -> str:
    return "\r\n" if line.endswith("\r") else "\n"
