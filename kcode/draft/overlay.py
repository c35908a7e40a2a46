"""The overlay backend: what the kernel's overlayfs would show of an upper folder over the workspace, without mounting.

The upper's form is the kernel's (Documentation/filesystems/overlayfs.rst): a removed name is a whiteout, a character
device 0:0 or, in a folder marked opaque=x, an empty file with a whiteout attribute; a folder marked opaque=y hides the
folder below it; any other folder merges with it. Nothing here runs while the draft is mounted.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kcode.draft import disk
from kcode.draft.files import OverlayMount
from kcode.draft.layers import stamp
from kcode.errors import DraftError

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.files import FileState
    from kcode.draft.layers import IgnoredFolders, Stamp


@dataclass(frozen=True, slots=True)
class _Place:
    """What the layers hold at a path. `lower` is what shows, or would show if the upper held nothing there.

    `open` says that the folder above shows the workspace's own names.
    """

    upper: os.stat_result | None = None
    lower: os.stat_result | None = None
    whiteout: bool = False
    open: bool = False

    @property
    def shown(self) -> os.stat_result | None:
        return self.upper or (None if self.whiteout else self.lower)


class _Folder(NamedTuple):
    """A folder that a scan has still to look into; `hidden` says that what lies below it does not show."""

    path: str
    in_upper: bool
    in_lower: bool
    hidden: bool


class Overlay:
    """The workspace `lower` and, in `folder`, what the draft puts over it."""

    def __init__(self, lower: Path, folder: Path) -> None:
        self._lower = lower
        self._upper, self._work, self._staging = folder / "upper", folder / "work", folder / "staging"
        for part in (self._upper, self._work, self._staging):
            part.mkdir(exist_ok=True)
        # The upper's root is the mount's: the workspace keeps the permissions it has.
        self._upper.chmod(stat.S_IMODE(lower.stat().st_mode))

    def lstat(self, path: str) -> os.stat_result | None:
        return self._find(path).shown

    def real(self, path: str) -> Path | None:
        place = self._find(path)
        if place.upper is not None:
            return self._upper / path
        return self._lower / path if place.shown is not None else None

    def names(self, folder: str) -> list[str]:
        place = self._find(folder)
        if not _is_folder(place.shown):
            return []
        found: set[str] = set()
        if _is_folder(place.lower) and not (place.upper is not None and _opacity(self._upper / folder) == "y"):
            found = {entry.name for entry in _entries(self._lower / folder)}
        if place.upper is not None:
            marked = _opacity(self._upper / folder) == "x"
            for entry in _entries(self._upper / folder):
                if _is_whiteout(entry.stat(follow_symlinks=False), entry.path, marked=marked):
                    found.discard(entry.name)
                else:
                    found.add(entry.name)
        return sorted(found)

    def put(self, path: str, state: FileState) -> None:
        place = self._find(path)
        self._open_folders(path)
        if _is_folder(place.upper):
            disk.remove_beneath(self._upper / path)
        disk.write_state(self._upper / path, state, place.shown, self._staging)

    def delete(self, path: str) -> None:
        place = self._find(path)
        if place.lower is not None:
            self._open_folders(path)
            self._whiteout(path)
        elif place.upper is not None:
            (self._upper / path).unlink()

    def drop_folder(self, path: str) -> None:
        place = self._find(path)
        if place.upper is not None:
            # What is left in it are whiteouts.
            disk.remove_beneath(self._upper / path)
        if place.lower is not None:
            self._open_folders(path)
            self._whiteout(path)

    def restore(self, path: str) -> bool:
        place = self._find(path)
        # Without the whiteout, a folder of the workspace would come back with all that is in it.
        if not place.open or _is_folder(place.lower) or _is_folder(place.upper):
            return False
        (self._upper / path).unlink(missing_ok=True)
        return True

    def flush(self) -> None:
        """Nothing: the upper itself is all that is known."""

    def prepare(self) -> None:
        """Nothing: the kernel reads the upper as it is."""

    def mount(self) -> OverlayMount:
        return OverlayMount(self._lower, self._upper, self._work)

    def link_ignored(self) -> None:
        """Nothing: without a mount there is no overlay."""

    def scan(self, ignored_folders: IgnoredFolders) -> dict[str, Stamp | None]:
        found: dict[str, Stamp | None] = {}
        level = [_Folder("", in_upper=True, in_lower=True, hidden=_opacity(self._upper) == "y")]
        while level:
            below = [inner for folder in level for inner in self._scan_folder(folder, found)]
            ignored = ignored_folders([folder.path for folder in below])
            level = [folder for folder in below if folder.path not in ignored]
        return found

    def _scan_folder(self, folder: _Folder, found: dict[str, Stamp | None]) -> list[_Folder]:
        """Note the folder's files that differ and return the folders in it that may hold some."""
        below: list[_Folder] = []
        prefix = f"{folder.path}/" if folder.path else ""
        uppers: dict[str, os.stat_result] = {}
        gone: set[str] = set()
        if folder.in_upper:
            marked = _opacity(self._upper / folder.path) == "x"
            for entry in _entries(self._upper / folder.path):
                there = entry.stat(follow_symlinks=False)
                if _is_whiteout(there, entry.path, marked=marked):
                    gone.add(entry.name)
                else:
                    uppers[entry.name] = there
        for name, there in uppers.items():
            path = prefix + name
            lower = disk.lstat(self._lower / path) if folder.in_lower else None
            if stat.S_ISDIR(there.st_mode):
                hidden = folder.hidden or _opacity(self._upper / path) == "y"
                below.append(_Folder(path, in_upper=True, in_lower=_is_folder(lower), hidden=hidden))
                if lower is not None and not _is_folder(lower):
                    found[path] = None
            else:
                found[path] = stamp(there)
                if _is_folder(lower):
                    below.append(_Folder(path, in_upper=False, in_lower=True, hidden=True))
        if folder.hidden and folder.in_lower:
            gone.update(entry.name for entry in _entries(self._lower / folder.path) if entry.name not in uppers)
        for name in gone if folder.in_lower else ():
            path = prefix + name
            lower = disk.lstat(self._lower / path)
            if _is_folder(lower):
                below.append(_Folder(path, in_upper=False, in_lower=True, hidden=True))
            elif lower is not None:
                found[path] = None
        return below

    def _find(self, path: str) -> _Place:
        here, upper_root, lower_root = "", str(self._upper), str(self._lower)
        upper, lower = disk.lstat(upper_root), disk.lstat(lower_root)
        place = _Place(upper, lower, open=True)
        upper_open = lower_open = True
        parent = upper_root
        for name in path.split("/") if path else ():
            if not _is_folder(place.shown):
                return _Place()
            here = f"{here}/{name}"
            upper = disk.lstat(upper_root + here) if upper_open else None
            lower = disk.lstat(lower_root + here) if lower_open else None
            white = upper is not None and _is_whiteout(upper, upper_root + here, marked=None)
            if white and upper is not None and stat.S_ISREG(upper.st_mode):
                white = _opacity(parent) == "x"
            place = _Place(None if white else upper, lower, white, lower_open)
            parent = upper_root + here
            upper_open = place.upper is not None
            lower_open = _is_folder(lower) and not (_is_folder(place.upper) and _opacity(parent) == "y")
        return place

    def _open_folders(self, path: str) -> None:
        """Have every folder above the path in the upper, as the kernel would: with its permissions, merging or opaque."""
        names = path.split("/")[:-1]
        for count in range(1, len(names) + 1):
            folder = "/".join(names[:count])
            place = self._find(folder)
            if place.upper is None:
                if place.shown is not None and not _is_folder(place.shown):
                    raise DraftError(f"{folder} is a file, not a folder, so {path} cannot be put in it.")
                self._make_folder(folder, place)
            elif not _is_folder(place.upper):
                raise DraftError(f"{folder} is a file, not a folder, so {path} cannot be put in it.")

    def _make_folder(self, folder: str, place: _Place) -> None:
        new, old = self._staging / f"folder-{os.getpid()}", self._staging / f"whiteout-{os.getpid()}"
        disk.remove_beneath(new)
        new.mkdir()
        if place.whiteout:
            _mark(new, "opaque", b"y")
            # A folder cannot be renamed onto a whiteout, so that steps aside, and comes back if the folder fails.
            (self._upper / folder).rename(old)
        elif place.lower is not None:
            new.chmod(stat.S_IMODE(place.lower.st_mode))
            if os.geteuid() == 0:
                os.chown(new, place.lower.st_uid, place.lower.st_gid)
        try:
            new.rename(self._upper / folder)
        except OSError:
            if place.whiteout:
                old.rename(self._upper / folder)
            raise
        old.unlink(missing_ok=True)

    def _whiteout(self, path: str) -> None:
        new, target = self._staging / f"whiteout-{os.getpid()}", self._upper / path
        new.unlink(missing_ok=True)
        try:
            os.mknod(new, stat.S_IFCHR, 0)
        except PermissionError:
            # Some containers refuse the device. Kernels from 6.7 take the attribute too: the file cannot be reached,
            # though a listing of the mounted folder still has its name.
            new.touch()
            _mark(new, "whiteout", b"y")
            _mark(target.parent, "opaque", b"x")
        new.replace(target)


