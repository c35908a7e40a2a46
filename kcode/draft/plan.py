"""What an operation would do to which file, and why it may not: everything that is checked before the first write."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.draft.files import LINK
from kcode.draft.gitformat import is_git_folder
from kcode.draft.operations import Folder
from kcode.draft.placement import look, with_mode
from kcode.draft.renames import find_renames
from kcode.errors import DraftError, ReadOnlyError, RefusedError, StaleError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from kcode.draft.files import Change, FileState
    from kcode.draft.operations import Operation
    from kcode.draft.placement import Found
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Target:
    """One file of an operation: where it really is, what is there, and what is to be there, with which permissions."""

    path: str
    real: str
    found: Found
    before: FileState | None
    after: FileState | None
    permissions: int | None

    @property
    def in_place(self) -> bool:
        """Whether a rename would tear the file from its hard links or its owner."""
        foreign = self.found.owner != os.geteuid() != 0
        stays_file = self.found.kind == "file" and self.after is not None and self.after.mode != LINK
        return stays_file and (self.found.links > 1 or foreign)


def plan_changes(workspace: Workspace, changes: Iterable[Change], allowed: Collection[str] = ()) -> list[Target]:
    """Targets for what the user chose. StaleError, RefusedError or DraftError if any of them cannot be.

    `allowed` are the read-only files that may be written.
    """
    targets = []
    real_changes = [change for change in changes if change.before != change.after]
    links = {change.path for change in real_changes if _is_link(change.before) and change.after is None}
    for change in real_changes:
        with readable(change.path):
            real = _resolve(workspace, change, links)
            found = look(workspace.root, real)
        permissions = None
        if found.kind == "file" and change.after and change.after.mode != LINK:
            permissions = with_mode(found.permissions, change.after.mode)
        targets.append(Target(change.path, real, found, change.before, change.after, permissions))
    if not targets:
        raise DraftError("There is no change to apply.")
    targets = _with_permissions_of_sources(targets, find_renames(real_changes))
    _check(workspace.root, targets, allowed, "changed since the proposal was made")
    return targets


def _with_permissions_of_sources(targets: Sequence[Target], renames: Mapping[str, str]) -> list[Target]:
    """The targets, where a file that is moved keeps its permissions: a private one stays private."""
    found = {target.path: target.found for target in targets}
    return [
        replace(target, permissions=with_mode(found[source].permissions, target.after.mode))
        if (source := renames.get(target.path))
        and target.permissions is None
        and target.after is not None
        and found[source].kind == "file"
        and target.after.mode != LINK
        else target
        for target in targets
    ]


def plan_back(
    workspace: Workspace, operation: Operation, changes: Iterable[Change], allowed: Collection[str], *, exact: bool
) -> list[Target]:
    """Targets that take an operation back by these changes of its files, to the permissions from before if `exact`.

    StaleError, RefusedError or DraftError if any of them cannot be.
    """
    records = {file.path: file for file in operation.files}
    targets = []
    for change in changes:
        file = records[change.path]
        with readable(file.path):
            found = look(workspace.root, file.real)
        permissions = file.before.permissions if file.before else None
        # Permissions that the user has changed since stay, but for the executable bit that the operation set.
        changed = file.after is not None and file.after.permissions not in {None, found.permissions}
        if change.after and change.after.mode != LINK and found.kind == "file" and (changed or permissions is None):
            permissions = with_mode(found.permissions, change.after.mode)
        elif permissions is not None and change.after and change.after.mode != LINK:
            there = found.kind == "file" and not exact
            permissions = with_mode(found.permissions if there else permissions, change.after.mode)
        targets.append(Target(file.path, file.real, found, change.before, change.after, permissions))
    _check(workspace.root, targets, allowed, "changed since kcode last wrote, and those changes would be lost")
    return targets


def folders_to_make(root: Path, targets: Sequence[Target], known: Iterable[Folder] = ()) -> tuple[Folder, ...]:
    """The missing folders above created files, outermost first; `known` tells the permissions that they had."""
    permissions = {folder.path: folder.permissions for folder in known}
    parents = {parent for target in targets if target.after for parent in _parents(target.real)}
    missing = (parent for parent in sorted(parents) if look(root, parent).kind != "folder")
    return tuple(Folder(parent, permissions.get(parent)) for parent in missing)


def folders_to_empty(workspace: Workspace, targets: Sequence[Target]) -> tuple[Folder, ...]:
    """The folders above deleted files, innermost first: like git, an apply does not leave them behind if empty.

    The folder that the user stands in stays.
    """
    needed = {parent for target in targets if target.after for parent in _parents(target.real)}
    if workspace.start:
        needed |= {workspace.start, *_parents(workspace.start)}
    parents = {parent for target in targets if not target.after for parent in _parents(target.real)}
    return tuple(
        Folder(parent, stat.S_IMODE((workspace.root / parent).lstat().st_mode))
        for parent in sorted(parents - needed, key=lambda parent: (-parent.count("/"), parent))
    )


def _parents(real: str) -> list[str]:
    parts = real.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


@contextlib.contextmanager
def readable(path: str) -> Iterator[None]:
    """Name the file where the system only says that it cannot be read."""
    try:
        yield
    except OSError as error:
        raise DraftError(f"{path} cannot be read: {error.strerror}. Nothing was written.") from error


def _is_link(state: FileState | None) -> bool:
    return state is not None and state.mode == LINK


def _resolve(workspace: Workspace, change: Change, gone: Collection[str]) -> str:
    """The path with its links resolved, but for those that are `gone` by then, where a folder comes to stand.

    A link that is a file to the draft is written through to its target.
    """
    root, path = os.fspath(workspace.root), change.path
    parts = path.split("/")
    if {"", ".", ".."} & set(parts) or "\0" in path:
        raise DraftError(f"{path!r} is not a path inside the workspace.")
    last = next((at for at, parent in enumerate(_parents(path)) if parent in gone), len(parts) - 1)
    full = os.path.join(os.path.realpath(os.path.join(root, *parts[:last])), *parts[last:])  # noqa: PTH118
    is_edit = all(state is not None and state.mode != LINK for state in (change.before, change.after))
    if is_edit and os.path.islink(full):  # noqa: PTH114
        full = os.path.realpath(full)
    inside = full.startswith(root.rstrip("/") + "/")
    if not inside:
        raise RefusedError(f"{path} leads out of the workspace to {full}, where kcode never writes.")
    real = os.path.relpath(full, root)
    git_folder = workspace.git_dir is not None and full.startswith(f"{workspace.git_dir}/")
    if git_folder or any(is_git_folder(part) for part in [*parts, *real.split("/")]):
        raise RefusedError(f"{path} belongs to git's own files, which kcode never writes.")
    return real


def _check(root: Path, targets: Sequence[Target], allowed: Collection[str], stale: str) -> None:
    reals = [target.real for target in targets]
    twice = {target.path for target in targets if reals.count(target.real) > 1} if len(set(reals)) < len(reals) else ()
    if twice:
        raise DraftError(f"{_listed(twice)} are one and the same file; choose one of them.")
    linked: dict[tuple[int, int], FileState | None] = {}
    for target in targets:
        if target.in_place and linked.setdefault(target.found.inode, target.after) != target.after:
            raise DraftError(f"{target.path} is a hard link to another file of the proposal; choose one of them.")
    deleted = {target.real for target in targets if target.after is None}
    changed = [target.path for target in targets if not _is_before(root, target, deleted)]
    barred = [t.path for t in targets if t.path in changed and t.before is None and t.found.kind == "blocked"]
    if barred:
        raise StaleError(
            f"{_listed(barred)} cannot be made: something else stands where a folder above it would be. Nothing was "
            "written; move that away, or choose other hunks and files."
        )
    if changed:
        raise StaleError(f"{_listed(changed)} {stale}. Nothing was written. kcode diff shows what there is.")
    read_only = [t.path for t in targets if t.found.kind == "file" and not _is_writable(root, t)]
    if fixed := [target.path for target in targets if target.path in read_only and target.in_place]:
        raise RefusedError(
            f"{_listed(fixed)} is read-only and has hard links or another owner, so it is not written. Nothing was "
            "written; make the file writable (chmod u+w) and try again."
        )
    if refused := [path for path in read_only if path not in allowed]:
        raise ReadOnlyError(
            f"{_listed(refused)} is read-only, so it is not written. Nothing was written; make it writable "
            "(chmod u+w) and try again, or answer the question at a terminal.",
            tuple(refused),
        )


def _is_before(root: Path, target: Target, deleted: set[str]) -> bool:
    if target.before is not None:
        return target.found.state == target.before
    if target.found.kind == "folder":
        return _holds_only(root, target.real, deleted)
    if target.found.kind == "blocked":
        return bool(deleted.intersection(_parents(target.real)))
    return target.found.kind == "nothing"


def _holds_only(root: Path, folder: str, deleted: set[str]) -> bool:
    """Whether deleting these files empties the folder, so that a file can stand in its place."""
    for path, folders, files in os.walk(root / folder):
        inner = os.path.relpath(path, root)
        links = [name for name in folders if os.path.islink(os.path.join(path, name))]  # noqa: PTH114, PTH118
        names = [f"{inner}/{name}" for name in [*files, *links]]
        if not set(names) <= deleted or not (names or folders):
            return False
    return True


def _is_writable(root: Path, target: Target) -> bool:
    # The superuser may write any file; one that nobody may write is still meant to stay as it is.
    return bool(target.found.permissions & 0o222) and os.access(root / target.real, os.W_OK)


def _listed(paths: Iterable[str]) -> str:
    names = sorted(paths)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
