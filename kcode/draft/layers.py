"""What both backends of a draft promise: the workspace below, the draft's own files above it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from kcode.draft.files import FileState, Mount


class IgnoredFolders(Protocol):
    def __call__(self, folders: Iterable[str], /) -> set[str]:
        """Of these folders, those that git ignores."""


class Stamp(NamedTuple):
    """Tells, without reading it, that a file is the same as it was; a command cannot forge `changed`, the ctime."""

    mode: int
    size: int
    modified: int
    changed: int
    inode: int


def stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


class Layers(Protocol):
    """A draft's files. Every path is relative and leads through real folders only."""

    def lstat(self, path: str) -> os.stat_result | None:
        """What stands at the path in the draft; None for nothing."""

    def real(self, path: str) -> Path | None:
        """Where the bytes of what stands at the path are; None for nothing."""

    def names(self, folder: str) -> list[str]:
        """What a folder of the draft holds, sorted; empty for what is no folder."""

    def put(self, path: str, state: FileState) -> None:
        """Put a file or link, with the folders above it; what stands there is not a folder that holds files."""

    def delete(self, path: str) -> None:
        """Remove a file or link."""

    def drop_folder(self, path: str) -> None:
        """Remove a folder of which `names` shows nothing."""

    def restore(self, path: str) -> bool:
        """Show the workspace's own file at the path again, live; False where that cannot be done.

        Later processes know of it once `flush` has returned.
        """

    def flush(self) -> None:
        """Put on the disk what is known of the files."""

    def scan(self, ignored_folders: IgnoredFolders) -> dict[str, Stamp | None]:
        """Every file outside ignored folders that may differ from the workspace's; None for one that is gone."""

    def prepare(self) -> None:
        """Make ready for a command."""

    def mount(self) -> Mount:
        """How a command gets to see the draft."""

    def link_ignored(self) -> None:
        """Make the workspace's ignored folders reachable where a command runs in the draft's folder without a mount."""


def holds_files(layers: Layers, path: str) -> bool:
    """True for a folder with anything in it but folders, which is all that git would see, and for a pipe or device."""
    found = layers.lstat(path)
    if found is None or stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
        return False
    if not stat.S_ISDIR(found.st_mode):
        return True
    inside = [f"{path}/{name}" for name in layers.names(path)]
    return any(holds_files(layers, inner) or not is_folder(layers, inner) for inner in inside)


def is_folder(layers: Layers, path: str) -> bool:
    found = layers.lstat(path)
    return found is not None and stat.S_ISDIR(found.st_mode)
