"""A draft that is the workspace plus chosen changes, and nothing else."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kcode.draft import disk
from kcode.draft.layers import holds_files, is_folder
from kcode.draft.manifest import folders_above
from kcode.errors import IncompleteError, StaleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.draft.draft import Draft
    from kcode.draft.files import Change

_BY = "the chosen hunks"


def materialise(draft: Draft, changes: Iterable[Change]) -> None:
    """Make these changes in a draft that nothing was changed in yet.

    Raises StaleError, before anything is changed, when a file of the workspace is not what its change starts from, and
    IncompleteError when the changes cannot stand without others, as a file in a folder that is still a link.
    """
    made = [change for change in changes if change.before != change.after]
    root = draft.workspace.root
    stale = [change.path for change in made if disk.read_beneath(root, change.path) != change.before]
    if stale:
        raise StaleError(
            f"{', '.join(stale[:10])} changed since the proposal was made, so these hunks cannot be tested as they are. "
            "Take your changes back, or leave the hunks of that file out."
        )
    # What is gone makes room: a folder can stand where a file was, and a file where a folder was.
    for is_written in (False, True):
        group = [change for change in made if (change.after is not None) is is_written]
        for change in group:
            _check(draft, change)
        draft.change(group, _BY)
    with disk.naming_full_disk(draft.folder):
        _drop_empty_folders(draft, [change.path for change in made if change.after is None])
    for change in made:
        _drop_byte_code(draft, change.path)


def _drop_empty_folders(draft: Draft, deleted: Iterable[str]) -> None:
    """Remove what the deletions empty, as an apply does: an empty folder can still be imported as a package."""
    above = {folder for path in deleted for folder in folders_above(path)}
    for folder in sorted(above, key=lambda folder: -folder.count("/")):
        if is_folder(draft.layers, folder) and not draft.layers.names(folder):
            draft.layers.drop_folder(folder)


def _check(draft: Draft, change: Change) -> None:
    for folder in folders_above(change.path):
        if draft.layers.lstat(folder) is not None and not is_folder(draft.layers, folder):
            raise IncompleteError(f"{change.path} needs {folder} to be a folder, which other hunks make of it.")
    if change.after is not None and holds_files(draft.layers, change.path):
        raise IncompleteError(f"{change.path} takes the place of a folder that other hunks empty.")


def _drop_byte_code(draft: Draft, path: str) -> None:
    """Hide what Python compiled of the workspace's version.

    It is told by the second of its source's time and its size, which this version may share.
    """
    folder, name = posixpath.split(path)
    cache, stem = posixpath.join(folder, "__pycache__"), name.removesuffix("py")
    if not name.endswith(".py") or not is_folder(draft.layers, cache):
        return
    for compiled in draft.layers.names(cache):
        if compiled.startswith(stem) and compiled.endswith(".pyc"):
            draft.remove(f"{cache}/{compiled}", _BY)
