"""Fuzzy matching: of many paths or names those that someone means who types a few of their characters."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# So many are looked at closely for one query; of more, those that come first in the given order.
_LIKELY, _UNLIKELY = 300, 700
_CONSECUTIVE, _BOUNDARY, _CAMEL, _IN_NAME, _WHOLE, _START = 12, 10, 7, 8, 40, 20
_FIRST_GAP, _GAP = 5, 1
_SEPARATORS = frozenset("/\\_-. :@#(")


@dataclass(frozen=True, slots=True)
class Match:
    """`index` is the candidate's place in the list; `positions` are the characters of it that were typed."""

    index: int
    score: int
    positions: tuple[int, ...]


class Candidates:
    """Texts to choose from, prepared once for many queries. Of equally good ones the earlier comes first."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        folded = [_folded(text) for text in texts]
        # Each behind a slash, so that what begins a last name is found at once also where there is no folder.
        self._joined = "\n".join(f"/{text}" for text in folded)
        self._starts: list[int] = []
        at = 0
        for text in folded:
            self._starts.append(at)
            at += len(text) + 2

    def rank(self, query: str, most: int = 50) -> list[Match]:
        """The best matches, best first; the first candidates where nothing is typed."""
        wanted = _folded(query)
        if not wanted:
            return [Match(index, 0, ()) for index in range(min(most, len(self.texts)))]
        seen: dict[int, Match] = {}
        for index in self._plausible(wanted):
            if index not in seen:
                found = match(wanted, self.texts[index])
                seen[index] = Match(index, found[0], found[1]) if found else Match(index, 0, ())
        ranked = sorted((one for one in seen.values() if one.positions), key=lambda one: (-one.score, one.index))
        return ranked[:most]

    def _plausible(self, wanted: str) -> Iterator[int]:
        """Candidates that hold the characters in order, the likely ones first and at most so many as can be scored."""
        piece = re.escape(wanted)
        # Beginning the last name, within it, anywhere in one piece, in pieces; all but the last as fast as a plain search.
        in_one = (f"/{piece}(?=[^/\n]*$)", f"{piece}(?=[^/\n]*$)", piece)
        for pattern, most in (*((pattern, _LIKELY) for pattern in in_one), (_in_order(wanted), _UNLIKELY)):
            last = -1
            for found in re.finditer(pattern, self._joined, re.MULTILINE):
                index = bisect_right(self._starts, found.start()) - 1
                if index != last:
                    last, most = index, most - 1  # noqa: PLW2901 - what is left of it
                    yield index
                if most <= 0:
                    break


def _in_order(wanted: str) -> str:
    first, rest = wanted[0], wanted[1:]
    return rf"^/[^\n{_in_class(first)}]*+{re.escape(first)}" + "".join(
        rf"[^\n{_in_class(character)}]*+{re.escape(character)}" for character in rest
    )


def _in_class(character: str) -> str:
    return f"\\{character}" if character in "\\]^-[&|~" else character


def match(wanted: str, text: str) -> tuple[int, tuple[int, ...]] | None:
    """How well the text fits what was typed, which is folded to lower case, and where; None where it does not."""
    folded = _folded(text)
    name = folded.rfind("/", 0, max(len(folded) - 1, 0)) + 1
    best: tuple[int, tuple[int, ...]] | None = None
    for positions in _alignments(wanted, folded, name):
        score = _score(positions, text, name, len(folded))
        if best is None or score > best[0]:
            best = score, positions
    return best


def _alignments(wanted: str, folded: str, name: int) -> Iterator[tuple[int, ...]]:
    """Ways to find the characters in the text; the best of them is near the best of all, and they are few."""
    for start in (name, 0) if name else (0,):
        at = folded.find(wanted, start)
        if at >= 0:
            yield tuple(range(at, at + len(wanted)))
        if (found := _greedy(wanted, folded, start)) is not None:
            yield _tightened(wanted, folded, found)
        if (found := _by_boundaries(wanted, folded, start)) is not None:
            yield found


def _greedy(wanted: str, folded: str, start: int) -> tuple[int, ...] | None:
    positions = []
    at = start - 1
    for character in wanted:
        at = folded.find(character, at + 1)
        if at < 0:
            return None
        positions.append(at)
    return tuple(positions)


def _tightened(wanted: str, folded: str, positions: tuple[int, ...]) -> tuple[int, ...]:
    """The same end, with every character as near to the next as it can be."""
    at = positions[-1]
    found = [at]
    for character in reversed(wanted[:-1]):
        at = folded.rfind(character, 0, at)
        found.append(at)
    return tuple(reversed(found))


def _by_boundaries(wanted: str, folded: str, start: int) -> tuple[int, ...] | None:
    """As initials: every character at the next boundary where it stands, else right behind the one before it."""
    positions: list[int] = []
    at = start - 1
    for character in wanted:
        if positions and folded[at + 1 : at + 2] == character:
            at += 1
        else:
            at = folded.find(character, at + 1)
            while at > 0 and folded[at - 1] not in _SEPARATORS:
                at = folded.find(character, at + 1)
            if at < 0:
                return None
        positions.append(at)
    return tuple(positions)


def _score(positions: tuple[int, ...], text: str, name: int, length: int) -> int:
    score, last = 0, -2
    for at in positions:
        if at == last + 1:
            score += _CONSECUTIVE
        elif last >= 0:
            score -= min(_FIRST_GAP + _GAP * (at - last - 2), 20)
        if at == 0 or text[at - 1] in _SEPARATORS:
            score += _BOUNDARY
        elif text[at].isupper() and not text[at - 1].isupper():
            score += _CAMEL
        if at >= name:
            score += _IN_NAME
        last = at
    if positions[0] == name:
        score += _START
        stem = text.rfind(".", name)
        if len(positions) in {length - name, stem - name if stem > name else -1} and positions[-1] == last:
            score += _WHOLE
    return score - length // 16


def _folded(text: str) -> str:
    """In lower case, character by character, so that places stay what they are; in one line."""
    if text.isascii():
        return text.lower().replace("\n", " ")
    return "".join(low if len(low := one.lower()) == 1 else one for one in text).replace("\n", " ")
