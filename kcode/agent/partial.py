"""Tests over the workspace plus chosen hunks, each run in a draft of its own that is deleted afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.agent.shell import Shell, choose_sandbox
from kcode.draft.draft import open_draft
from kcode.draft.hunks import choose, single_paths
from kcode.draft.materialise import materialise
from kcode.draft.selection import keys_of
from kcode.errors import StaleError
from kcode.folders import make_folder, temporary_folder
from kcode.options import TEST_SECONDS
from kcode.safegit import open_git
from kcode.sanitize import sanitize_names
from kcode.session.store import last_session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from kcode.agent.place import Place
    from kcode.draft.files import Proposal
    from kcode.options import PlaceOptions
    from kcode.results import TestReport
    from kcode.safegit import SafeGit
    from kcode.sandbox import Sandbox
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PartialTests:
    """Runs the project's tests over parts of a proposal. Neither the session's draft nor the user's files are touched.

    Each run starts from the workspace as it is: what an earlier run or the session's own commands built is not seen, so
    no result comes from anything but the chosen hunks. `folder` is kcode's own, on the file system that the sandbox was
    tried on.
    """

    workspace: Workspace
    git: SafeGit
    folder: Path
    sandbox: Sandbox
    test_command: str | None = None

    async def run(
        self,
        proposal: Proposal,
        chosen: Collection[str],
        *,
        target: str = "",
        seconds: float = TEST_SECONDS,
        on_output: Callable[[str], None] | None = None,
    ) -> TestReport:
        """Run the tests over the workspace plus the chosen hunks and paths; of none, over the untouched workspace.

        Raises StaleError and IncompleteError as `materialise` does, StaleError also for what conflicts with the user's own
        changes, and ToolError when no tests are found.
        """
        part = choose(proposal, chosen)
        if part.conflicts:
            clash = [change.path for change in part.changes if not part.conflicts.isdisjoint(keys_of(change))]
            raise StaleError(
                f"{sanitize_names(clash)} changed since the proposal was made, and what is chosen there conflicts with "
                "that, so it cannot be tested. Leave those hunks out."
            )
        with temporary_folder(self.folder, "partial") as folder:
            draft = open_draft(
                self.workspace, self.git, folder / "draft", "overlay" if self.sandbox.overlay else "copy"
            )
            materialise(draft, single_paths(part))
            shell = Shell(self.workspace, folder, folder / "outputs", self.test_command, os.environ)
            shell.sandbox, shell.draft, shell.on_output = self.sandbox, draft, on_output
            report = await shell.run_tests(target, seconds)
        # Both lay in the folder that is gone.
        return replace(report, result=replace(report.result, changed=(), output_name=None))


async def open_partial_tests(place: Place, options: PlaceOptions) -> PartialTests:
    """Find the sandbox for the workspace, and a folder: the last session's, whose proposal it is, if there is one.

    Raises NoSandboxError when commands cannot be isolated and the user did not say that they may run without.
    """
    session = last_session(place.state, place.workspace.root)
    folder = session.folder if session else make_folder(place.state / "tests" / place.key)
    isolate = not options.no_sandbox
    sandbox = await choose_sandbox(folder, place.workspace.root, os.environ, isolate=isolate)
    git = open_git(place.workspace, place.git_folder)
    return PartialTests(place.workspace, git, folder, sandbox, options.test_command)
