"""Where a text that a model retyped stands in a file: exactly, or as whole lines that differ only in what is harmless."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.tooling import Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
BLANK = " \t" + _SPACES
"""What may stand before, behind and between words: also the spaces that only look like one. None of it ends a line."""
# One and the same to the eye, and what models write for one another. Each stands for one character, so that what was
# matched can be laid over the file's own text character by character.
_LOOKALIKES = {
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f"), '"'),
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(range(0xDC80, 0xDD00), "\ufffd"),
}
# How read_file, search and cat -n put a line's number before it.
_NUMBERED = (re.compile(r" *(\d+)→"), re.compile(r" *(\d+)[:-] "), re.compile(r" *(\d+)\t"))
_LEAST_LETTERS, _MOST_MATCHES = 8, 1000
_LADDER = (Tier.TRAILING, Tier.LOOKALIKES, Tier.INDENT, Tier.BLANKS)


@dataclass(frozen=True, slots=True)
class Windows:
    """The runs of lines (from 1) that `old` matches at a tier, and the lines of `old` and `new` without line numbers."""

    tier: Tier
    starts: list[int]
    old: list[str]
    new: list[str]


@dataclass(frozen=True, slots=True)
class Retyped:
    """An edit's texts as whole lines. `numbered` tells that each line of `old` began with a line number."""

    old: list[str]
    new: list[str]
    numbered: bool


class Ladder:
    """Looks for retyped lines among a file's lines, tier after tier; what it computes for a tier it keeps."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._keys: dict[Tier, str] = {}

    def climb(self, retyped: Retyped) -> Windows | None:
        """The windows of the first tier with any; None when there is none, or too little text to be sure."""
        if sum(len("".join(line.split())) for line in retyped.old) < _LEAST_LETTERS:
            return None
        for tier in (Tier.NUMBERS, *_LADDER) if retyped.numbered else _LADDER:
            if starts := self._find(tier, retyped.old):
                return Windows(tier, starts, retyped.old, retyped.new)
        return None

    def _find(self, tier: Tier, old: Sequence[str]) -> list[int]:
        if tier not in self._keys:
            # A file has few different lines where it has very many.
            keys = {line: to_key(tier, line) for line in set(self._lines)}
            self._keys[tier] = "\n" + "\n".join(map(keys.__getitem__, self._lines)) + "\n"
        whole = self._keys[tier]
        wanted = "\n" + "\n".join(to_key(tier, line) for line in old) + "\n"
        starts: list[int] = []
        line, counted, at = 1, 0, whole.find(wanted)
        while at >= 0 and len(starts) < _MOST_MATCHES:
            line, counted = line + whole.count("\n", counted, at), at
            starts.append(line)
            at = whole.find(wanted, at + 1)
        return starts


def to_key(tier: Tier, line: str) -> str:
    """The same for lines that a tier takes for the same."""
    if tier is Tier.NUMBERS:
        return line
    if tier is not Tier.TRAILING and not line.isascii():
        line = line.translate(_LOOKALIKES)
    if tier in {Tier.TRAILING, Tier.LOOKALIKES}:
        return line.rstrip(BLANK)
    line = line.strip(BLANK)
    return re.sub(r"[ \t]+", " ", line) if tier is Tier.BLANKS else line


def read_retyped(old: str, new: str) -> Retyped:
    r"""An edit's texts as lines, without the line numbers of a tool's output if each line of `old` has one.

    A line end at the end of `old` only ends its last line. Where `new` lacks it, whole lines are meant all the same.
    """
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if len(old_lines) > 1 and not old_lines[-1]:
        old_lines.pop()
        if not new_lines[-1]:
            new_lines.pop()
    for pattern in _NUMBERED:
        plain = _without_numbers(old_lines, pattern, in_sequence=True)
        if plain is not None:
            unnumbered = _without_numbers(new_lines, pattern, in_sequence=False)
            return Retyped(plain, new_lines if unnumbered is None else unnumbered, numbered=True)
    return Retyped(old_lines, new_lines, numbered=False)


def is_part_numbered(retyped: Retyped) -> bool:
    """Whether `old` had line numbers and some lines of `new` still have."""
    patterns = _NUMBERED[:1] if retyped.numbered else ()
    return any(pattern.match(line) for pattern in patterns for line in retyped.new)


def _without_numbers(lines: Sequence[str], pattern: re.Pattern[str], *, in_sequence: bool) -> list[str] | None:
    """The lines without their numbers; None if one has none or, in a sequence, not the number after the last."""
    plain: list[str] = []
    last: int | None = None
    for line in lines:
        found = pattern.match(line)
        if found is None or len(found[1]) > 9 or (in_sequence and last is not None and int(found[1]) != last + 1):
            return None
        last = int(found[1])
        plain.append(line[found.end() :])
    return plain
