"""The draft: the model's copy-on-write view of the workspace, and what it changed."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kcode.draft import disk
from kcode.draft.baseline import Baseline
from kcode.draft.files import Change
from kcode.draft.ignore import IgnoreRules
from kcode.draft.layers import holds_files
from kcode.draft.ledger import Ledger
from kcode.draft.links import resolve_links
from kcode.draft.versions import Versions
from kcode.errors import DraftError
from kcode.folders import make_folder
from kcode.tooling import Entry

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    from kcode.draft.files import FileState, Mount
    from kcode.draft.layers import Layers
    from kcode.draft.rebase import Move
    from kcode.safegit import SafeGit
    from kcode.workspace import Workspace

Backend = Literal["overlay", "copy"]


@dataclass(frozen=True, slots=True)
class SearchPlaces:
    """Where a search finds the draft's files: all of `root` but `leave_out`, and each of `added` (path, real file)."""

    root: Path
    leave_out: frozenset[str]
    added: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Paths, sorted: `unfit` are too large or not readable, `by_tests` are files that only a run of the tests made."""

    unfit: tuple[str, ...] = ()
    by_tests: tuple[str, ...] = ()


def open_draft(workspace: Workspace, git: SafeGit, folder: Path, backend: Backend | None = None) -> Draft:
    """Open the draft in `folder`, a folder of kcode's own, or start one there with this backend.

    Raises DraftError when there is none and no backend was given, when it is another workspace's or backend's, and
    when the folder lies inside the workspace, where the draft would hold itself.
    """
    folder = folder.absolute()
    if folder.resolve().is_relative_to(workspace.root):
        raise DraftError(
            f"The draft's folder {folder} lies inside the workspace {workspace.root}. "
            "Work in a folder below it, or set XDG_STATE_HOME to a place outside."
        )
    stored = disk.read_json(folder / "draft.json")
    if stored is None and backend is None:
        raise DraftError(f"There is no draft in {folder}.")
    with disk.naming_full_disk(folder):
        if stored is None:
            make_folder(folder)
            stored = {"version": 1, "root": str(workspace.root), "backend": backend}
            disk.write_json(folder / "draft.json", stored)
        if (
            not isinstance(stored, dict)
            or stored.get("version") != 1
            or stored.get("backend") not in {"overlay", "copy"}
        ):
            raise DraftError(f"The draft in {folder} was written by another kcode or is damaged. Start a new session.")
        if stored.get("root") != str(workspace.root):
            raise DraftError(f"The draft in {folder} was made for {stored.get('root')}, not for {workspace.root}.")
        if backend not in {None, stored["backend"]}:
            raise DraftError(
                f"The draft in {folder} was made with the {stored['backend']} backend and cannot change to {backend}. "
                "Apply or discard it, and start a new session."
            )
        return Draft(workspace, git, folder, _open_layers(workspace, git, folder, stored["backend"]))


def backend_of(folder: Path) -> Backend | None:
    """How the draft in the folder is kept; None where there is no draft. DraftError when that cannot be read."""
    stored = disk.read_json(folder / "draft.json")
    match stored.get("backend") if isinstance(stored, dict) else None:
        case "overlay":
            return "overlay"
        case "copy":
            return "copy"
    return None


def _open_layers(workspace: Workspace, git: SafeGit, folder: Path, backend: Backend) -> Layers:
    if backend == "overlay":
        from kcode.draft.overlay import Overlay  # noqa: PLC0415 - one of the two is needed

        return Overlay(workspace.root, folder)
    from kcode.draft.copytree import CopyTree  # noqa: PLC0415

    return CopyTree(workspace.root, folder, git)


class Draft:
    """One session's draft. Paths are relative with `/`; bytes that are no UTF-8 are surrogates, as `os.fsdecode` does.

    A path may lead through links that stay inside the workspace; ToolError, worded for the model, for one that leads
    outside or into a `.git`. DraftError when the draft's own folder cannot serve: what was there before still counts.
    """

    def __init__(self, workspace: Workspace, git: SafeGit, folder: Path, layers: Layers) -> None:
        self.workspace, self.folder, self.layers = workspace, folder, layers
        self.generation = 0
        self.versions = Versions(folder)
        self._git = git
        self._rules = IgnoreRules(git, folder / "ignore", self._state)
        self._started = folder / "started"
        baseline = Baseline(folder / "base")
        self._ledger = Ledger(layers, baseline, self._rules, workspace.root, self._started, self.versions)
        self._changes: tuple[int, tuple[Change, ...]] | None = None
        self._shown: tuple[int, set[str]] | None = None

    def resolve(self, path: str, *, follow: bool = False) -> str:
        """The path without links in it, the last name's own link followed only if asked; it need not exist."""
        return resolve_links(self.layers, str(self.workspace.root), path, follow=follow)

    def read(self, path: str) -> FileState | None:
        """The file at the path, or the link itself; None for nothing, a folder and anything else."""
        return self._state(self.resolve(path))

    def _state(self, path: str) -> FileState | None:
        place = self.layers.real(path)
        return disk.read_state(place) if place is not None else None

    def entry(self, path: str) -> Entry | None:
        """What stands at the path, a link not followed; None for nothing."""
        inner = self.resolve(path)
        found = self.layers.lstat(inner)
        return None if found is None else _entry(inner, found)

    def entries(self, folder: str) -> list[Entry]:
        """What a folder holds, sorted by name, without `.git`; empty for what is no folder."""
        inner = self.resolve(folder, follow=True)
        paths = [f"{inner}/{name}" if inner else name for name in self.layers.names(inner)]
        return [_entry(path, found) for path in paths if (found := self.layers.lstat(path)) is not None]

    def files(self, under: str = "") -> list[str]:
        """The files and links below a folder that git does not ignore, sorted."""
        inner = self.resolve(under, follow=True)
        changed, own = self._ledger.changed, self._shown_changes()
        listed = set(self._git.list_files())
        if any(posixpath.basename(path) == ".gitignore" for path in changed):
            listed |= self._rules.newly_shown(self.layers, self._git.list_ignored())
            listed -= self._rules.ignored(listed)
        listed = (listed - changed.keys()) | own
        prefix = f"{inner}/" if inner else ""
        return sorted(path for path in listed if path == inner or path.startswith(prefix))

    def is_ignored(self, path: str) -> bool:
        """True when git ignores the path, so that it never becomes part of the proposal."""
        inner = self.resolve(path)
        return inner in self._rules.ignored({inner})

    def write(self, path: str, state: FileState, by: str) -> None:
        """Put a file or link in the draft, with the folders above it. DraftError where a folder stands."""
        self.change([Change(path, self.read(path), state)], by)

    def remove(self, path: str, by: str) -> None:
        """Remove a file or link. DraftError when there is none."""
        state = self.read(path)
        if state is None:
            raise DraftError(f"There is no file {path} in the draft to remove.")
        self.change([Change(path, state, None)], by)

    def move(self, source: str, target: str, by: str) -> None:
        """Move a file or link. DraftError when there is none, or when something stands at the target."""
        state = self.read(source)
        if state is None:
            raise DraftError(f"There is no file {source} in the draft to move. A folder is moved file by file.")
        if self.entry(target) is not None:
            raise DraftError(f"{target} is there already. Remove it first, or choose another name.")
        self.write(target, state, by)
        self.change([Change(source, state, None)], by)

    def change(self, changes: Iterable[Change], by: str) -> None:
        """Put files and links in the draft, and remove some first, which makes room. DraftError where a folder stands.

        `before` is what the draft showed where the change was made from: what the user saved there since is not undone
        by it. An error leaves the changes undone that were not made yet.
        """
        every = list(changes)
        for made in (False, True):
            group = [
                Change(self.resolve(change.path), change.before, change.after)
                for change in every
                if (change.after is not None) is made
            ]
            for change in group:
                if made and (not change.path or holds_files(self.layers, change.path)):
                    name = change.path or "The workspace"
                    raise DraftError(f"{name} is no file. Give the path of a file, or a new one.")
            if group:
                try:
                    with disk.naming_full_disk(self.folder):
                        self._ledger.change(group, by)
                finally:
                    self.generation += 1

    def mount(self) -> Mount:
        """How a command sees the draft. Ask afresh before each command: `settle` counts from here."""
        with disk.naming_full_disk(self.folder):
            # What is saved from here on the command may not see.
            disk.write_whole(self._started, b"")
            self.layers.prepare()
        return self.layers.mount()

    def settle(self, by: str) -> tuple[str, ...]:
        """Take what a command changed into the draft's changes, and return those paths, sorted.

        A file that the user saved while the command ran keeps the user's version: what the command started from is not
        known, so its change to that file is dropped.
        """
        with disk.naming_full_disk(self.folder):
            changed = self._ledger.settle(by)
        self.generation += bool(changed)
        return changed

    def changes(self) -> tuple[Change, ...]:
        """The difference draft - workspace as it was when each path was first changed, sorted by path.

        What git ignores, what is neither file nor link, and what only the tests left is no part of it.
        """
        if self._changes is None or self._changes[0] != self.generation:
            with disk.naming_full_disk(self.folder):
                self._changes = (self.generation, self._ledger.changes())
        return self._changes[1]

    @property
    def left_out(self) -> LeftOut:
        """What was changed in the draft and is not proposed, beside what git ignores."""
        by_tests = self._ledger.left_by_tests
        return LeftOut(self._ledger.left_out, tuple(sorted(set(by_tests) - self._rules.ignored(by_tests))))

    def before(self, path: str) -> FileState | None:
        """The path's state in the workspace when the draft first changed it; the present one when it did not."""
        return self._ledger.before(self.resolve(path))

    def rebase(self, moves: Iterable[Move]) -> None:
        """Have what the moves say, as after a merge with what the user did meanwhile or after an apply."""
        with disk.naming_full_disk(self.folder):
            self._ledger.rebase(moves)
        self.generation += 1

    def search_places(self) -> SearchPlaces:
        places = ((path, self.layers.real(path)) for path in sorted(self._shown_changes()))
        added = tuple((path, place) for path, place in places if place is not None and not place.is_symlink())
        return SearchPlaces(self.workspace.root, frozenset(self._ledger.changed), added)

    def _shown_changes(self) -> set[str]:
        """The changed files that are there and that git does not ignore; it is asked once a generation."""
        if self._shown is None or self._shown[0] != self.generation:
            own = {path for path, there in self._ledger.changed.items() if there}
            self._shown = (self.generation, own - self._rules.ignored(own))
        return self._shown[1]


def _entry(path: str, found: os.stat_result) -> Entry:
    if stat.S_ISREG(found.st_mode):
        return Entry(path, "file", found.st_size)
    if stat.S_ISLNK(found.st_mode):
        return Entry(path, "link")
    return Entry(path, "folder" if stat.S_ISDIR(found.st_mode) else "other")