def _is_folder(found: os.stat_result | None) -> bool:
    return found is not None and stat.S_ISDIR(found.st_mode)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a real folder holds, without any `.git`; nothing when it is gone or may not be read."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        return [entry for entry in entries if entry.name != ".git"]
    return []


def _is_whiteout(found: os.stat_result, path: Path | str, *, marked: bool | None) -> bool:
    """`marked` says whether the folder around it is opaque=x, without which the attribute means nothing; None: unasked."""
    if stat.S_ISCHR(found.st_mode):
        return found.st_rdev == 0
    if marked is False or found.st_size or not stat.S_ISREG(found.st_mode):
        return False
    return any(name.endswith(".overlay.whiteout") for name in os.listxattr(path, follow_symlinks=False))


def _mark(path: Path, name: str, value: bytes) -> None:
    os.setxattr(path, f"user.overlay.{name}", value)
    if os.geteuid() == 0:
        # Root's mount may read these alone; root of a user namespace may not set them and mounts with userxattr.
        with suppress(PermissionError):
            os.setxattr(path, f"trusted.overlay.{name}", value)


def _opacity(folder: Path | str) -> str:
    """`y`: hides what is below; `x`: holds whiteouts that are attributes; else empty.

    An ordinary user's mount writes `user.overlay.*`, root's may write `trusted.overlay.*`.
    """
    found = ""
    for name in os.listxattr(folder, follow_symlinks=False):
        if name.endswith(".overlay.opaque"):
            found = os.getxattr(folder, name, follow_symlinks=False).decode("ascii", "replace")
        elif name.endswith(".overlay.redirect"):
            raise DraftError(f"{folder} was renamed by a mount with redirect_dir=on, which a draft cannot read.")
    return found
