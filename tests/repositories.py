"""Repositories and drafts that tests make, and pictures of folders to compare."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.draft.files import EXECUTABLE, REGULAR, FileState, OverlayMount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.draft.draft import Draft
    from kcode.draft.files import Change

Picture = dict[str, tuple[int, bytes, int]]


def git(folder: Path, *args: str) -> str:
    """Run git as a person would, with a name and without anyone's configuration."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    argv = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always", *args]
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, (args, done.stderr)
    return done.stdout.decode("utf-8", "replace")


def write_tree(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def new_repository(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """A repository on the branch `main` with one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    write_tree(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first", "--allow-empty")
    return folder


def picture(folder: Path, *, times: bool = True) -> Picture:
    """Everything below a folder, `.git` too: mode, bytes (a link's target), and the time of the last change."""
    found: Picture = {}
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(parent) / name
            there = path.lstat()
            data = b""
            if path.is_symlink():
                data = os.fsencode(path.readlink())
            elif stat.S_ISREG(there.st_mode):
                data = path.read_bytes()
            found[os.path.relpath(path, folder)] = (there.st_mode, data, there.st_mtime_ns if times else 0)
    return found


def changed_paths(changes: tuple[Change, ...]) -> list[str]:
    return [change.path for change in changes]


def text_file(text: str) -> FileState:
    return FileState(REGULAR, text.encode())


def program(text: str) -> FileState:
    return FileState(EXECUTABLE, text.encode())


def run_over(draft: Draft, script: str) -> str:
    """Run a shell script over the draft, as a command would see it, and return its output; nothing is settled."""
    mount = draft.mount()
    if isinstance(mount, OverlayMount):
        options = f"lowerdir={mount.lower},upperdir={mount.upper},workdir={mount.work},userxattr"
        root = shlex.quote(str(mount.lower))
        script = f"mount -t overlay overlay -o {shlex.quote(options)} {root} && cd {root} && {{ {script}\n}}"
        argv = ["unshare", "-Urm", "--propagation", "private", "sh", "-c", script]
        folder = mount.lower
    else:
        argv, folder = ["sh", "-c", script], mount.source
    done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "surrogateescape")


@cache
def can_mount_overlay() -> bool:
    """An overlay mount in a user namespace works here for the folders that tests make."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
    return done.returncode == 0
