"""A file's change as rows, unified or side by side. Every line of both texts is in them once, some of them folded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kcode.draft.layout import old_index
from kcode.tui.diff.pairing import pair_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from kcode.draft.files import Hunk
    from kcode.tui.diff.pairing import Pair

CONTEXT = 3


class Kind(Enum):
    """What a row shows."""

    FILE = "file"
    HEAD = "head"
    NOTE = "note"
    FOLD = "fold"
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"
    PAIR = "pair"


class Row(NamedTuple):
    """One row. `old` and `new` are places in the two texts, -1 where there is no line; `key` is the hunk's, or "".

    A FOLD stands for `lines` unchanged lines from there on. `note` is the number of a NOTE of its hunk.
    """

    kind: Kind
    key: str = ""
    old: int = -1
    new: int = -1
    lines: int = 1
    note: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows are to be made. `opened` has the old places at which unfolded stretches begin; None: all are.

    `notes` says how many notes a hunk has below its head.
    """

    split: bool = False
    opened: Collection[int] | None = frozenset()
    context: int = CONTEXT


def rows_of(
    hunks: Sequence[Hunk],
    size: int,
    shape: Shape,
    pairs: Callable[[Hunk], Sequence[Pair]],
    notes: Mapping[str, int],
) -> list[Row]:
    """The rows of a text of `size` old lines with these hunks, and the lines around them."""
    rows: list[Row] = []
    old = new = 0
    for number, hunk in enumerate(hunks):
        start = old_index(hunk)
        rows += _unchanged(old, new, start - old, shape, is_first=number == 0, is_last=False)
        new += start - old
        rows.append(Row(Kind.HEAD, hunk.id, start, new))
        rows += [Row(Kind.NOTE, hunk.id, note=note) for note in range(notes.get(hunk.id, 0))]
        rows += _beside(hunk, start, new, pairs(hunk)) if shape.split else _below(hunk, start, new)
        old, new = start + len(hunk.old_lines), new + len(hunk.new_lines)
    rows += _unchanged(old, new, size - old, shape, is_first=not hunks, is_last=True)
    return rows


def pairs_of(hunk: Hunk) -> list[Pair]:
    """Which lines of a hunk belong together."""
    return pair_lines(
        *([line.decode("utf-8", "replace") for line in lines] for lines in (hunk.old_lines, hunk.new_lines))
    )


def _below(hunk: Hunk, old: int, new: int) -> Iterable[Row]:
    for place in range(len(hunk.old_lines)):
        yield Row(Kind.REMOVED, hunk.id, old=old + place)
    for place in range(len(hunk.new_lines)):
        yield Row(Kind.ADDED, hunk.id, new=new + place)


def _beside(hunk: Hunk, old: int, new: int, pairs: Sequence[Pair]) -> Iterable[Row]:
    for pair in pairs:
        yield Row(
            Kind.PAIR,
            hunk.id,
            -1 if pair.old is None else old + pair.old,
            -1 if pair.new is None else new + pair.new,
        )


def _unchanged(old: int, new: int, count: int, shape: Shape, *, is_first: bool, is_last: bool) -> Iterable[Row]:
    head = 0 if is_first else min(shape.context, count)
    tail = 0 if is_last else min(shape.context, count - head)
    folded = count - head - tail
    # A fold in the place of one line would hide it and save nothing.
    if folded < 2 or shape.opened is None or old + head in shape.opened:
        head, folded, tail = count, 0, 0
    for place in range(head):
        yield Row(Kind.SAME, "", old + place, new + place)
    if folded:
        yield Row(Kind.FOLD, "", old + head, new + head, folded)
    for place in range(count - tail, count):
        yield Row(Kind.SAME, "", old + place, new + place)


def places(rows: Iterable[Row]) -> tuple[list[int], list[int]]:
    """The old and the new lines that the rows show or fold, in their order."""
    olds: list[int] = []
    news: list[int] = []
    for row in rows:
        if row.kind is Kind.FOLD or row.kind is Kind.SAME:
            olds += range(row.old, row.old + row.lines)
            news += range(row.new, row.new + row.lines)
        elif row.kind in {Kind.REMOVED, Kind.ADDED, Kind.PAIR}:
            olds += [row.old] * (row.old >= 0)
            news += [row.new] * (row.new >= 0)
    return olds, news
