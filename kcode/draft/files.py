"""Files, changes and proposals as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

REGULAR, EXECUTABLE, LINK = 0o100644, 0o100755, 0o120000


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as git would keep it: one of the three modes above, and its bytes (a link's are its target)."""

    mode: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """One path that the draft changed. None means that there is no file; `by` names the tool or command, for people."""

    path: str
    before: FileState | None
    after: FileState | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One group of changed lines. Lines count from 1; a range of length 0 stands after its start line.

    `id` depends only on the path and the lines, so it stays when other hunks are decided.
    """

    id: str
    old_start: int
    old_lines: tuple[bytes, ...]
    new_start: int
    new_lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a proposal. `hunks` is empty for what is decided whole: binary files, links, modes, pure renames."""

    path: str
    old_path: str | None
    before: FileState | None
    after: FileState | None
    hunks: tuple[Hunk, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The difference draft - workspace, in path order.

    `conflicts` are the hunks, by id, and the whole files, by path, that would undo what the user did since.
    """

    changes: tuple[FileChange, ...] = ()
    conflicts: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.changes)


@dataclass(frozen=True, slots=True)
class OverlayMount:
    """Show `upper` over `lower` at lower's own path; `work` is overlayfs's own folder beside upper."""

    lower: Path
    upper: Path
    work: Path


@dataclass(frozen=True, slots=True)
class FolderMount:
    """Show the folder `source` at `target`; each of `linked` (relative paths) shows the target's own, read-only."""

    source: Path
    target: Path
    linked: tuple[str, ...] = ()


Mount = OverlayMount | FolderMount
