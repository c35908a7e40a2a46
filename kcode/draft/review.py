"""What the user made of a proposal, as the list of what they did: decided, commented, divided and edited hunks.

Nothing is written here. A file is rebuilt from its two texts, so any hunks that are chosen of a reviewed proposal give
exactly their text. The key of a hunk is its id; what is decided whole (binary files, links, modes) has its path as key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from kcode.draft.files import FileState, Proposal
from kcode.draft.hunks import apply_hunks, choose
from kcode.draft.layout import Layout, lay_out, old_index, renumbered
from kcode.draft.linediff import split_lines
from kcode.draft.selection import keys_of
from kcode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from kcode.draft.baseline import Digest
    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.outcome import Outcome


class Decision(Enum):
    """What the user said of a hunk."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a hunk is divided: behind so many of its old and of its new lines."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Decided:
    keys: tuple[str, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Commented:
    """`told` says that the model has read it."""

    key: str
    text: str
    told: bool = False


@dataclass(frozen=True, slots=True)
class Divided:
    id: str
    cut: Cut


@dataclass(frozen=True, slots=True)
class Edited:
    """The user's own new lines for a hunk."""

    id: str
    lines: tuple[bytes, ...]


Act = Decided | Commented | Divided | Edited


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A file of the draft before and after something was rejected."""

    path: str
    was: Digest
    became: Digest


@dataclass(frozen=True, slots=True)
class Rejection:
    """The keys that were rejected together, and the files of the draft that lost them.

    `bases` are of those that conflicted with what the user had changed: what the draft's file was made from.
    """

    keys: tuple[str, ...]
    files: tuple[TakenOut, ...]
    bases: Mapping[str, Digest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Review:
    """What the user did, in order, since it was last carried out.

    `layouts` has the hunks that files had then; `outcomes` is what became of hunks and the model was not yet told.
    `rejection` is the last one that was carried out, so that it can be taken back. `parts` are the hunks of `layouts` that
    were made by dividing one.
    """

    acts: tuple[Act, ...] = ()
    layouts: Mapping[str, tuple[Layout, ...]] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    rejection: Rejection | None = None
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A proposal as the review leaves it: hunks divided and edited, and what is said of each key.

    `edited` has the lines that were proposed for each edited hunk, `parts` what each divided hunk became, and `paths`
    the file of every key, also of hunks that were divided.
    """

    proposal: Proposal
    decisions: Mapping[str, Decision]
    comments: Mapping[str, str]
    edited: Mapping[str, tuple[bytes, ...]]
    parts: Mapping[str, tuple[str, str]]
    paths: Mapping[str, str]

    def keys(self, decision: Decision) -> frozenset[str]:
        return frozenset(key for key, made in self.decisions.items() if made is decision)

    def leaves(self, key: str) -> tuple[str, ...]:
        """The key, or what became of it by dividing."""
        return tuple(leaf for part in self.parts[key] for leaf in self.leaves(part)) if key in self.parts else (key,)


def decide(review: Review, keys: Iterable[str], decision: Decision) -> Review:
    """Accept, reject or leave open; of several decisions about a key the last one holds."""
    return _with(review, Decided(tuple(sorted(keys)), decision))


def comment(review: Review, key: str, text: str) -> Review:
    """Say something about a hunk or file; an empty text takes the comment back."""
    return _with(review, Commented(key, text.strip()))


def divide(review: Review, hunk: Hunk, cut: Cut) -> Review:
    """Make two hunks of one. UsageError where the cut leaves nothing on one side, or a line without an end inside."""
    if not may_cut(hunk, cut):
        old, new = len(hunk.old_lines), len(hunk.new_lines)
        is_inside = cut.old <= old and cut.new <= new and cut not in {Cut(0, 0), Cut(old, new)}
        why = "a last line without a newline cannot be followed by another" if is_inside else "each part needs a line"
        raise UsageError(
            f"Hunk {hunk.id} cannot be split behind {cut.old} - and {cut.new} + lines: "
            f"it has {old} - and {new} + lines, and {why}."
        )
    return _with(review, Divided(hunk.id, cut))


def edit(review: Review, change: FileChange, hunk: Hunk, lines: Sequence[bytes]) -> Review:
    """Have the user's own lines in place of the hunk's new ones; with the old lines it is rejected instead.

    UsageError for a file that is to be deleted: it goes or stays as a whole.
    """
    if change.after is None:
        raise UsageError("The file is to be deleted, so there are no new lines to edit. Reject it to keep the file.")
    if b"".join(lines) == b"".join(hunk.old_lines):
        return decide(review, [hunk.id], Decision.REJECTED)
    return _with(review, Edited(hunk.id, tuple(split_lines(b"".join(lines)))))


def undo_last(review: Review) -> Review:
    """Take back the last thing that was done; nothing happens when there is none."""
    return replace(review, acts=review.acts[:-1])


def subjects(act: Act) -> tuple[str, ...]:
    """The keys that an act is about."""
    match act:
        case Decided(keys):
            return keys
        case Commented(key):
            return (key,)
        case Divided(identity) | Edited(identity):
            return (identity,)


def may_cut(hunk: Hunk, cut: Cut) -> bool:
    old, new = hunk.old_lines, hunk.new_lines
    if not (0 <= cut.old <= len(old) and 0 <= cut.new <= len(new)):
        return False
    if cut in {Cut(0, 0), Cut(len(old), len(new))}:
        return False
    # Whichever part is chosen, no line may come to stand behind one that has no end.
    open_old = bool(old) and cut.old == len(old) and not old[-1].endswith(b"\n") and cut.new < len(new)
    open_new = bool(new) and cut.new == len(new) and not new[-1].endswith(b"\n") and cut.old < len(old)
    return not open_old and not open_new


def cut_behind(hunk: Hunk, line: int) -> Cut:
    """The cut behind a line of the hunk as it is shown: the old lines first, then the new ones, counted from 1."""
    return Cut(min(line, len(hunk.old_lines)), max(line - len(hunk.old_lines), 0))


def reviewed(proposal: Proposal, review: Review) -> Reviewed:
    """The proposal with the review carried through. What is said of hunks that are no longer there is passed over."""
    laid_out = [lay_out(change, review.layouts.get(change.path, ())) for change in proposal.changes]
    fold = _Fold(laid_out, _conflicts(proposal, laid_out))
    for act in review.acts:
        match act:
            case Decided(keys, decision):
                fold.decide(keys, decision)
            case Commented(key, text):
                fold.comments[key] = text
            case Divided(identity, cut):
                fold.divide(identity, cut)
            case Edited(identity, lines):
                fold.edit(identity, lines)
    return fold.result()


def accepted(view: Reviewed) -> Proposal:
    """What is to be written."""
    return choose(view.proposal, view.keys(Decision.ACCEPTED))


def without_rejected(view: Reviewed) -> Proposal:
    """What the draft is to hold: all but what was rejected."""
    return choose(view.proposal, view.decisions.keys() - view.keys(Decision.REJECTED))


class _Fold:
    """Takes one act after the other; only the files that an act is about are made anew."""

    def __init__(self, changes: Sequence[FileChange], conflicts: set[str]) -> None:
        self.comments: dict[str, str] = {}
        self._conflicts = conflicts
        self._changes = {change.path: change for change in changes}
        self._hunks = {change.path: list(change.hunks) for change in changes}
        self._paths = {key: change.path for change in changes for key in keys_of(change)}
        self._decisions = dict.fromkeys(self._paths, Decision.PENDING)
        self._edited: dict[str, tuple[bytes, ...]] = {}
        self._parts: dict[str, tuple[str, str]] = {}
        self._touched: set[str] = set()

    def decide(self, keys: Collection[str], decision: Decision) -> None:
        for key in keys:
            if key in self._parts:
                self.decide(self._parts[key], decision)
            elif key in self._decisions:
                self._decisions[key] = decision

    def divide(self, identity: str, cut: Cut) -> None:
        place, change = self._find(identity)
        if change is None or change.after is None:
            return
        hunk = self._hunks[change.path][place]
        if not may_cut(hunk, cut):
            return
        first, second = _part_id(hunk.id, cut, 1), _part_id(hunk.id, cut, 2)
        start = old_index(hunk)
        self._hunks[change.path][place : place + 1] = [
            _placed(hunk, first, start, hunk.old_lines[: cut.old], hunk.new_lines[: cut.new]),
            _placed(hunk, second, start + cut.old, hunk.old_lines[cut.old :], hunk.new_lines[cut.new :]),
        ]
        self._parts[identity] = (first, second)
        decision = self._decisions.pop(identity)
        for part in (first, second):
            self._paths[part] = change.path
            self._decisions[part] = decision
            if identity in self._conflicts:
                self._conflicts.add(part)
            if identity in self.comments:
                self.comments[part] = self.comments[identity]
        self._touched.add(change.path)

    def edit(self, identity: str, lines: tuple[bytes, ...]) -> None:
        place, change = self._find(identity)
        if change is None or change.after is None:
            return
        hunks = self._hunks[change.path]
        hunk = hunks[place]
        size = len(split_lines(change.before.data)) if change.before else 0
        ends_file = place == len(hunks) - 1 and old_index(hunk) + len(hunk.old_lines) == size
        fitting = lines if ends_file else _ended(lines, hunk)
        if fitting == hunk.old_lines:
            self._decisions[identity] = Decision.REJECTED
            return
        self._edited.setdefault(identity, hunk.new_lines)
        # What the user writes there is to stand in the place of their own lines, which they saw.
        self._conflicts.discard(identity)
        hunks[place] = replace(hunk, new_lines=fitting)
        self._touched.add(change.path)

    def _find(self, identity: str) -> tuple[int, FileChange | None]:
        path = self._paths.get(identity)
        if path is None or identity not in self._decisions:
            return 0, None
        places = [place for place, hunk in enumerate(self._hunks[path]) if hunk.id == identity]
        return (places[0], self._changes[path]) if places else (0, None)

    def result(self) -> Reviewed:
        changes = [self._rebuilt(change) if path in self._touched else change for path, change in self._changes.items()]
        real = tuple(change for change in changes if change.before != change.after or change.old_path)
        left = {key for change in real for key in keys_of(change)}
        kept = Proposal(real, frozenset(self._conflicts & left))
        return Reviewed(
            kept,
            {key: decision for key, decision in self._decisions.items() if key in left},
            {key: text for key, text in self.comments.items() if text and key in left},
            {key: lines for key, lines in self._edited.items() if key in left},
            self._parts,
            self._paths,
        )

    def _rebuilt(self, change: FileChange) -> FileChange:
        hunks = renumbered(self._hunks[change.path])
        assert change.after is not None  # neither divided nor edited
        whole = replace(change, hunks=hunks)
        return replace(whole, after=FileState(change.after.mode, apply_hunks(whole, {hunk.id for hunk in hunks})))


def _conflicts(proposal: Proposal, laid_out: Sequence[FileChange]) -> set[str]:
    """The keys of what conflicts with the user's own changes, by the ids under which its lines are shown."""
    found: set[str] = set()
    for change, shown in zip(proposal.changes, laid_out, strict=True):
        if change.path in proposal.conflicts:
            found.add(change.path)
        for hunk in change.hunks:
            if hunk.id in proposal.conflicts:
                found |= {one.id for one in shown.hunks if _overlap(one, hunk)}
    return found


def _overlap(one: Hunk, other: Hunk) -> bool:
    start, first = old_index(one), old_index(other)
    return start <= first + len(other.old_lines) and first <= start + len(one.old_lines)


def _with(review: Review, act: Act) -> Review:
    return replace(review, acts=(*review.acts, act))


def _part_id(identity: str, cut: Cut, number: int) -> str:
    return hashlib.blake2b(f"{identity} {cut.old} {cut.new} {number}".encode(), digest_size=6).hexdigest()


def _placed(hunk: Hunk, identity: str, start: int, old: tuple[bytes, ...], new: tuple[bytes, ...]) -> Hunk:
    return replace(hunk, id=identity, old_start=start + 1 if old else start, old_lines=old, new_lines=new)


def _ended(lines: tuple[bytes, ...], hunk: Hunk) -> tuple[bytes, ...]:
    """The lines, the last one with an end like those around it: in the middle of a file another line follows."""
    if not lines or lines[-1].endswith(b"\n"):
        return lines
    near = next((line for line in (*hunk.new_lines, *hunk.old_lines) if line.endswith(b"\n")), b"\n")
    return (*lines[:-1], lines[-1] + (b"\r\n" if near.endswith(b"\r\n") else b"\n"))
