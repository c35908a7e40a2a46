"""What waits for the user's decision: the draft's proposal, and its way into the user's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.disk import read_state
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
        """The draft's changes, without those that stand in the workspace by now, as after `git apply`."""
        root = self.workspace.root
        return propose([change for change in self.draft.changes() if read_state(root / change.path) != change.after])

    def apply(self, proposal: Proposal, label: str) -> Operation:
        """Write the whole proposal; StaleError names the files that are not what it was made from."""
        operation = apply_changes(self.workspace, self.journal, single_paths(proposal), label)
        self.draft.rebase_onto_workspace({change.path for change in single_paths(proposal)})
        return operation
