"""What stands in a file where a model expected something else: evidence for the refusal, never a match."""

from __future__ import annotations

import difflib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from kcode.textfile import cut_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST_LINES_SHOWN = 16
_LIKENESS = 0.6
# Comparing costs about the product of the lengths: beyond these many characters lines are compared whole, beyond these
# many lines one by one, and in a file of more different lines than these none is looked for that is only alike.
_MOST_CHARACTERS, _MOST_COMPARED, _MOST_LINES = 1_000, 300, 20_000


@dataclass(frozen=True, slots=True)
class NearMiss:
    """What stands at `line` instead, and what to do about it; both texts end without a full stop."""

    line: int
    told: str
    step: str


def describe_near_miss(lines: Sequence[str], old: str) -> NearMiss | None:
    """The closest lines to `old` with their numbers, and the first difference; None if nothing is like it.

    White space is made visible where it is among what differs.
    """
    wanted = old.split("\n")
    if len(wanted) > 1 and wanted[-1] == "":
        wanted = wanted[:-1]
    start = closest_window(lines, wanted)
    if start is None:
        return None
    window = list(lines[start : start + len(wanted)])
    first = _first_unlike(window, wanted)
    if first is None:
        return NearMiss(
            start + 1,
            f"It would match at line {start + 1}, but `old` ends with a line end and the file's last line has none",
            "Leave out the line end of `old`",
        )
    show = visible if any(_spaced_differently(*pair) for pair in zip(window, wanted, strict=False)) else str
    low = max(0, min(first - 4, len(window) - _MOST_LINES_SHOWN))
    shown = [cut_line(show(line), 200) for line in window[low : low + _MOST_LINES_SHOWN]]
    width = len(str(start + low + len(shown)))
    numbered = [f"{number:>{width}}→{line}" for number, line in enumerate(shown, start + low + 1)]
    where = _span(start + 1, len(window))
    part = "" if len(shown) == len(window) else f", of which {_span(start + low + 1, len(shown))}"
    told = f"The closest place: {where}{part}:\n" + "\n".join(numbered) + "\n"
    told += _first_difference(window, wanted, first, start, show)
    if part or max(map(len, window)) > 200:
        return NearMiss(start + first + 1, told, f"Read {where} with read_file, and copy `old` from there")
    if show is visible and ("·" in told or "⇥" in told):
        return NearMiss(start + first + 1, told, "Use these lines, writing each · as a space and ⇥ as a tab")
    return NearMiss(start + first + 1, told, "Use these lines")


def _span(first: int, count: int) -> str:
    return f"line {first}" if count == 1 else f"lines {first}-{first + count - 1}"


def _spaced_differently(here: str, there: str) -> bool:
    """Whether two lines differ in the white space at either end or, holding the same words, in between."""
    margins = [(line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]) for line in (here, there)]
    return margins[0] != margins[1] or (here != there and _key(here) == _key(there))


def _first_unlike(window: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The first line that differs; `wanted` may begin and end within a line."""
    for index, (here, there) in enumerate(zip_longest(window, wanted)):
        part_of_line = (index == 0 and here and there and here.endswith(there)) or (
            index == len(wanted) - 1 and here and there and here.startswith(there)
        )
        if here != there and not part_of_line:
            return index
    return None


def closest_window(lines: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The index in `lines` where as many lines as `wanted` has are most like it, or None below a likeness of 0.6."""
    places: dict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        if key := _key(line):
            places[key].append(index)
    votes: Counter[int] = Counter()
    for index, line in enumerate(wanted):
        key = _key(line)
        for place in places.get(key, ())[:50]:
            votes[max(0, place - index)] += len(key)
    starts = [start for start, _ in votes.most_common(5)] or _starts_by_likeness(places, wanted)
    scored = [(_likeness(lines[start : start + len(wanted)], wanted), -start) for start in starts]
    best = max(scored, default=(0.0, 0))
    return -best[1] if best[0] >= _LIKENESS else None


def _starts_by_likeness(places: dict[str, list[int]], wanted: Sequence[str]) -> list[int]:
    """Where the longest wanted line would begin the window, for no line that is wholly there."""
    index = max(range(len(wanted)), key=lambda i: len(wanted[i]))
    key = _key(wanted[index])[:400]
    if not key or len(places) > _MOST_LINES:
        return []
    alike = difflib.get_close_matches(key, [place[:400] for place in places], n=3, cutoff=_LIKENESS)
    return [max(0, at - index) for one in alike for at in places.get(one, ())[:3]]


def _likeness(window: Sequence[str], wanted: Sequence[str]) -> float:
    a, b = "\n".join(window), "\n".join(wanted)
    if len(a) <= _MOST_CHARACTERS and len(b) <= _MOST_CHARACTERS:
        return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()
    ours, theirs = [_key(line) for line in window], [_key(line) for line in wanted]
    if len(theirs) <= _MOST_COMPARED:
        return difflib.SequenceMatcher(None, ours, theirs, autojunk=False).ratio()
    return sum(x == y for x, y in zip(ours, theirs, strict=False)) / len(theirs)


def _key(line: str) -> str:
    return "".join(line.split())


def _first_difference(
    window: Sequence[str], wanted: Sequence[str], first: int, start: int, show: Callable[[str], str]
) -> str:
    here = window[first] if first < len(window) else None
    there = wanted[first] if first < len(wanted) else ""
    if here is None:
        return f"The file ends there; `old` goes on with `{show(cut_line(there, 80))}`"
    column = next((i for i, (a, b) in enumerate(zip_longest(here, there)) if a != b), 0)
    low = max(0, column - 10)
    return (
        f"The first difference is at line {start + first + 1}, column {column + 1}: the file has "
        f"`{_excerpt(show(here), low)}`, `old` has `{_excerpt(show(there), low)}`"
    )


def _excerpt(line: str, low: int) -> str:
    if not line:
        return "(nothing)"
    return ("…" if low else "") + line[low : low + 50] + ("…" if len(line) > low + 50 else "")


def visible(line: str) -> str:
    """Show tabs as ⇥, a CR as ␍, and as · the spaces at either end and in runs; same length, so columns stay."""
    body = line.strip(" ")
    left = len(line) - len(line.lstrip(" "))
    inner = re.sub(" {2,}", lambda run: "·" * len(run[0]), body)
    shown = "·" * left + inner + "·" * (len(line) - left - len(body))
    return shown.replace("\t", "⇥").replace("\r", "␍")
