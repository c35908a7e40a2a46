"""A workspace with a draft, a home around it, and a sandbox to run commands in."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kcode.draft.files import FolderMount, Mount, OverlayMount
from kcode.sandbox import Limits, Rung, Sandbox, run_command

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.results import CommandResult

ISOLATED = (Rung.OVERLAY_BWRAP, Rung.BWRAP_OVERLAY, Rung.OVERLAY_NAMESPACES, Rung.BWRAP, Rung.NAMESPACES)


@dataclass(frozen=True)
class Place:
    """A workspace with a draft, and the sandbox to run commands in. `home` is the user's, `outside` a sibling."""

    sandbox: Sandbox
    mount: Mount
    root: Path
    home: Path
    environment: dict[str, str]

    @property
    def drafted(self) -> Path:
        """Where a file that a command wrote is found."""
        return self.mount.upper if isinstance(self.mount, OverlayMount) else self.mount.source

    async def start(self, *argv: str, seconds: float = 20, **options: Any) -> CommandResult:
        given: dict[str, Any] = {"limits": Limits(seconds=seconds), "environment": self.environment} | options
        return await run_command(self.sandbox, self.mount, argv, **given)

    def run(self, *argv: str, **options: Any) -> CommandResult:
        return asyncio.run(self.start(*argv, **options))

    def sh(self, script: str, **options: Any) -> CommandResult:
        return self.run("/bin/sh", "-c", script, **options)

    def python(self, script: str, *arguments: str, **options: Any) -> CommandResult:
        return self.run(sys.executable, "-c", script, *arguments, **options)

    def with_environment(self, **variables: str) -> Place:
        return replace(self, environment=self.environment | variables)


def make_place(sandbox: Sandbox, folder: Path) -> Place:
    home, root, state = folder / "home", folder / "home" / "work", folder / "home" / ".local" / "state" / "kcode"
    for made in (root, state):
        made.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "kept.txt").write_text("kept\n")
    (root / "folder").mkdir()
    (root / "folder" / "inner.txt").write_text("inner\n")
    draft = state / "draft"
    draft.mkdir()
    mount: Mount
    if sandbox.overlay:
        mount = OverlayMount(root, draft / "upper", draft / "work")
        mount.upper.mkdir()
        mount.work.mkdir()
    else:
        mount = FolderMount(draft / "copy", root, (".git",))
        shutil.copytree(root, mount.source, ignore=shutil.ignore_patterns(".git"))
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return Place(sandbox, mount, root, home, environment)
