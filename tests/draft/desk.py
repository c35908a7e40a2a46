"""A workspace with a journal beside it, for the tests of the journal and of what crashes leave."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.journal import apply_changes, redo, undo
from kcode.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.operations import Operation


def text(data: bytes, mode: int = REGULAR) -> FileState:
    return FileState(mode, data)


def look(root: Path) -> dict[str, Any]:
    """Every name below root with its kind, permissions and bytes."""
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))  # noqa: PTH115
        elif path.is_dir():
            found[name] = ("folder", path.stat().st_mode & 0o7777)
        else:
            found[name] = ("file", path.stat().st_mode & 0o7777, path.read_bytes())
    return found


class Desk:
    """A workspace with its journal beside it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "work"
        self.root.mkdir()
        self.workspace = Workspace(self.root.resolve())
        self.journal = folder / "journal"

    def write(self, path: str, data: bytes, permissions: int = 0o644) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        file.chmod(permissions)
        return file

    def apply(self, *changes: Change) -> Operation:
        return apply_changes(self.workspace, self.journal, changes, "a test")

    def undo(self) -> Operation:
        return undo(self.workspace, self.journal)

    def redo(self) -> Operation:
        return redo(self.workspace, self.journal)


def everything(desk: Desk) -> list[Change]:
    """One change of each kind, with the files that they start from."""
    desk.write("edit.py", b"old\r\n", 0o640)
    desk.write("gone/deep/old.py", b"gone\n")
    desk.write("run.sh", b"#!/bin/sh\n")
    desk.write("linked", b"one inode, longer than what it becomes\n")
    (desk.root / "twin").hardlink_to(desk.root / "linked")
    desk.write("becomes_folder", b"file\n")
    desk.write("becomes_file/inner", b"inner\n", 0o600)
    (desk.root / "pointer").symlink_to("edit.py")
    desk.write("bystander", b"not ours\n")
    return [
        Change("edit.py", text(b"old\r\n"), text(b"new\r\n")),
        Change("gone/deep/old.py", text(b"gone\n"), None),
        Change("made/deep/new.py", None, text(b"new\n")),
        Change("run.sh", text(b"#!/bin/sh\n"), text(b"#!/bin/sh\n", EXECUTABLE)),
        Change("linked", text(b"one inode, longer than what it becomes\n"), text(b"still one inode\n")),
        Change("becomes_folder", text(b"file\n"), None),
        Change("becomes_folder/inner", None, text(b"in a folder\n", EXECUTABLE)),
        Change("becomes_file/inner", text(b"inner\n"), None),
        Change("becomes_file", None, text(b"a file\n")),
        Change("pointer", FileState(LINK, b"edit.py"), FileState(LINK, b"run.sh")),
        Change("new_pointer", None, FileState(LINK, b"no/where")),
    ]
