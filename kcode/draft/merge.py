"""Three-way merge: what two sides made of one base, joined where they changed other lines.

It joins what `git merge-file` joins: changes that overlap or touch are a conflict, unless both sides made the same of
them. Line ends are not compared, so a file that one side turned to CRLF still merges line by line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.files import LINK, FileState
from kcode.draft.hunks import is_binary
from kcode.draft.linediff import changed_ranges, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that both sides changed: of yours, of the merged text and of the base. Counted from 0, the end not included."""

    yours_from: int
    yours_to: int
    merged_from: int
    merged_to: int
    base_from: int
    base_to: int


@dataclass(frozen=True, slots=True)
class MergedText:
    """Where there is a conflict `data` has the lines of theirs."""

    data: bytes
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class MergedFile:
    """`is_conflict` without `conflicts`: the file cannot be joined line by line, and `state` is theirs."""

    state: FileState | None
    is_conflict: bool = False
    conflicts: tuple[Conflict, ...] = ()


def merge_files(base: FileState | None, yours: FileState | None, theirs: FileState | None) -> MergedFile:
    """What yours becomes with what theirs changed of base. Only texts are joined; all else is one side's or a conflict."""
    if theirs in (base, yours):
        return MergedFile(yours)
    if yours == base:
        return MergedFile(theirs)
    if base is None or yours is None or theirs is None or not all(map(_is_text, (base, yours, theirs))):
        return MergedFile(theirs, is_conflict=True)
    mode = theirs.mode if yours.mode == base.mode else yours.mode
    merged = merge_texts(base.data, yours.data, theirs.data)
    return MergedFile(FileState(mode, merged.data), bool(merged.conflicts), merged.conflicts)


def merge_texts(base: bytes, yours: bytes, theirs: bytes) -> MergedText:
    """Join two sides' changes of base. Each line of yours that theirs did not change keeps its bytes.

    A line from theirs ends as the lines of yours do that stand where it goes.
    """
    marks = [text.startswith(_BOM) for text in (base, yours, theirs)]
    mark = marks[2] if marks[0] == marks[1] else marks[1]
    sides = _Sides(*(split_lines(text.removeprefix(_BOM)) for text in (base, yours, theirs)))
    data, conflicts = sides.join()
    return MergedText((_BOM if mark else b"") + data, conflicts)


def settle_base(base: bytes, yours: bytes, left: Sequence[Conflict]) -> bytes:
    """A base from which yours differs only where a conflict is left, so that the others are none any more."""
    mark = _BOM if yours.startswith(_BOM) else b""
    was, lines = (split_lines(text.removeprefix(_BOM)) for text in (base, yours))
    for conflict in reversed(left):
        lines[conflict.yours_from : conflict.yours_to] = was[conflict.base_from : conflict.base_to]
    return mark + b"".join(lines)


def _is_text(state: FileState) -> bool:
    return state.mode != LINK and not is_binary(state)


@dataclass(slots=True)
class _Sides:
    base: list[bytes]
    yours: list[bytes]
    theirs: list[bytes]

    def join(self) -> tuple[bytes, tuple[Conflict, ...]]:
        base, yours, theirs = (list(map(_without_cr, lines)) for lines in (self.base, self.yours, self.theirs))
        joined: list[bytes] = []
        conflicts = []
        at = shift_yours = shift_theirs = 0
        for region in _regions(_changes(base, yours), _changes(base, theirs)):
            mine, other, from_, to = region.mine, region.other, region.start, region.end
            joined += self._unchanged(at, from_, shift_yours, shift_theirs)
            y_from, t_from = from_ + shift_yours, from_ + shift_theirs
            shift_yours, shift_theirs = shift_yours + (mine or 0), shift_theirs + (other or 0)
            y_to, t_to = to + shift_yours, to + shift_theirs
            start = len(joined)
            if other is None or yours[y_from:y_to] == theirs[t_from:t_to]:
                joined += self.yours[y_from:y_to]
            elif mine is None:
                joined += self._taken(from_, to, y_from, self.theirs[t_from:t_to])
            else:
                joined += self.theirs[t_from:t_to]
                conflicts.append(Conflict(y_from, y_to, start, len(joined), from_, to))
            at = to
        joined += self._unchanged(at, len(base), shift_yours, shift_theirs)
        return b"".join(joined), tuple(conflicts)

    def _unchanged(self, start: int, end: int, shift_yours: int, shift_theirs: int) -> list[bytes]:
        """Lines that are equal on all sides but perhaps for their ends, which are merged as a file's mode is."""
        yours = self.yours[start + shift_yours : end + shift_yours]
        theirs = self.theirs[start + shift_theirs : end + shift_theirs]
        if yours == theirs:
            return yours
        return [t if y == b else y for b, y, t in zip(self.base[start:end], yours, theirs, strict=True)]

    def _taken(self, start: int, end: int, at: int, lines: Sequence[bytes]) -> list[bytes]:
        """Lines of theirs, with the ends that yours has there, if they have those of the base."""
        near = start if start < end else start - 1 if start else end
        if near >= len(self.base):
            return list(lines)
        was, is_ = _end(self.base[near]), _end(self.yours[near - start + at])
        if not was or not is_ or was == is_:
            return list(lines)
        return [line.removesuffix(was) + is_ if _end(line) == was else line for line in lines]


@dataclass(slots=True)
class _Region:
    """Lines of the base that one or both sides changed, and how many lines longer that makes each."""

    start: int
    end: int
    mine: int | None = None
    other: int | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """`start` to `end` is where in the base the change may as well be said to stand, as among equal lines."""

    start: int
    end: int
    growth: int


def _regions(mine: Sequence[_Change], other: Sequence[_Change]) -> list[_Region]:
    """Both sides' changes in order; those that overlap or touch are in one region."""
    regions: list[_Region] = []
    both = [*((change, True) for change in mine), *((change, False) for change in other)]
    for change, is_mine in sorted(both, key=lambda pair: (pair[0].start, pair[0].end)):
        if not regions or change.start > regions[-1].end:
            regions.append(_Region(change.start, change.end))
        region = regions[-1]
        region.end = max(region.end, change.end)
        if is_mine:
            region.mine = (region.mine or 0) + change.growth
        else:
            region.other = (region.other or 0) + change.growth
    return regions


def _changes(old: Sequence[bytes], new: Sequence[bytes]) -> list[_Change]:
    changes = []
    for range_ in changed_ranges(old, new):
        start, end = range_.old_from, range_.old_to
        first, last, lines = range_.new_from, range_.new_to, new
        if first == last:
            first, last, lines = start, end, old
        if range_.old_from == range_.old_to or range_.new_from == range_.new_to:
            up = down = 0
            while up < min(first, start) and lines[first - up - 1] == lines[last - up - 1]:
                up += 1
            while last + down < len(lines) and lines[first + down] == lines[last + down]:
                down += 1
            start, end = start - up, end + down
        changes.append(_Change(start, end, range_.new_to - range_.new_from - (range_.old_to - range_.old_from)))
    return changes


def _without_cr(line: bytes) -> bytes:
    return line[:-2] + b"\n" if line.endswith(b"\r\n") else line


def _end(line: bytes) -> bytes:
    return b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
