"""What an undo or a redo would write: what an operation did, or a part of it, taken out of the files as they are by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kcode.draft.files import Change, FileState
from kcode.draft.hunks import choose, propose, single_paths
from kcode.draft.operations import roots
from kcode.draft.rebase import all_keys, rebase
from kcode.draft.selection import select_hunks
from kcode.errors import DraftError, StaleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kcode.draft.files import Proposal
    from kcode.draft.operations import Image, Operation

    StateOf = Callable[[Image | None], FileState | None]


@dataclass(frozen=True, slots=True)
class Reversal:
    """An undo or a redo of `operation`, ready to be shown. `part` is empty for all of it.

    `changes` lead from the present files; `merged` are the paths where that keeps what somebody else did since.
    """

    kind: Literal["undo", "redo"]
    operation: Operation
    part: frozenset[str]
    changes: tuple[Change, ...]
    merged: frozenset[str]

    @property
    def proposal(self) -> Proposal:
        return propose(self.changes)


def changes_of(operation: Operation, state: StateOf) -> list[Change]:
    """What the operation did to each path."""
    return [Change(file.path, state(file.before), state(file.after)) for file in operation.files]


def find_operation(
    candidates: Sequence[Operation], number: int | None, words: Sequence[str], state: StateOf
) -> tuple[Operation, frozenset[str]]:
    """The newest of these operations that the number and the words fit, and the part of it that the words name.

    The number is the operation's own, or that of the apply that it belongs to. The part is empty for all.
    """
    if not words:
        return candidates[-1], frozenset()
    problem: UsageError | None = None
    for operation in reversed(candidates):
        proposal = propose(changes_of(operation, state))
        try:
            chosen = select_hunks(proposal, words)
        except UsageError as error:
            problem = problem or error
            continue
        return operation, frozenset() if chosen == all_keys(proposal) else chosen
    if number is not None and problem is not None:
        raise problem
    raise UsageError(f"{', '.join(words)}: no operation that could be taken back has that. kcode journal lists them.")


def with_number(candidates: Iterable[Operation], operations: Sequence[Operation], number: int) -> list[Operation]:
    root = roots(operations)
    return [operation for operation in candidates if number in {operation.number, root[operation.number]}]


def plan_reversal(
    kind: Literal["undo", "redo"],
    operation: Operation,
    part: frozenset[str],
    state: StateOf,
    present: Mapping[str, FileState | None],
    written: Mapping[str, Image | None],
) -> Reversal:
    """Merge the operation's reverse into the `present` states; `written` is what kcode last wrote at each path.

    StaleError names the files whose later changes would be lost; DraftError says that there is nothing to take back.
    """
    former = _former(operation, part, state)
    back = [Change(change.path, change.after, former[change.path]) for change in changes_of(operation, state)]
    found = rebase(back, present.get)
    if found.unsettled:
        others = len(all_keys(propose(changes_of(operation, state)))) > 1
        raise StaleError(
            f"{', '.join(sorted(found.unsettled))} changed since kcode last wrote, and those changes would be lost. "
            "Nothing was written."
            + (
                f" Others alone: kcode {kind} {operation.number} FILE|HUNK; kcode journal {operation.number} lists them."
                if others
                else ""
            )
        )
    changes = single_paths(found.proposal)
    if not changes:
        raise DraftError(
            f"Nothing is left in your files of operation {operation.number} ({', '.join(operation.paths[:3])}) to take "
            f"back. kcode journal lists the others; kcode {kind} NUMBER takes one of them."
        )
    merged = frozenset(change.path for change in changes if change.before != state(written[change.path]))
    return Reversal(kind, operation, part, changes, merged)


def _former(operation: Operation, part: frozenset[str], state: StateOf) -> dict[str, FileState | None]:
    """What each file would be had the operation not made that part."""
    changes = changes_of(operation, state)
    former = {change.path: change.before for change in changes}
    if part:
        proposal = propose(changes)
        kept = choose(proposal, all_keys(proposal) - part)
        former |= {change.path: change.after for change in single_paths(kept)}
    return former
