"""Lines that are taken out in one place of a proposal and put in at another."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from kcode.draft.layout import old_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kcode.draft.files import Hunk, Proposal

# Fewer lines, or lines of brackets alone, are alike by chance.
_FEWEST = 3
_SHORTEST = 4
# A line that is taken out in very many places says nothing of where a block came from.
_MOST_PLACES = 50


class Spot(NamedTuple):
    """A line of a file, counted from 0."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Moved:
    """For each line that was moved, where it went to or came from: old lines by `gone`, new ones by `come`."""

    gone: Mapping[Spot, Spot] = field(default_factory=dict)
    come: Mapping[Spot, Spot] = field(default_factory=dict)


class _Run(NamedTuple):
    path: str
    start: int
    lines: tuple[bytes, ...]


def moved_lines(proposal: Proposal) -> Moved:
    """The blocks of at least three telling lines that go from one hunk to another, also between files.

    How far they are indented does not matter.
    """
    removed = [
        _Run(change.old_path or change.path, old_index(hunk), _bare(hunk.old_lines))
        for change in proposal.changes
        for hunk in change.hunks
        if hunk.old_lines
    ]
    where: dict[bytes, list[tuple[_Run, int]]] = defaultdict(list)
    for run in removed:
        for place, line in enumerate(run.lines):
            if _tells(line):
                where[line].append((run, place))
    gone: dict[Spot, Spot] = {}
    come: dict[Spot, Spot] = {}
    for change in proposal.changes:
        for hunk in change.hunks:
            run = _Run(change.path, _new_index(hunk), _bare(hunk.new_lines))
            _match(run, where, gone, come)
    return Moved(gone, come)


def _match(
    run: _Run, where: Mapping[bytes, Sequence[tuple[_Run, int]]], gone: dict[Spot, Spot], come: dict[Spot, Spot]
) -> None:
    at = 0
    while at < len(run.lines):
        places = where.get(run.lines[at], ())
        found = max(
            ((_length(run, at, other, place), other, place) for other, place in places[:_MOST_PLACES]),
            key=lambda one: one[0],
            default=None,
        )
        if found is None or sum(map(_tells, run.lines[at : at + found[0]])) < _FEWEST:
            at += 1
            continue
        length, other, place = found
        for step in range(length):
            here, there = Spot(run.path, run.start + at + step), Spot(other.path, other.start + place + step)
            come[here] = there
            gone.setdefault(there, here)
        at += length


def _length(run: _Run, at: int, other: _Run, place: int) -> int:
    length = 0
    for line, original in zip(run.lines[at:], other.lines[place:], strict=False):
        if line != original:
            break
        length += 1
    return length


def _bare(lines: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(line.strip() for line in lines)


def _tells(line: bytes) -> bool:
    return len(line) >= _SHORTEST and any(65 <= code <= 122 or code > 127 for code in line)


def _new_index(hunk: Hunk) -> int:
    return hunk.new_start - 1 if hunk.new_lines else hunk.new_start
