"""Which rows of a long stack of blocks are in view: laid out is only what is seen, the rest is estimated."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from kcode.tui.rows import EMPTY, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.blocks import Block

# Blocks that are laid out although none of their rows is in view any more, before the oldest is forgotten.
_KEPT = 300
# Steps of so many screens are walked row by row; beyond that nobody sees where the rows go.
_WALKED = 4


class Place(NamedTuple):
    """A row of a block."""

    block: int
    row: int


class InView(NamedTuple):
    """A row that is seen, and whose it is; below the last block there is none."""

    block: Block | None
    number: int
    row: Row


class Heights:
    """How tall each of many things is, and where each begins."""

    def __init__(self) -> None:
        self._heights: list[int] = []
        self._ends: list[int] = []

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, place: int) -> int:
        return self._heights[place]

    def cut(self, count: int) -> None:
        """Forget all from the `count`th on."""
        del self._heights[count:]
        del self._ends[count:]

    def append(self, height: int) -> None:
        self._heights.append(height)

    def set(self, place: int, height: int) -> None:
        if self._heights[place] != height:
            self._heights[place] = height
            del self._ends[place:]

    def start(self, place: int) -> int:
        """How much stands before it."""
        return self._sums()[place - 1] if place else 0

    @property
    def total(self) -> int:
        return self._sums()[-1] if self._heights else 0

    def at(self, y: int) -> Place:
        """What stands there."""
        place = min(bisect_right(self._sums(), y), len(self._heights) - 1)
        return Place(place, y - self.start(place))

    def _sums(self) -> list[int]:
        known = len(self._ends)
        if known < len(self._heights):
            before = self._ends[-1] if known else 0
            self._ends += list(accumulate(self._heights[known:], initial=before))[1:]
        return self._ends


class Viewport:
    """The part of the stack that is seen: its end as long as it `follows`, else what begins at one place."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._source = blocks
        # As they were when last looked at: between two paintings the stack may have others.
        self._blocks: list[Block] = []
        self.width = 80
        self.height = 24
        self.follows = True
        self._top = Place(0, 0)
        self._heights = Heights()
        # For each block what its height was told from: its number, width and version; None of one that is estimated.
        self._exact: list[tuple[int, int, int] | None] = []
        self._numbers: list[tuple[int, int]] = []
        self._kept: dict[int, Block] = {}

    @property
    def total(self) -> int:
        return self._heights.total

    @property
    def top(self) -> int:
        """How many rows stand above the view."""
        if not self._blocks:
            return 0
        return min(self._heights.start(self._top.block) + self._top.row, max(self.total - self.height, 0))

    def resize(self, width: int, height: int) -> None:
        """Wrap anew; what begins in view stays where it is, or else about the same part of a long block."""
        if width != self.width:
            block, row = self._top
            size = self._heights[block] if self._blocks else 0
            begins = next((place for place in self._places_in_view() if place.row == 0), None)
            above = self._heights.start(begins.block) - self._heights.start(block) - row if begins else 0
            self.width = width
            self.sync(0)
            if self._blocks and not self.follows:
                if begins is not None:
                    self._top = self._walk(begins, -above)
                else:
                    self._top = Place(block, row * self._measure(block) // max(size, 1))
        self.height = height
        self.settle()
        # A view that grew down to the end, or was moved there by what surrounds it, stays at the end.
        self.follows = self.follows or self.top >= self.total - self.height

    def sync(self, changed: int) -> None:
        """Blocks from that place on may be others, or fewer or more."""
        before = self._numbers[changed:]
        known = dict(zip(before, self._exact[changed:], strict=True))
        heights = dict(zip(before, (self._heights[place] for place in range(changed, len(self._heights))), strict=True))
        self._heights.cut(changed)
        del self._exact[changed:], self._numbers[changed:]
        self._blocks[changed:] = self._source[changed:]
        for block in self._blocks[changed:]:
            key = (block.number, block.version)
            exact = known.get(key)
            is_exact = exact is not None and exact[1] == self.width
            self._heights.append(heights[key] if is_exact else block.estimate(self.width))
            self._exact.append(exact if is_exact else None)
            self._numbers.append(key)
        last = max(len(self._blocks) - 1, 0)
        if self._top.block > last:
            self._top = Place(last, 0)

    def settle(self) -> None:
        """Lay out what is seen; what stands at the top stays there while heights above turn out to be others."""
        if not self._blocks:
            self._top = Place(0, 0)
            return
        if self.follows:
            self._show_end()
            return
        height = self._measure(self._top.block)
        self._top = self._walk(Place(self._top.block, min(self._top.row, max(height - 1, 0))), 0)
        below, room = self._top.block, self.height + self._top.row
        while below < len(self._blocks) and room > 0:
            room -= self._measure(below)
            below += 1
        if room > 0:
            self._show_end()

    def scroll_to(self, y: int) -> None:
        """The user wants that row at the top; what is seen moves by as many rows as it should."""
        if not self._blocks:
            return
        step = y - self.top
        self._top = self._walk(self._top, step) if abs(step) <= _WALKED * self.height else self._heights.at(max(y, 0))
        self.follows = False
        self.settle()
        self.follows = self.top >= self.total - self.height

    def scroll_end(self) -> None:
        self.follows = True
        self.settle()

    def show(self, place: Place, *, at: int = 0) -> None:
        """Bring a row into view, `at` rows below the top where it is not seen."""
        self._measure(place.block)
        y = self._heights.start(place.block) + place.row
        if self.top <= y < self.top + self.height:
            return
        self.follows = False
        self._top = self._walk(place, -at)
        self.settle()
        self.follows = self.top >= self.total - self.height

    def keep(self, place: Place) -> None:
        """Stay where the view is, with that row in it, although something in it opens or folds."""
        self.follows = False
        self.settle()
        self.show(place)
        self.follows = self.top >= self.total - self.height

    def in_view(self) -> list[InView]:
        """The rows that are seen, as many as the view is tall."""
        found: list[InView] = []
        place, row = (self._top.block, self._top.row) if self._blocks else (0, 0)
        while place < len(self._blocks) and len(found) < self.height:
            block = self._blocks[place]
            rows = block.rows(self.width)
            last = min(len(rows), row + self.height - len(found))
            found += [InView(block, number, rows[number]) for number in range(row, last)]
            place, row = place + 1, 0
        return found + [InView(None, 0, EMPTY)] * (self.height - len(found))

    def _places_in_view(self) -> list[Place]:
        """The blocks in view with the first of their rows that is."""
        last = self.blocks_in_view()[1]
        return [
            Place(block, self._top.row if block == self._top.block else 0) for block in range(self._top.block, last + 1)
        ]

    def blocks_in_view(self) -> tuple[int, int]:
        """The places of the first and the last block that are seen."""
        return self._top.block, self._heights.at(max(self.top + self.height - 1, 0)).block if self._blocks else 0

    def _show_end(self) -> None:
        place, room = len(self._blocks), self.height
        while place > 0 and room > 0:
            place -= 1
            room -= self._measure(place)
        self._top = Place(place, max(-room, 0))

    def _walk(self, place: Place, step: int) -> Place:
        """The row so many rows further down, or up."""
        block, row = place.block, place.row + step
        while row < 0 and block > 0:
            block -= 1
            row += self._measure(block)
        while row >= (height := self._measure(block)) and block < len(self._blocks) - 1:
            row -= height
            block += 1
        return Place(block, min(max(row, 0), max(height - 1, 0)))

    def _measure(self, place: int) -> int:
        """Lay out a block, and know its height."""
        block = self._blocks[place]
        key = (block.number, self.width, block.version)
        if self._exact[place] != key:
            self._heights.set(place, len(block.rows(self.width)))
            self._exact[place] = key
            self._numbers[place] = (block.number, block.version)
        self._kept.pop(block.number, None)
        self._kept[block.number] = block
        while len(self._kept) > _KEPT + self.height:
            self._kept.pop(next(iter(self._kept))).forget()
        return self._heights[place]
