"""Which lines of two texts differ: a line diff that is minimal for small changes and stays fast on any input."""

from __future__ import annotations

import io
from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Up to this many edits a region gets a minimal diff before anything else is tried (about 10 ms).
_FEW_EDITS = 150
# A region without lines that are unique on both sides is walked in windows of this many edits.
_WINDOW = 300
# All walking together: about one second. What is left then becomes one coarse range.
_WORK = 1_200_000
# How far a range may slide in search of a better place to start, as in git's indent heuristic.
_SLIDE = 100


@dataclass(frozen=True, slots=True)
class Range:
    """Lines old[old_from:old_to] became new[new_from:new_to]; counted from 0, at least one side is not empty."""

    old_from: int
    old_to: int
    new_from: int
    new_to: int


def split_lines(data: bytes) -> list[bytes]:
    r"""Lines with their ends, split on \n alone: bytes.splitlines() would also split on \r."""
    return io.BytesIO(data).readlines()


def changed_ranges(old: Sequence[bytes], new: Sequence[bytes]) -> list[Range]:
    """The ranges that differ, in order, with at least one equal line between any two."""
    start = 0
    shorter = min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    ends = 0
    while ends < shorter - start and old[-1 - ends] == new[-1 - ends]:
        ends += 1
    old_end, new_end = len(old) - ends, len(new) - ends
    # A line that the other side does not have cannot be matched, so the search never sees it.
    in_both = set(old[start:old_end]).intersection(new[start:new_end])
    old_at = [i for i in range(start, old_end) if old[i] in in_both]
    new_at = [i for i in range(start, new_end) if new[i] in in_both]
    numbers = {line: number for number, line in enumerate(in_both)}
    search = _Search([numbers[old[i]] for i in old_at], [numbers[new[i]] for i in new_at])
    ranges = []
    old_from, new_from = start, start
    for x, y in search.pairs():
        old_to, new_to = old_at[x], new_at[y]
        if old_to > old_from or new_to > new_from:
            ranges.append(Range(old_from, old_to, new_from, new_to))
        old_from, new_from = old_to + 1, new_to + 1
    if old_end > old_from or new_end > new_from:
        ranges.append(Range(old_from, old_end, new_from, new_end))
    return _slide(ranges, old, new)


