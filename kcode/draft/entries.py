"""The journal as a list to be read: what was written when, how much, and whether it still stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kcode.draft.hunks import propose
from kcode.draft.journal import changes_made, operations
from kcode.draft.operations import all_undone, in_force, roots
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kcode.draft.files import Proposal
    from kcode.draft.operations import Operation

    Standing = Literal["in force", "partly undone", "undone", "reversal", "pending", "rolled back"]


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation, and how it stands. `proposal` is what it did; None where its bytes are no longer kept."""

    operation: Operation
    standing: Standing
    proposal: Proposal | None


def read_entries(journal: Path, most: int) -> list[Entry]:
    """The newest operations, the last first."""
    everything = operations(journal)
    standing = standings(everything)
    newest = everything[::-1][:most]
    return [Entry(operation, standing[operation.number], _done_by(journal, operation)) for operation in newest]


def standings(everything: Sequence[Operation]) -> dict[int, Standing]:
    """How each operation stands, by number: an undo or a redo that was carried out is a "reversal"."""
    root = roots(everything)
    active = {root[operation.number] for operation in in_force(everything)}
    partly = {root[operation.number] for operation in all_undone(everything)}

    def standing(operation: Operation) -> Standing:
        if operation.state != "done":
            return operation.state
        if operation.kind != "apply":
            return "reversal"
        if operation.number not in active:
            return "undone"
        return "partly undone" if operation.number in partly else "in force"

    return {operation.number: standing(operation) for operation in everything}


def _done_by(journal: Path, operation: Operation) -> Proposal | None:
    try:
        return propose(changes_made(journal, operation))
    except DraftError:
        return None
