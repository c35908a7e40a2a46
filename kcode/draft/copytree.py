"""The copy backend: where no overlay can be mounted, commands run over a copy of the workspace's files.

What the draft shows is the same as with an overlay: where the copy is as it was made, the workspace's own file shows,
live; where a command or tool changed the copy, the copy's. The copy is made at the first write or command, and brought
up to date before each command.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from kcode.draft import disk
from kcode.draft.files import FolderMount
from kcode.draft.inventory import take_inventory
from kcode.draft.layers import stamp
from kcode.draft.manifest import Manifest, folders_above
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kcode.draft.files import FileState
    from kcode.draft.layers import IgnoredFolders, Stamp
    from kcode.safegit import SafeGit

_FICLONE = 0x40049409


class CopyTree:
    """The copy in `folder` of the workspace `root`, and its manifest."""

    def __init__(self, root: Path, folder: Path, git: SafeGit) -> None:
        self._root, self._git = root, git
        self._copy, self._staging = folder / "copy", folder / "staging"
        self._manifest = Manifest(folder / "manifest.json")
        disk.make_folder(self._staging)

    def lstat(self, path: str) -> os.stat_result | None:
        place = self.real(path)
        return disk.lstat(place) if place is not None else None

    def real(self, path: str) -> Path | None:
        ours, theirs = self._copy / path, self._root / path
        if not self._manifest.exists or self._manifest.is_linked(path):
            return theirs if disk.stat_beneath(self._root, path) is not None else None
        there = disk.stat_beneath(self._copy, path)
        if there is None:
            if _is_gone(self._copy, self._manifest, path):
                return None
            return theirs if disk.stat_beneath(self._root, path) is not None else None
        if stat.S_ISDIR(there.st_mode):
            return ours
        if self._manifest.is_untouched(path, stamp(there)):
            return theirs if disk.stat_beneath(self._root, path) is not None else None
        return ours

    def names(self, folder: str) -> list[str]:
        found: set[str] = set()
        copied = self._manifest.exists and not self._manifest.is_linked(folder)
        for root in (self._copy, self._root) if copied else (self._root,):
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                found.update(place.name for place in (root / folder).iterdir())
        found.discard(".git")
        prefix = f"{folder}/" if folder else ""
        return sorted(name for name in found if self.real(prefix + name) is not None)

    def put(self, path: str, state: FileState) -> None:
        self._own(path)
        existing = disk.lstat(self._copy / path)
        self._make_folders(path)
        if existing is not None and stat.S_ISDIR(existing.st_mode):
            disk.remove_beneath(self._copy / path)
        disk.write_state(self._copy / path, state, existing, self._staging)

    def delete(self, path: str) -> None:
        self._own(path)
        (self._copy / path).unlink(missing_ok=True)

    def drop_folder(self, path: str) -> None:
        if self._manifest.exists:
            # A folder that is shared may have its place in it.
            with suppress(OSError):
                (self._copy / path).rmdir()

    def restore(self, path: str) -> bool:
        self._manifest.refresh()
        if not self._manifest.exists:
            return True
        theirs, ours = disk.stat_beneath(self._root, path), disk.lstat(self._copy / path)
        if any(found is not None and stat.S_ISDIR(found.st_mode) for found in (theirs, ours)):
            return False
        if theirs is None:
            (self._copy / path).unlink(missing_ok=True)
            self._manifest.drop(path)
        else:
            self._make_folders(path)
            # As new, or a build of what the draft had here would count as one of this.
            self._take(path, keep_time=False)
        return True

    def flush(self) -> None:
        if not self._manifest.is_saved:
            self._manifest.save()

    def prepare(self) -> None:
        self._manifest.refresh()
        if not self._manifest.exists:
            self._make()
            return
        self._unlink_ignored()
        found, known = take_inventory(self._git), self._manifest
        # One that the draft built itself is its own: a build goes wrong over a mix of two.
        built = {path for path in found.copied if path not in known.folders and _holds_any(self._copy / path)}
        copied = tuple(sorted({*known.copied, *found.copied} - built))
        files = [path for path in found.files if not _is_below(path, built)]
        grown = [path for path in known.copied if path not in found.copied and (self._root / path).is_dir()]
        dropped = self._drop_stale({*files, *(path for path in known.files if _is_below(path, grown))})
        refreshed = [path for path in files if self._refresh(path)]
        if refreshed or dropped or (found.linked, copied) != (known.linked, known.copied):
            known.linked, known.copied = found.linked, copied
            known.save()

    def mount(self) -> FolderMount:
        return FolderMount(self._copy, self._root, self._manifest.linked)

    def link_ignored(self) -> None:
        """Put links to the workspace's dependency folders in the copy, for commands that run in it without a mount.

        They last until the next `prepare`. What follows one is in the workspace: writing there needs isolation to be
        kept from, and a link of npm's from `node_modules` to a package of the workspace leads to the user's own.
        """
        with disk.naming_full_disk(self._copy):
            for path in self._manifest.linked:
                place = self._copy / path
                if path == ".git" or not (self._root / path).is_dir():
                    continue
                try:
                    self._make_folders(path)
                except DraftError:
                    # The draft has a file or link where theirs is a folder.
                    continue
                with suppress(OSError):
                    # Empty where a folder was mounted before.
                    place.rmdir()
                if disk.lstat(place) is None:
                    place.symlink_to(self._root / path)

    def _unlink_ignored(self) -> None:
        for path in self._manifest.linked:
            place = self._copy / path
            if place.is_symlink() and place.readlink() == self._root / path:
                place.unlink()

    def scan(self, ignored_folders: IgnoredFolders) -> dict[str, Stamp | None]:
        self._manifest.refresh()
        if not self._manifest.exists:
            return {}
        found: dict[str, Stamp | None] = {}
        seen: set[str] = set()
        skipped: set[str] = set()
        level = [""]
        while level:
            below: list[str] = []
            for folder in level:
                for entry in _entries(self._copy / folder):
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        below.append(path)
                    elif path not in self._manifest.linked:
                        now = stamp(entry.stat(follow_symlinks=False))
                        seen.add(path)
                        if path not in self._manifest.files or self._manifest.files[path][1] != now:
                            found[path] = now
            known = self._manifest.folders.difference(self._manifest.copied)
            ignored = ignored_folders([path for path in below if path not in known])
            skipped |= ignored
            level = [path for path in below if path not in ignored]
        for path in self._manifest.files:
            if path not in seen and not _is_below(path, skipped):
                found[path] = None
        return found

    def _make(self) -> None:
        """Copy everything; a copy that was not finished does not count."""
        disk.remove_beneath(self._copy)
        disk.make_folder(self._copy)
        self._copy.chmod(stat.S_IMODE(self._root.stat().st_mode))
        self._manifest.clear()
        found = take_inventory(self._git)
        self._manifest.linked, self._manifest.copied = found.linked, found.copied
        for path in found.files:
            self._take(path)
        self._manifest.save()

    def _own(self, path: str) -> None:
        """Have the path's present state in the copy and the manifest, before the draft changes it."""
        self._manifest.refresh()
        if self._manifest.is_linked(path):
            raise DraftError(
                f"{path} is ignored by git or lies in such a folder. This draft shares it with the workspace and cannot "
                "change it."
            )
        if not self._manifest.exists:
            self._make()
        elif self._refresh(path):
            self._manifest.save()

    def _refresh(self, path: str) -> bool:
        """Bring the workspace's file again where the draft has not changed it; True when it was another."""
        theirs, known = disk.stat_beneath(self._root, path), self._manifest.files.get(path)
        if theirs is None or stat.S_ISDIR(theirs.st_mode) or (known is not None and known[0] == stamp(theirs)):
            return False
        ours = disk.stat_beneath(self._copy, path)
        if self._manifest.is_untouched(path, stamp(ours)) if ours else not _is_gone(self._copy, self._manifest, path):
            return self._take(path)
        return False

    def _drop_stale(self, present: set[str]) -> bool:
        """Remove what the user removed, unless the draft changed it, and the folders that this empties."""
        stale = [path for path in self._manifest.files if path not in present]
        for path in stale:
            ours = disk.stat_beneath(self._copy, path)
            if ours is None or not self._manifest.is_untouched(path, stamp(ours)):
                continue
            (self._copy / path).unlink()
            self._manifest.drop(path)
            for folder in folders_above(path):
                if os.path.lexists(self._root / folder) and (self._root / folder).is_dir():
                    break
                with suppress(OSError):
                    (self._copy / folder).rmdir()
                    self._manifest.folders.discard(folder)
        return bool(stale)

    def _take(self, path: str, *, keep_time: bool = True) -> bool:
        """Copy one file or link; False for what is gone by now, may not be read or is neither."""
        source, new = self._root / path, self._staging / f"copy-{os.getpid()}"
        theirs = disk.stat_beneath(self._root, path)
        if theirs is None or not (stat.S_ISREG(theirs.st_mode) or stat.S_ISLNK(theirs.st_mode)):
            return False
        new.unlink(missing_ok=True)
        try:
            if stat.S_ISLNK(theirs.st_mode):
                new.symlink_to(source.readlink())
            else:
                _clone(source, new)
                new.chmod(stat.S_IMODE(theirs.st_mode))
                if keep_time:
                    os.utime(new, ns=(theirs.st_atime_ns, theirs.st_mtime_ns))
            self._make_folders(path)
            new.replace(self._copy / path)
        except (FileNotFoundError, PermissionError):
            return False
        finally:
            new.unlink(missing_ok=True)
        # The ctime is that of the rename, so the stamp is taken last.
        self._manifest.record(path, stamp(theirs), stamp((self._copy / path).lstat()))
        return True

    def _make_folders(self, path: str) -> None:
        for folder in reversed(folders_above(path)):
            place = self._copy / folder
            found = disk.lstat(place)
            if found is None:
                place.mkdir()
                theirs = disk.lstat(self._root / folder)
                if theirs is not None and stat.S_ISDIR(theirs.st_mode):
                    place.chmod(stat.S_IMODE(theirs.st_mode) | stat.S_IRWXU)
            elif self._manifest.is_untouched(folder, stamp(found)) and (self._root / folder).is_dir():
                # The user made a folder of this file meanwhile.
                place.unlink()
                self._manifest.drop(folder)
                place.mkdir()
            elif not stat.S_ISDIR(found.st_mode):
                raise DraftError(f"{folder} is a file, not a folder, so {path} cannot be put in it.")


def _is_gone(copy: Path, manifest: Manifest, path: str) -> bool:
    """The draft removed the path, or a folder above it, from the copy."""
    if path in manifest.files:
        return True
    folders = [folder for folder in (path, *folders_above(path)) if folder in manifest.folders]
    return any(not (copy / folder).is_dir() for folder in folders)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        return [entry for entry in entries if entry.name != ".git"]
    return []


def _holds_any(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _is_below(path: str, folders: Collection[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _clone(source: Path, target: Path) -> None:
    """Copy a file's bytes, sharing them on disk where the file system can (btrfs, XFS, APFS)."""
    if sys.platform == "darwin":
        import ctypes  # noqa: PLC0415 - macOS alone

        clonefile = ctypes.CDLL(None).clonefile
        if clonefile(os.fsencode(source), os.fsencode(target), 1) == 0:
            return
    elif sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - there is none on other systems

        with source.open("rb") as ours, target.open("xb") as new:
            try:
                fcntl.ioctl(new.fileno(), _FICLONE, ours.fileno())
            except OSError:
                shutil.copyfileobj(ours, new, 1 << 20)
        return
    shutil.copyfile(source, target)