@dataclass(slots=True)
class _Search:
    """Finds equal pairs (x, y) of numbers, both sides rising: Myers' walk, patience where that grows too long."""

    old: list[int]
    new: list[int]
    work: int = _WORK
    _old_bytes: bytes = field(init=False)
    _new_bytes: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._old_bytes = array("Q", self.old).tobytes()
        self._new_bytes = array("Q", self.new).tobytes()

    def pairs(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int, int]] = []
        regions = [(0, len(self.old), 0, len(self.new))]
        while regions:
            x, x_end, y, y_end = regions.pop()
            run = self._run(x, y, x_end, y_end)
            if run:
                found.append((x, y, run))
                x, y = x + run, y + run
            while x < x_end and y < y_end and self.old[x_end - 1] == self.new[y_end - 1]:
                x_end, y_end = x_end - 1, y_end - 1
                found.append((x_end, y_end, 1))
            if x == x_end or y == y_end:
                continue
            if self.work > 0:
                end, runs = self._walk((x, x_end, y, y_end), _FEW_EDITS)
                if end == (x_end, y_end):
                    found += runs
                    continue
            anchors = self._anchors(x, x_end, y, y_end)
            if anchors:
                for anchor_x, anchor_y in [*anchors, (x_end, y_end)]:
                    regions.append((x, anchor_x, y, anchor_y))
                    x, y = anchor_x, anchor_y
            elif self.work > 0:
                end, runs = self._walk((x, x_end, y, y_end), _WINDOW)
                found += runs
                regions.append((end[0], x_end, end[1], y_end))
        return [(x + i, y + i) for x, y, run in sorted(found) for i in range(run)]

    def _run(self, x: int, y: int, x_end: int, y_end: int) -> int:
        """How many numbers are equal from (x, y) on."""
        most = min(x_end - x, y_end - y)
        if not most or self.old[x] != self.new[y]:
            return 0
        run, size, growing = 1, 8, True
        while run < most:
            size = min(size, most - run)
            here, there = 8 * (x + run), 8 * (y + run)
            if self._old_bytes[here : here + 8 * size] == self._new_bytes[there : there + 8 * size]:
                run += size
                size = size * 2 if growing else max(size // 2, 1)
            elif size == 1:
                break
            else:
                size, growing = size // 2, False
        return run

    def _walk(
        self, region: tuple[int, int, int, int], edits: int
    ) -> tuple[tuple[int, int], list[tuple[int, int, int]]]:
        """Myers' greedy walk from the region's corner, with at most that many edits.

        Returns the farthest point reached (the far corner if the diff is complete) and the equal runs on the way.
        Row d holds, for each diagonal k = -d, -d + 2 … d, the farthest x that d edits reach; -1 is off the region.
        """
        x0, x_end, y0, y_end = region
        width, height = x_end - x0, y_end - y0
        rows = [[self._run(x0, y0, x_end, y_end)]]
        for d in range(1, min(edits, width + height) + 1):
            self.work -= d
            before, row = rows[-1], []
            for j in range(d + 1):
                k = 2 * j - d
                x = _step(before, j, k, width, height)
                if x >= 0:
                    x += self._run(x0 + x, y0 + x - k, x_end, y_end)
                row.append(x)
                if x == width and x - k == height:
                    rows.append(row)
                    return (x_end, y_end), self._path(rows, j, region)
            rows.append(row)
        d = len(rows) - 1
        j = max(range(d + 1), key=lambda j: 2 * rows[d][j] - (2 * j - d) if rows[d][j] >= 0 else -1)
        x = rows[d][j]
        return (x0 + x, y0 + x - (2 * j - d)), self._path(rows, j, region)

    @staticmethod
    def _path(rows: list[list[int]], j: int, region: tuple[int, int, int, int]) -> list[tuple[int, int, int]]:
        x0, x_end, y0, y_end = region
        runs = []
        for d in range(len(rows) - 1, 0, -1):
            k, x, before = 2 * j - d, rows[d][j], rows[d - 1]
            start = _step(before, j, k, x_end - x0, y_end - y0)
            if x > start:
                runs.append((x0 + start, y0 + start - k, x - start))
            if not (j < d and before[j] == start):
                j -= 1
        if rows[0][0]:
            runs.append((x0, y0, rows[0][0]))
        return runs

    def _anchors(self, x: int, x_end: int, y: int, y_end: int) -> list[tuple[int, int]]:
        """Patience: the longest rising sequence of numbers that are unique on both sides."""
        counts = Counter(self.old[x:x_end])
        others = Counter(self.new[y:y_end])
        where = {number: i for i, number in enumerate(self.new[y:y_end], y) if others[number] == 1}
        tops: list[int] = []
        piles: list[tuple[int, int]] = []
        previous: dict[tuple[int, int], tuple[int, int] | None] = {}
        for i in range(x, x_end):
            number = self.old[i]
            if counts[number] != 1 or number not in where:
                continue
            point = (i, where[number])
            pile = bisect_left(tops, point[1])
            previous[point] = piles[pile - 1] if pile else None
            tops[pile : pile + 1] = [point[1]]
            piles[pile : pile + 1] = [point]
        chain: list[tuple[int, int]] = []
        last = piles[-1] if piles else None
        while last is not None:
            chain.append(last)
            last = previous[last]
        return chain[::-1]


def _step(before: list[int], j: int, k: int, width: int, height: int) -> int:
    """Where diagonal k is entered from the row before: a new line (down) or an old line less (right); -1: nowhere."""
    down = before[j] if j < len(before) else -1
    right = before[j - 1] + 1 if j and before[j - 1] >= 0 else -1
    if down - k > height:
        down = -1
    if right > width:
        right = -1
    return max(down, right)


def _slide(ranges: list[Range], old: Sequence[bytes], new: Sequence[bytes]) -> list[Range]:
    """Move pure insertions and deletions among their equal places to where a reader would say they start."""
    slid: list[Range] = []
    for index, range_ in enumerate(ranges):
        inserted = range_.old_from == range_.old_to
        if not inserted and range_.new_from != range_.new_to:
            slid.append(range_)
            continue
        lines = new if inserted else old
        first, last = (range_.new_from, range_.new_to) if inserted else (range_.old_from, range_.old_to)
        before = slid[-1] if slid else Range(-1, -1, -1, -1)
        after = ranges[index + 1] if index + 1 < len(ranges) else Range(len(old) + 1, 0, len(new) + 1, 0)
        room_up = range_.old_from - before.old_to - 1
        room_down = after.old_from - range_.old_to - 1
        up = 0
        while up < min(room_up, _SLIDE) and lines[first - up - 1] == lines[last - up - 1]:
            up += 1
        down = 0
        while down < min(room_down, _SLIDE) and lines[first + down] == lines[last + down]:
            down += 1
        by = min(range(down, -up - 1, -1), key=lambda n: _awkwardness(lines, first + n, last + n))
        slid.append(Range(range_.old_from + by, range_.old_to + by, range_.new_from + by, range_.new_to + by))
    return slid


def _awkwardness(lines: Sequence[bytes], first: int, last: int) -> tuple[int, int]:
    """Less for a range that starts and ends between blocks: at low indents, after an empty line rather than before."""
    cuts = [_cut(lines, first), _cut(lines, last)]
    return sum(indent for indent, _ in cuts), sum(inside for _, inside in cuts)


def _cut(lines: Sequence[bytes], at: int) -> tuple[int, int]:
    """How deep the first line after the cut is indented, and how far the cut is from the end of a blank stretch."""
    text = next((i for i in range(at, min(at + 20, len(lines))) if lines[i].strip()), None)
    if text is None:
        return 0, 0
    line = lines[text].expandtabs(8)
    inside = 2 if text > at else int(at > 0 and bool(lines[at - 1].strip()))
    return len(line) - len(line.lstrip()), inside
