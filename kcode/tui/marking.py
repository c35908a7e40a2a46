"""Marks on a row of the screen: what is selected, what was found, where the cursor is."""

from __future__ import annotations

import re

from kcode.tui.lines import Ground, Line, Role, Span, cut, plain


def on_part(line: Line, start: int, end: int, ground: Ground) -> Line:
    """The characters from `start` up to `end` on that ground."""
    spans: list[Span] = []
    at = 0
    for span in line:
        size = len(span.text)
        first, last = min(max(start - at, 0), size), min(max(end - at, 0), size)
        at += size
        if first >= last:
            spans.append(span)
            continue
        parts = (span.text[:first], span.text[first:last], span.text[last:])
        marked = (
            span._replace(text=parts[0]),
            span._replace(text=parts[1], ground=ground),
            span._replace(text=parts[2]),
        )
        spans += [part for part in marked if part.text]
    return tuple(spans)


def with_found(line: Line, needle: str, margin: int) -> Line:
    """The line with all places marked where the needle stands, in whatever case."""
    for found in re.finditer(re.escape(needle), plain(line)[margin:], re.IGNORECASE) if needle else ():
        line = on_part(line, found.start() + margin, found.end() + margin, Ground.FOUND)
    return line


def with_cursor(line: Line, width: int) -> Line:
    """The line with a bar in the place of its first cell."""
    return (Span("▌", Role.ACCENT), *cut(line, 1, width))
