"""Where a Markdown text quotes: in code, behind quotation marks, in a quotation."""

from __future__ import annotations

import re

_TICKS = re.compile("`+")
_TILDES = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(~{3,})")
_INDENTED = re.compile(r" {4}| {0,3}\t")
# Single and double quotation marks that open, in the forms that languages have for them.
OPENING_MARKS = frozenset("'\u2018\u201a\u201c\u201e\u00ab\u2039")
# As much of a line's start as tells what kind of line it is.
_HEAD = 200


class Quotes:
    """Reads a text from its start and knows whether what comes next is quoted; in doubt it is.

    A run of backticks must not be cut by the end of a piece.
    """

    def __init__(self) -> None:
        self._fence = ""
        self._in_mention = False
        self._start_line()

    def _start_line(self) -> None:
        self._head = self._last = ""
        self._ticks = self._marks = 0

    def read(self, text: str) -> None:
        """Go on over this piece."""
        *whole, rest = text.split("\n")
        for line in whole:
            self._extend_line(line)
            self._end_line()
        self._extend_line(rest)

    def mention(self) -> None:
        """Note that a token was quoted here: the rest of the paragraph goes on about it."""
        self._in_mention = not self._fence

    def _extend_line(self, part: str) -> None:
        if not part:
            return
        if len(self._head) < _HEAD:
            self._head = (self._head + part)[:_HEAD]
        for run in _TICKS.findall(part):
            if not self._ticks:
                self._ticks = len(run)
            elif self._ticks == len(run):
                self._ticks = 0
        self._marks += part.count('"')
        self._last = part[-1]

    def _end_line(self) -> None:
        if self._fence:
            if self._closes_fence():
                self._fence = ""
        elif self._ticks >= 3:
            # Also where three backticks stand at the end of a sentence: models open a block so.
            self._fence = "`" * self._ticks
        elif tildes := _TILDES.match(self._head):
            self._fence = tildes[1]
        if not self._head.strip():
            self._in_mention = False
        self._start_line()

    def _closes_fence(self) -> bool:
        marker = self._head.strip()
        return len(self._head) < _HEAD and len(marker) >= len(self._fence) and not marker.strip(self._fence[0])

    @property
    def is_open(self) -> bool:
        """True when what comes next is quoted."""
        if self._fence:
            # K2's tokens follow the text without a line break, so they may stand directly behind a block's end.
            return not self._closes_fence()
        return (
            self._in_mention
            or self._ticks > 0
            or self._marks % 2 == 1
            or self._last in OPENING_MARKS
            or self._head.lstrip(" ").startswith(">")
            or _INDENTED.match(self._head) is not None
            or _TILDES.match(self._head) is not None
        )
