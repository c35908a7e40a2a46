"""What of the workspace a copy holds, and what it shares with it instead."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kcode.safegit import SafeGit

# A larger ignored folder is build output that a build makes anew, or data that no copy of a draft should hold.
MOST_FILES, MOST_BYTES = 2_000, 32 << 20
# Rebuilt by whatever needs them, and of no use to a command that has only just started.
_CACHES = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".cache", ".nyc_output"}
# Installed by a package manager and only read by builds and tests.
_DEPENDENCIES = {
    *(".venv", "venv", "env", "site-packages", "__pypackages__", ".tox", ".nox", ".eggs", ".direnv", ".pixi"),
    *("node_modules", "bower_components", "jspm_packages", "vendor", ".bundle", "Pods", "Carthage", "elm-stuff"),
}


@dataclass(frozen=True, slots=True)
class Inventory:
    """Paths of the workspace. Of `files` those below a folder of `copied` are ignored; `linked` are shared."""

    files: tuple[str, ...]
    copied: tuple[str, ...]
    linked: tuple[str, ...]


def take_inventory(git: SafeGit) -> Inventory:
    """Everything that git does not ignore is copied; what it ignores only if it is a small file or folder.

    Shared are dependency folders, ignored files that are larger than a draft's may be, and `.git`. Caches and large
    folders are in none of the three.
    """
    root = git.work_tree
    files: list[str] = list(git.list_files())
    copied: list[str] = []
    linked = [".git"] if os.path.lexists(root / ".git") else []
    for path in _outermost(git.list_ignored()):
        name = path.rstrip("/")
        found = disk.lstat(root / name)
        if not path.endswith("/"):
            (linked if found is not None and found.st_size > disk.LARGEST else files).append(name)
        elif _is_dependency(root, name):
            linked.append(name)
        elif not _is_cache(name):
            held = _hold(root, name)
            linked += held.linked
            files += held.files
            copied += held.copied
    return Inventory(tuple(files), tuple(copied), tuple(sorted(linked)))


def _outermost(ignored: tuple[str, ...]) -> Iterator[str]:
    """Git names both a folder in which everything is ignored and, unless a rule names the folder, all in it."""
    within = "\0"
    for path in sorted(ignored):
        if not path.startswith(within):
            within = path if path.endswith("/") else within
            yield path


def _is_cache(path: str) -> bool:
    return path.rpartition("/")[2] in _CACHES


def _is_dependency(root: Path, path: str) -> bool:
    by_name = path.rpartition("/")[2] in _DEPENDENCIES or f"/{path}".endswith("/vendor/bundle")
    return by_name or os.path.lexists(root / path / "pyvenv.cfg")


def _hold(root: Path, top: str) -> Inventory:
    """The files of an ignored folder, none of them if they are too many, and the dependency folders in it."""
    files: list[str] = []
    linked: list[str] = []
    size = 0
    folders = [top]
    while folders:
        folder = folders.pop()
        for entry in _entries(root / folder):
            path = f"{folder}/{entry.name}"
            found = disk.lstat(entry.path)
            if found is None:
                continue
            if not stat.S_ISDIR(found.st_mode):
                files.append(path)
                size += found.st_size
            elif _is_dependency(root, path):
                linked.append(path)
            elif not _is_cache(path) and entry.name != ".git":
                folders.append(path)
            if len(files) > MOST_FILES or size > MOST_BYTES:
                return Inventory((), (), ())
    return Inventory(tuple(sorted(files)), (top,), tuple(linked))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []
