"""What waits for the user's decision: the draft's proposal, and its way into the user's files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.draft.disk import read_beneath
from kcode.draft.hunks import single_paths
from kcode.draft.journal import apply_changes
from kcode.draft.rebase import Move, Rebased, rebase, settled_bases
from kcode.draft.selection import keys_of
from kcode.errors import StaleError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kcode.draft.draft import Draft
    from kcode.draft.files import Proposal
    from kcode.draft.operations import Operation
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Pending:
    """One workspace's draft, of this session, and the journal that writes what is chosen of it."""

    workspace: Workspace
    draft: Draft
    journal: Path
    session: str = ""

    def rebased(self) -> Rebased:
        """The draft's changes against the user's present files, without those that stand there by now; only a look."""
        return rebase(self.draft.changes(), lambda path: read_beneath(self.workspace.root, path))

    def proposal(self) -> Proposal:
        """What `rebased` proposes."""
        return self.rebased().proposal

    def merge(self) -> Proposal:
        """The same proposal, with the user's own changes merged into the draft, so that tests run over both."""
        return self.merged().proposal

    def merged(self) -> Rebased:
        """What `rebased` finds, merged into the draft where nothing conflicts."""
        found = self.rebased()
        if found.moves:
            self.draft.rebase(found.moves)
        return found

    def settle_conflicts(self, found: Rebased, view: Proposal, decided: Collection[str]) -> None:
        """Have what was decided about conflicts end them, once it is in the draft; see `settled_bases`."""
        moves = [Move(path, base, *[self.draft.read(path)] * 2) for path, base in settled_bases(found, view, decided)]
        if moves:
            self.draft.rebase(moves)

    def apply(self, proposal: Proposal, label: str, *, allowed: Collection[str] = ()) -> Operation:
        """Write the whole of this proposal or part of one; what is left of the draft's changes stays pending.

        StaleError names the files that are not what it was made from, or that conflict with what the user did since;
        ReadOnlyError those that are read-only and not among the `allowed`.
        """
        found = self.rebased()
        conflicts = [
            change.path for change in proposal.changes if not found.proposal.conflicts.isdisjoint(keys_of(change))
        ]
        if conflicts:
            raise StaleError(
                f"{', '.join(conflicts)}: what is proposed conflicts with what you changed there since, so nothing was "
                "written. Edit it (kcode review), reject it, or choose the other hunks."
            )
        changes = single_paths(proposal)
        operation = apply_changes(self.workspace, self.journal, changes, label, allowed=allowed)
        # The base of what is still pending is what was written, not what is there when somebody looks.
        moves = {move.path: move for move in found.moves}
        for change in changes:
            if change.path not in found.unsettled:
                move = moves.get(change.path) or Move(change.path, None, *[self.draft.read(change.path)] * 2)
                moves[change.path] = replace(move, base=change.after)
        self.draft.rebase(moves.values())
        return operation
