"""A workspace and the folders outside it where kcode keeps what belongs to it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.folders import state_folder_for
from kcode.workspace import open_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.options import PlaceOptions
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """Where one works, and where what is kept of it lies."""

    workspace: Workspace
    state: Path

    @property
    def key(self) -> str:
        """A folder's name that stands for the workspace's path."""
        return hashlib.sha256(os.fsencode(self.workspace.root)).hexdigest()[:16]

    @property
    def journal(self) -> Path:
        """Where the journal of this workspace is kept."""
        return self.state / "journals" / self.key

    @property
    def git_folder(self) -> Path:
        """Where the private repository lies that stands in for git in a plain folder."""
        return self.state / "git" / self.key

    @property
    def typed(self) -> Path:
        """Where what the user typed here is kept."""
        return self.state / "typed" / self.key


def open_place(options: PlaceOptions) -> Place:
    """Find the workspace and its state folder; WorkspaceError when it is not one to work on."""
    workspace = open_workspace(options.folder, os.environ, allow_anywhere=options.anywhere)
    return Place(workspace, state_folder_for(os.environ, workspace.root))
