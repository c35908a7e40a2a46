"""What waits for the user's decision: the draft's proposal, and its way into the user's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.hunks import propose, single_paths
from kcode.draft.journal import apply_changes

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.draft import Draft
    from kcode.draft.files import Proposal
    from kcode.draft.operations import Operation
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Pending:
    """One workspace's draft, and the journal that writes what is chosen of it."""

    workspace: Workspace
    draft: Draft
    journal: Path

    def proposal(self) -> Proposal:
        """The difference draft - workspace as it is now."""
        return propose(self.draft.changes())

    def apply(self, proposal: Proposal, label: str) -> Operation:
        """Write the whole proposal; StaleError names the files that are not what it was made from."""
        operation = apply_changes(self.workspace, self.journal, single_paths(proposal), label)
        self.draft.rebase_onto_workspace({change.path for change in single_paths(proposal)})
        return operation
