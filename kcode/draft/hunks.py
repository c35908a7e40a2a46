"""A proposal from the draft's changes, and what a file becomes when only some of its hunks are chosen.

Nothing here applies patch text: a file is always rebuilt from its two texts, so a hunk cannot land in the wrong place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.draft.files import LINK, Change, FileChange, FileState, Hunk, Proposal
from kcode.draft.linediff import changed_ranges, split_lines
from kcode.draft.renames import find_renames

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from kcode.draft.linediff import Range


def propose(changes: Iterable[Change]) -> Proposal:
    """The changes as files with hunks, in path order; a deleted and a new file that are alike become one rename."""
    real = {change.path: change for change in changes if change.before != change.after}
    renames = find_renames(real.values())
    sources = set(renames.values())
    files = []
    for path in sorted(real):
        change = real[path]
        if path in renames:
            source = real[renames[path]]
            files.append(_file_change(replace(change, before=source.before), source.path))
        elif path not in sources:
            files.append(_file_change(change, None))
    return Proposal(tuple(files))


def apply_hunks(change: FileChange, chosen: Collection[str]) -> bytes:
    """The file's bytes with exactly the chosen hunks; a file that is decided whole is chosen by its path.

    Ids of other files are ignored. For a file that is to be deleted b"" means that it is chosen.
    """
    before = change.before.data if change.before else b""
    if change.path in chosen:
        return change.after.data if change.after else b""
    lines = split_lines(before)
    parts: list[bytes] = []
    at = 0
    for hunk in change.hunks:
        first = _index(hunk.old_start, hunk.old_lines)
        parts += lines[at:first]
        parts += hunk.new_lines if hunk.id in chosen else hunk.old_lines
        at = first + len(hunk.old_lines)
    return b"".join(parts + lines[at:])


def split_change(change: FileChange, chosen: Collection[str]) -> tuple[FileChange | None, FileChange | None]:
    """The chosen part of a change, and the rest that follows on it; None for an empty part.

    Hunks keep their ids and get the line numbers of their part. A path in `chosen` stands for the whole file. A rename
    and a change of mode go with the first part. To reject hunks, split by all others and keep the first part.
    """
    taken = [hunk for hunk in change.hunks if hunk.id in chosen]
    if change.path in chosen or (taken and len(taken) == len(change.hunks)):
        return change, None
    if not taken or change.after is None:
        return None, change
    middle = FileState(change.after.mode, apply_hunks(change, chosen))
    first, rest = [], []
    taken_growth = all_growth = 0
    for hunk in change.hunks:
        old = _index(hunk.old_start, hunk.old_lines)
        growth = len(hunk.new_lines) - len(hunk.old_lines)
        if hunk.id in chosen:
            first.append(replace(hunk, new_start=_start(old + taken_growth, hunk.new_lines)))
            taken_growth += growth
        else:
            rest.append(replace(hunk, old_start=_start(old + taken_growth, hunk.old_lines)))
        all_growth += growth
    return (
        replace(change, after=middle, hunks=tuple(first)),
        replace(change, old_path=None, before=middle, hunks=tuple(rest)),
    )


def choose(proposal: Proposal, chosen: Collection[str]) -> Proposal:
    """The part of the proposal that consists of these hunks and paths."""
    parts = (split_change(change, chosen)[0] for change in proposal.changes)
    return Proposal(tuple(part for part in parts if part), proposal.conflicts & frozenset(chosen))


def single_paths(proposal: Proposal) -> tuple[Change, ...]:
    """The proposal as one change for each path, which is how files are written: a rename deletes and creates."""
    changes = []
    for file in proposal.changes:
        if file.old_path is None:
            changes.append(Change(file.path, file.before, file.after, file.by))
        else:
            changes.append(Change(file.old_path, file.before, None, file.by))
            changes.append(Change(file.path, None, file.after, file.by))
    return tuple(changes)


def count_lines(proposal: Proposal) -> tuple[int, int]:
    """Lines added and removed by all hunks."""
    hunks = [hunk for change in proposal.changes for hunk in change.hunks]
    return sum(len(hunk.new_lines) for hunk in hunks), sum(len(hunk.old_lines) for hunk in hunks)


def is_binary(state: FileState) -> bool:
    """Git's rule: a NUL among the first 8000 bytes."""
    return b"\0" in state.data[:8000]


def _file_change(change: Change, old_path: str | None) -> FileChange:
    states = [state for state in (change.before, change.after) if state]
    whole = any(state.mode == LINK or is_binary(state) for state in states)
    hunks = () if whole else _hunks(change)
    return FileChange(change.path, old_path, change.before, change.after, hunks, change.by)


def _hunks(change: Change) -> tuple[Hunk, ...]:
    old = split_lines(change.before.data) if change.before else []
    new = split_lines(change.after.data) if change.after else []
    hunks: list[Hunk] = []
    seen: Counter[bytes] = Counter()
    for range_ in changed_ranges(old, new):
        key = _key(change.path, range_, old, new)
        identity = hashlib.blake2b(key + b"%d" % seen[key], digest_size=6).hexdigest()
        seen[key] += 1
        removed = tuple(old[range_.old_from : range_.old_to])
        added = tuple(new[range_.new_from : range_.new_to])
        hunks.append(
            Hunk(identity, _start(range_.old_from, removed), removed, _start(range_.new_from, added), added),
        )
    return tuple(hunks)


def _key(path: str, range_: Range, old: Sequence[bytes], new: Sequence[bytes]) -> bytes:
    """What a hunk is known by: its path, its lines, and the equal line on each side.

    No decision about another hunk changes those two lines, and they tell most repeated changes of a line apart.
    """
    digest = hashlib.blake2b(path.encode("utf-8", "surrogateescape"))
    for part in (
        old[max(range_.old_from - 1, 0) : range_.old_from],
        old[range_.old_from : range_.old_to],
        new[range_.new_from : range_.new_to],
        old[range_.old_to : range_.old_to + 1],
    ):
        digest.update(b"\0%d\0" % len(part))
        digest.update(b"".join(part))
    return digest.digest()


def _start(index: int, lines: Sequence[bytes]) -> int:
    """The number of the first line; for no lines, of the line that they stand after."""
    return index + 1 if lines else index


def _index(start: int, lines: Sequence[bytes]) -> int:
    return start - 1 if lines else start
