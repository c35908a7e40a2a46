"""Which old line became which new one within a hunk, and which words of the two differ."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Lines that share less are not one line that was changed: marks on their words would only be noise.
_ALIKE = 0.5
# Beyond so many pairs of lines the n-th old line stands beside the n-th new one.
_MOST_PAIRS = 2_000
_LONGEST_LINE = 1_000
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


class Pair(NamedTuple):
    """The places of an old and a new line in their hunk; None where there is none beside it."""

    old: int | None
    new: int | None


Marks = tuple[tuple[int, int], ...]


def pair_lines(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Old and new lines side by side, each once and in order, those that are most alike together."""
    if not old or not new:
        return [*(Pair(i, None) for i in range(len(old))), *(Pair(None, i) for i in range(len(new)))]
    if len(old) == len(new) or len(old) * len(new) > _MOST_PAIRS:
        return _by_number(len(old), len(new))
    pairs: list[Pair] = []
    done_old = done_new = 0
    for i, j in [*_most_alike(old, new), (len(old), len(new))]:
        pairs += _by_number(i - done_old, j - done_new, done_old, done_new)
        if i < len(old):
            pairs.append(Pair(i, j))
        done_old, done_new = i + 1, j + 1
    return pairs


def _by_number(olds: int, news: int, first_old: int = 0, first_new: int = 0) -> list[Pair]:
    return [
        Pair(first_old + i if i < olds else None, first_new + i if i < news else None) for i in range(max(olds, news))
    ]


def _most_alike(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The pairs of alike lines, rising on both sides, whose likeness is the greatest in all."""
    olds, news = [_words(line) for line in old], [_words(line) for line in new]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    likeness = [[_likeness(a, b) for b in news] for a in olds]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            alike = likeness[i][j]
            paired = alike + best[i + 1][j + 1] if alike >= _ALIKE else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    found = []
    i = j = 0
    while i < len(old) and j < len(new) and best[i][j] > 0:
        if likeness[i][j] >= _ALIKE and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def word_marks(old: str, new: str) -> tuple[Marks, Marks]:
    """The ranges of characters that differ in each of the two lines; none where the lines are too unlike."""
    if old == new or max(len(old), len(new)) > _LONGEST_LINE or _likeness(_words(old), _words(new)) < _ALIKE:
        return (), ()
    olds, news = _TOKEN.findall(old), _TOKEN.findall(new)
    starts, others = _starts(olds), _starts(news)
    gone: list[tuple[int, int]] = []
    come: list[tuple[int, int]] = []
    for kind, i, i_end, j, j_end in SequenceMatcher(None, olds, news, autojunk=False).get_opcodes():
        if kind != "equal":
            gone.append((starts[i], starts[i_end]))
            come.append((others[j], others[j_end]))
    return _joined(gone, old), _joined(come, new)


def _starts(tokens: Sequence[str]) -> list[int]:
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    return starts


def _joined(ranges: Sequence[tuple[int, int]], line: str) -> Marks:
    """Ranges that only blanks keep apart become one, which is easier to read."""
    joined: list[tuple[int, int]] = []
    for start, end in ranges:
        if start == end:
            continue
        if joined and not line[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def _words(line: str) -> Counter[str]:
    return Counter(token for token in _TOKEN.findall(line[:_LONGEST_LINE]) if not token.isspace())


def _likeness(old: Counter[str], new: Counter[str]) -> float:
    """Which part of both lines' words they share, longer words counting for more."""
    total = _weight(old) + _weight(new)
    return 2 * _weight(old & new) / total if total else 0.0


def _weight(words: Counter[str]) -> int:
    return sum(len(word) * count for word, count in words.items())
