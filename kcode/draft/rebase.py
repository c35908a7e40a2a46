"""A proposal against the user's files as they are by now, when they changed since the draft first changed them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kcode.draft.files import Change, FileState, Proposal
from kcode.draft.hunks import choose, propose
from kcode.draft.merge import MergedFile, merge_files, settle_base
from kcode.draft.renames import find_renames
from kcode.draft.selection import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.merge import Conflict


@dataclass(frozen=True, slots=True)
class Move:
    """A path whose draft starts from `base` from then on, and becomes `merged` if it still is `drafted`."""

    path: str
    base: FileState | None
    drafted: FileState | None
    merged: FileState | None


@dataclass(frozen=True, slots=True)
class Rebased:
    """The proposal against the present files.

    `moved` are the paths that the user changed since, `moves` those of them that merge, `unsettled` those that do not.
    `fresh` are the hunks and whole files that are not line for line what the draft had before. `clashes` tell of each
    path of `unsettled` what it was to begin with, what it is in the user's files, and how the two sides merge.
    """

    proposal: Proposal = field(default_factory=Proposal)
    moved: frozenset[str] = frozenset()
    moves: tuple[Move, ...] = ()
    unsettled: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()
    clashes: Mapping[str, Clash] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clash:
    base: FileState | None
    yours: FileState | None
    merge: MergedFile


def rebase(changes: Iterable[Change], present: Callable[[str], FileState | None]) -> Rebased:
    """Merge what the draft changed with what `present` tells of the same paths; nothing is written.

    A conflict's hunks put the draft's lines in the place of the user's, and are in the proposal's `conflicts`.
    """
    drafted = {change.path: change for change in changes}
    now = {path: present(path) for path in drafted}
    moved = frozenset(path for path, change in drafted.items() if now[path] != change.before)
    if not moved:
        return Rebased(propose(drafted.values()))
    merges = {path: merge_files(change.before, now[path], change.after) for path, change in drafted.items()}
    pairs = _follow_renames(drafted, now, moved, merges)
    changed = (replace(change, before=now[path], after=merges[path].state) for path, change in drafted.items())
    proposal = propose(changed)
    unsettled = {path for path, merge in merges.items() if merge.is_conflict}
    unsettled |= {other for pair in pairs if unsettled.intersection(pair) for other in pair}
    conflicts = frozenset[str]().union(*(_conflicts(change, merges) for change in proposal.changes))
    looked_at = moved.union(*(pair for pair in pairs if moved.intersection(pair)))
    known = all_keys(propose(drafted[path] for path in looked_at))
    touched = [change for change in proposal.changes if moved.intersection((change.path, change.old_path))]
    return Rebased(
        replace(proposal, conflicts=conflicts),
        moved,
        tuple(Move(path, now[path], drafted[path].after, merges[path].state) for path in sorted(looked_at - unsettled)),
        frozenset(unsettled),
        all_keys(Proposal(tuple(touched))) - known,
        {path: Clash(drafted[path].before, now[path], merges[path]) for path in sorted(unsettled)},
    )


def settled_bases(found: Rebased, view: Proposal, decided: Collection[str]) -> Iterator[tuple[str, FileState | None]]:
    """The bases that files in conflict have once the user rejected these keys or wrote their own lines for them.

    `view` is the proposal as the user reviewed it, and its `conflicts` are those that are left. Once a file has none, its
    base is what the user's file is; where some are left, it is that too but for their lines.
    """
    for change in view.changes:
        paths = [path for path in (change.path, change.old_path) if path is not None and path in found.clashes]
        keys = keys_of(change)
        if not paths or keys.isdisjoint(decided):
            continue
        left = [hunk for hunk in change.hunks if hunk.id in view.conflicts]
        if view.conflicts.isdisjoint(keys):
            yield from ((path, found.clashes[path].yours) for path in paths)
        elif len(paths) == 1 and change.old_path is None:
            clash = found.clashes[change.path]
            base, yours, spans = clash.base, clash.yours, clash.merge.conflicts
            open_ = [span for span in spans if any(_touches(hunk, span) for hunk in left)]
            if base is not None and yours is not None and len(open_) < len(spans):
                yield change.path, FileState(yours.mode, settle_base(base.data, yours.data, open_))


def split_conflicts(proposal: Proposal) -> tuple[Proposal, Proposal]:
    """What can be applied, and what conflicts with the user's own changes."""
    if not proposal.conflicts:
        return proposal, Proposal()
    return choose(proposal, all_keys(proposal) - proposal.conflicts), choose(proposal, proposal.conflicts)


def is_part_of(part: Proposal, whole: Proposal) -> bool:
    """Whether every hunk and every file that is decided whole is line for line also in the other proposal."""
    return all_keys(part) <= all_keys(whole)


def all_keys(proposal: Proposal) -> frozenset[str]:
    return frozenset[str]().union(*map(keys_of, proposal.changes))


def _follow_renames(
    drafted: dict[str, Change],
    now: dict[str, FileState | None],
    moved: frozenset[str],
    merges: dict[str, MergedFile],
) -> list[tuple[str, str]]:
    """Carry what the user changed in a file over to its new name; the pairs of names that were looked at."""
    if not any(drafted[path].after is None for path in moved):
        return []
    pairs = []
    for new, old in find_renames(drafted.values()).items():
        if old not in moved or now[old] is None or now[new] is not None:
            continue
        merge = merge_files(drafted[old].before, now[old], drafted[new].after)
        if not merge.is_conflict or merge.conflicts:
            pairs.append((new, old))
            merges[new], merges[old] = merge, MergedFile(None)
    return pairs


def _conflicts(change: FileChange, merges: dict[str, MergedFile]) -> frozenset[str]:
    found = [merges[path] for path in (change.path, change.old_path) if path is not None and merges[path].is_conflict]
    if not found:
        return frozenset()
    spans = [span for merge in found for span in merge.conflicts]
    ids = frozenset(hunk.id for hunk in change.hunks if any(_touches(hunk, span) for span in spans))
    return ids or keys_of(change)


def _touches(hunk: Hunk, span: Conflict) -> bool:
    old = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
    new = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
    return (old <= span.yours_to and old + len(hunk.old_lines) >= span.yours_from) or (
        new <= span.merged_to and new + len(hunk.new_lines) >= span.merged_from
    )
