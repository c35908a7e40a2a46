"""The hunks of a file as the user last saw them, so that a diff made anew shows the same ones by the same ids."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.draft.linediff import split_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kcode.draft.files import FileChange, FileState, Hunk

# Of one file: the texts before and after a decision is carried out, whichever of them a crash leaves.
_KEPT = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One hunk: how many lines it takes out and puts in, where its old lines start (from 0), and a digest of both."""

    id: str
    old_from: int
    old_count: int
    new_count: int
    lines: str


@dataclass(frozen=True, slots=True)
class Layout:
    """All hunks between two texts, which are named by their digests."""

    before: str
    after: str
    parts: tuple[Part, ...]


Layouts = dict[str, tuple[Layout, ...]]


def layout_of(change: FileChange) -> Layout:
    parts = tuple(
        Part(
            hunk.id,
            old_index(hunk),
            len(hunk.old_lines),
            len(hunk.new_lines),
            _digest_of(hunk.old_lines, hunk.new_lines),
        )
        for hunk in change.hunks
    )
    return Layout(_name(change.before), _name(change.after), parts)


def remember(layouts: Mapping[str, tuple[Layout, ...]], change: FileChange) -> Layouts:
    """The layouts with this one as the newest of its path."""
    new = layout_of(change)
    others = [known for known in layouts.get(change.path, ()) if (known.before, known.after) != (new.before, new.after)]
    return {**layouts, change.path: (*others, new)[-_KEPT:]}


def lay_out(change: FileChange, known: Sequence[Layout]) -> FileChange:
    """The change with the hunks that were seen before.

    Between the same two texts they are exactly those. Else a hunk with the same lines keeps its id, and one that is
    made of the lines of several is divided as it was.
    """
    if not known or not change.hunks:
        return change
    names = (_name(change.before), _name(change.after))
    exact = next((layout for layout in reversed(known) if (layout.before, layout.after) == names), None)
    hunks = _cut_exactly(change, exact) if exact else _carry_over(change.hunks, known[-1].parts)
    return replace(change, hunks=tuple(hunks))


def old_index(hunk: Hunk) -> int:
    """Where the hunk's old lines start, counted from 0."""
    return hunk.old_start - 1 if hunk.old_lines else hunk.old_start


def renumbered(hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """The hunks, in order, with the new line numbers that follow from their old ones when all are chosen."""
    found = []
    growth = 0
    for hunk in hunks:
        start = old_index(hunk) + growth
        found.append(replace(hunk, new_start=start + 1 if hunk.new_lines else start))
        growth += len(hunk.new_lines) - len(hunk.old_lines)
    return tuple(found)


def _cut_exactly(change: FileChange, layout: Layout) -> Sequence[Hunk]:
    old = split_lines(change.before.data) if change.before else []
    new = split_lines(change.after.data) if change.after else []
    found: list[Hunk] = []
    growth = 0
    blank = change.hunks[0]
    for part in layout.parts:
        first = part.old_from + growth
        removed = tuple(old[part.old_from : part.old_from + part.old_count])
        added = tuple(new[first : first + part.new_count])
        start = part.old_from + 1 if removed else part.old_from
        found.append(replace(blank, id=part.id, old_start=start, old_lines=removed, new_lines=added))
        growth += part.new_count - part.old_count
    return renumbered(found)


def _carry_over(fresh: Sequence[Hunk], parts: Sequence[Part]) -> list[Hunk]:
    places = {part.id: place for place, part in enumerate(parts)}
    # First those that the id finds: of hunks with equal lines it tells which is which.
    claimed = {
        places[hunk.id] for hunk in fresh if hunk.id in places and _matched(hunk, parts, places[hunk.id], set()) == 1
    }
    taken = {parts[place].id for place in claimed}
    found: list[tuple[Hunk, bool]] = []
    at = 0
    for hunk in fresh:
        if hunk.id in taken:
            at = max(at, places[hunk.id] + 1)
            found.append((hunk, True))
            continue
        place = next((p for p in range(at, len(parts)) if _matched(hunk, parts, p, claimed)), None)
        if place is None:
            found.append((hunk, False))
            continue
        count = _matched(hunk, parts, place, claimed)
        found += [(part, True) for part in _divided(hunk, parts[place : place + count])]
        at = place + count
    return _with_unique_ids(found)


def _matched(hunk: Hunk, parts: Sequence[Part], place: int, claimed: set[int]) -> int:
    """How many parts from `place` on the hunk is exactly made of; 0 when it is not."""
    old = new = 0
    for count, part in enumerate(parts[place:], 1):
        removed = hunk.old_lines[old : old + part.old_count]
        added = hunk.new_lines[new : new + part.new_count]
        if place + count - 1 in claimed or _digest_of(removed, added) != part.lines:
            return 0
        old, new = old + part.old_count, new + part.new_count
        if old == len(hunk.old_lines) and new == len(hunk.new_lines):
            return count
    return 0


def _divided(hunk: Hunk, parts: Sequence[Part]) -> list[Hunk]:
    found = []
    old, new, first, new_first = 0, 0, old_index(hunk), hunk.new_start - (1 if hunk.new_lines else 0)
    for part in parts:
        removed = hunk.old_lines[old : old + part.old_count]
        added = hunk.new_lines[new : new + part.new_count]
        start, new_start = first + old + bool(removed), new_first + new + bool(added)
        found.append(
            replace(hunk, id=part.id, old_start=start, old_lines=removed, new_start=new_start, new_lines=added)
        )
        old, new = old + part.old_count, new + part.new_count
    return found


def _with_unique_ids(hunks: Sequence[tuple[Hunk, bool]]) -> list[Hunk]:
    """A hunk that was not seen before gives way where its id is another one's."""
    seen = {hunk.id for hunk, is_known in hunks if is_known}
    found: list[Hunk] = []
    for hunk, is_known in hunks:
        identity = hunk.id
        while not is_known and identity in seen:
            identity = hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()
        seen.add(identity)
        found.append(replace(hunk, id=identity))
    return found


def _digest_of(removed: Sequence[bytes], added: Sequence[bytes]) -> str:
    digest = hashlib.blake2b(b"%d\0" % len(removed), digest_size=12)
    digest.update(b"".join(removed))
    digest.update(b"\0")
    digest.update(b"".join(added))
    return digest.hexdigest()


def _name(state: FileState | None) -> str:
    return "" if state is None else hashlib.sha256(state.data).hexdigest()
