"""Which way to isolate works here: found out by doing it, best first."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
import re
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.draft.files import FolderMount, OverlayMount
from kcode.errors import SandboxError
from kcode.folders import make_folder, remove_folder
from kcode.results import CommandEnd
from kcode.sandbox.command import run_command
from kcode.sandbox.rungs import Limits, Rung, Sandbox
from kcode.sandbox.surroundings import DEFAULT_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kcode.draft.files import Mount

# Writes, deletes and opens for writing (which makes an overlay copy the file up) in the workspace's view.
_TRIAL = """set -e
echo > "$1"
rm "$1"
if [ -n "$2" ]; then : >> "$2"; fi
"""
_TRIAL_LIMITS = Limits(seconds=10)
_ENTRIES_TRIED = 500
_LARGEST_COPIED = 1 << 20  # a large file would take long, or even fail for its size


async def find_sandbox(probe_folder: Path, workspace_root: Path, environment: Mapping[str, str]) -> Sandbox:
    """Find the best way to isolate commands over this workspace; Rung.NONE when none works.

    `probe_folder` is a folder of kcode's own, on the file system on which drafts will be: what it needs for the trial
    is made in it and removed again. Programs are looked up in the environment's PATH, outside the workspace.
    """
    trial = _make_trial_folder(probe_folder)
    try:
        return await _climb(trial, _resolved(workspace_root), environment)
    finally:
        remove_folder(trial)


def _resolved(folder: Path) -> Path:
    return folder.resolve()


def _make_trial_folder(probe_folder: Path) -> Path:
    trial = make_folder(Path(tempfile.mkdtemp(prefix="probe-", dir=probe_folder.resolve())))
    for name in ("upper", "work", "copy"):
        (trial / name).mkdir(mode=0o700)
    return trial


async def _climb(trial: Path, root: Path, environment: Mapping[str, str]) -> Sandbox:
    overlay = OverlayMount(root, trial / "upper", trial / "work")
    copy = FolderMount(trial / "copy", root)
    touched = _file_to_copy_up(root)
    candidates, reasons = await _candidates(root, environment)
    for candidate in candidates:
        if candidate.overlay:
            reason = await _try(candidate, overlay, touched, environment)
        else:
            reason = await _try(candidate, copy, "", environment)
        if not reason:
            return dataclasses.replace(candidate, reasons=tuple(reasons))
        reasons.append(f"{candidate.name}: {reason}")
    return Sandbox(Rung.NONE, tuple(reasons))


async def _candidates(root: Path, environment: Mapping[str, str]) -> tuple[list[Sandbox], list[str]]:
    """The rungs that this system may have, best first, and why others need not be tried."""
    if sys.platform == "darwin":
        return [Sandbox(Rung.SEATBELT)], []
    if sys.platform != "linux":
        return [], [f"kcode cannot isolate commands on {sys.platform}."]
    program = _find_program("bwrap", root, environment)
    if not program:
        rungs, reasons = [Rung.OVERLAY_NAMESPACES, Rung.NAMESPACES], ["bubblewrap (bwrap) is not installed."]
    else:
        rungs = [Rung.OVERLAY_BWRAP, Rung.BWRAP_OVERLAY, Rung.OVERLAY_NAMESPACES, Rung.BWRAP, Rung.NAMESPACES]
        reasons = []
    version = await _version_of(program) if program else (0, 0)
    return [Sandbox(rung, (), program if "bwrap" in rung.value else "", version) for rung in rungs], reasons


def _find_program(name: str, root: Path, environment: Mapping[str, str]) -> str:
    """A program of the machine: a workspace on the PATH must not bring its own."""
    for folder in environment.get("PATH", DEFAULT_PATH).split(":"):
        if folder.startswith("/") and not Path(os.path.realpath(folder)).is_relative_to(root):
            found = shutil.which(name, path=folder)
            if found:
                return found
    return ""


async def _version_of(program: str) -> tuple[int, int]:
    try:
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), _TRIAL_LIMITS.seconds)
    except (OSError, TimeoutError):
        return (0, 0)
    found = re.search(rb"(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else (0, 0)


async def _try(candidate: Sandbox, mount: Mount, touched: str, environment: Mapping[str, str]) -> str:
    """Why the rung does not work; "" when it does."""
    # The trial needs `rm`, and rather the system's than one of the workspace's.
    environment = {**environment, "PATH": f"{DEFAULT_PATH}:{environment.get('PATH', '')}".rstrip(":")}
    argv = ["/bin/sh", "-c", _TRIAL, "kcode-probe", f".kcode-probe-{os.getpid()}", touched]
    try:
        result = await run_command(candidate, mount, argv, limits=_TRIAL_LIMITS, environment=environment)
    except SandboxError as error:
        return str(error)
    if result.end is CommandEnd.EXITED and result.exit_code == 0:
        return ""
    return " ".join(result.output.split()) or f"the trial ended with {result.exit_code}"


def _file_to_copy_up(root: Path) -> str:
    """A file of the workspace that an overlay may fail to copy: for real root one of another user, else any of ours.

    In a user namespace with one user an overlay cannot give the copy to another.
    """
    user, own = os.geteuid(), ""
    for path, status in itertools.islice(_files(root), _ENTRIES_TRIED):
        if status.st_size > _LARGEST_COPIED:
            continue
        if user == 0 and status.st_uid != user:
            return path
        if not own and status.st_uid == user and status.st_mode & stat.S_IWUSR:
            own = path
    return own


def _files(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    yield str(path), status
