"""One file put in its place, safely: used by the journal alone.

Every path is walked from the workspace's root folder by folder without following a link, so a link that somebody puts in
the way between a check and the write makes the write fail instead of landing elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kcode.draft.exchange import exchange, is_at_rest
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, FileState
from kcode.draft.history import sync_folder, write_all
from kcode.errors import DraftError, StaleError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a path. `state` is None for all but files and links; "blocked": a parent is no folder."""

    kind: Literal["nothing", "file", "link", "folder", "other", "blocked"]
    state: FileState | None = None
    permissions: int = 0
    links: int = 1
    owner: int = 0
    inode: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Placement:
    """`real` is to become `after`; it must be `expected` until then. None is no file.

    `temporary` is the name, in the same folder, that the new file has until it is whole. `permissions` None means what
    the umask gives.
    """

    real: str
    expected: FileState | None
    after: FileState | None
    permissions: int | None
    temporary: str
    in_place: bool = False


def look(root: Path, real: str) -> Found:
    try:
        with _parent(root, real) as (folder, name):
            return _look(folder, name)
    except FileNotFoundError:
        return Found("nothing")
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP}:
            return Found("blocked")
        raise


def prepare(root: Path, item: Placement) -> bool:
    """Write the temporary file of `item`, which then needs a rename alone; False where that is not how it is written.

    A file that is written in place has none, and one whose folder is yet to be made gets it when it is placed.
    """
    if item.after is None or item.in_place:
        return False
    try:
        with _parent(root, item.real) as (folder, name):
            _write_temporary(folder, name, item, item.after)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP}:
            return False
        raise
    return True


def place(root: Path, item: Placement, *, prepared: bool = False) -> None:
    """Put the file in place, on the disk. StaleError if it is not what was expected.

    What is written is read back before it takes the file's place: afterwards it is anybody's to change. On any error the
    file is as it was, but for a file written in place, which may be half written.
    """
    with _parent(root, item.real) as (folder, name):
        if item.in_place and _look(folder, name).state == item.after:
            return  # Two hard links to one file: writing the other wrote this one.
        if item.after is None:
            _delete(folder, name, item)
        elif item.in_place:
            _expect(folder, name, item)
            _write_in_place(folder, name, item.after, item.permissions)
            _read_back(folder, name, item)
        else:
            if not prepared:
                _write_temporary(folder, name, item, item.after)
            _rename(folder, name, item)
        sync_folder(folder)


def remove_temporary(root: Path, item: Placement) -> None:
    """Remove what an interrupted `prepare` or `place` left.

    What another program saved in the moment of a swap is put back under its own name, or stays if that is taken.
    """
    with (
        contextlib.suppress(FileNotFoundError, NotADirectoryError, FileExistsError),
        _parent(root, item.real) as (folder, name),
    ):
        if _is_ours(_look(folder, item.temporary).state, item):
            os.unlink(item.temporary, dir_fd=folder)
            return
        if item.after is not None and _look(folder, name).state == item.after:
            os.rename(item.temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            _rename_to_new(folder, item.temporary, name)
            _unlink_temporary(folder, item)
        sync_folder(folder)


def _is_ours(state: FileState | None, item: Placement) -> bool:
    """Whether the bytes are kept in the journal: those from before, or the new ones as far as they were written."""
    if state is None or state == item.expected:
        return True
    return item.after is not None and item.after.data.startswith(state.data)


def make_folder(root: Path, real: str, permissions: int | None) -> None:
    """Make one folder whose parent exists; one that is there already stays as it is."""
    with _parent(root, real) as (folder, name):
        try:
            os.mkdir(name, 0o777, dir_fd=folder)
        except FileExistsError:
            return
        if permissions is not None:
            opened = os.open(name, _FOLDER, dir_fd=folder)
            try:
                _set_permissions(opened, permissions)
            finally:
                os.close(opened)
        sync_folder(folder)


def remove_folder(root: Path, real: str) -> bool:
    """Remove one folder if it is empty; whether it is gone."""
    try:
        with _parent(root, real) as (folder, name):
            os.rmdir(name, dir_fd=folder)
            sync_folder(folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        # A folder that is busy, not empty (two spellings) or not ours to remove does no harm where it is.
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.EACCES, errno.EPERM, errno.ENOTDIR}:
            return False
        raise
    return True


def canonical_mode(permissions: int) -> int:
    """Git's rule: the owner's bit decides whether a file is executable."""
    return EXECUTABLE if permissions & stat.S_IXUSR else REGULAR


def with_mode(permissions: int, mode: int) -> int:
    """These permissions with the executable bits that git's mode asks for, where reading is allowed."""
    if canonical_mode(permissions) == mode:
        return permissions
    return permissions | (permissions & 0o444) >> 2 if mode == EXECUTABLE else permissions & ~0o111


@contextlib.contextmanager
def _parent(root: Path, real: str) -> Iterator[tuple[int, str]]:
    *parents, name = real.split("/")
    folder = os.open(root, _FOLDER)
    try:
        for part in parents:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder, name
    finally:
        os.close(folder)


def _look(folder: int, name: str) -> Found:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            target = os.fsencode(os.readlink(name, dir_fd=folder))
            return Found("link", FileState(LINK, target), stat.S_IMODE(status.st_mode))
        if not stat.S_ISREG(status.st_mode):
            return Found("folder" if stat.S_ISDIR(status.st_mode) else "other")
        # Without O_NONBLOCK a pipe put here since the stat would hang the open.
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return Found("nothing")
    with os.fdopen(file, "rb") as stream:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return Found("other")
        permissions = stat.S_IMODE(status.st_mode)
        state = FileState(canonical_mode(permissions), stream.read())
        inode = (status.st_dev, status.st_ino)
        return Found("file", state, permissions, status.st_nlink, status.st_uid, inode)


def _expect(folder: int, name: str, item: Placement) -> None:
    found = _look(folder, name)
    if found.state != item.expected or (item.expected is None and found.kind != "nothing"):
        raise _changed_meanwhile(item)


def _write_in_place(folder: int, name: str, after: FileState, permissions: int | None) -> None:
    """From the start to the end, then cut: what a crash leaves is always the new bytes followed by old ones."""
    file = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        write_all(file, after.data)
        os.ftruncate(file, len(after.data))
        if permissions is not None and stat.S_IMODE(os.fstat(file).st_mode) != permissions:
            _set_permissions(file, permissions)
        os.fsync(file)
    finally:
        os.close(file)


def _rename(folder: int, name: str, item: Placement) -> None:
    """Put the temporary file in place; it is gone afterwards, or holds what another program saved just now."""
    try:
        _read_back(folder, item.temporary, item)
        _expect(folder, name, item)
        if item.expected is None:
            _rename_to_new(folder, item.temporary, name)
        elif exchange(folder, item.temporary, name):
            _check_swap(folder, name, item)
        else:
            os.rename(item.temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        raise _made_meanwhile(item) from None
    finally:
        if is_at_rest(folder, item.temporary) and _is_ours(_look(folder, item.temporary).state, item):
            _unlink_temporary(folder, item)


def _read_back(folder: int, name: str, item: Placement) -> None:
    if _look(folder, name).state != item.after:
        raise DraftError(f"{item.real} was written, but reads back as something else. Is the disk in order?")


def _check_swap(folder: int, name: str, item: Placement) -> None:
    """Swap back if what stood in the place is not what was looked at a moment before, or is being written."""
    if not is_at_rest(folder, item.temporary) or _look(folder, item.temporary).state != item.expected:
        exchange(folder, item.temporary, name)
        raise _changed_meanwhile(item)


def _delete(folder: int, name: str, item: Placement) -> None:
    """Take the file aside, and look at what that was before it is gone for good."""
    _expect(folder, name, item)
    os.rename(name, item.temporary, src_dir_fd=folder, dst_dir_fd=folder)
    try:
        if not is_at_rest(folder, item.temporary) or _look(folder, item.temporary).state != item.expected:
            _rename_to_new(folder, item.temporary, name)
            _unlink_temporary(folder, item)
            raise _changed_meanwhile(item)
    except FileExistsError:
        raise _made_meanwhile(item) from None
    _unlink_temporary(folder, item)


def _unlink_temporary(folder: int, item: Placement) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(item.temporary, dir_fd=folder)


def _changed_meanwhile(item: Placement) -> StaleError:
    return StaleError(f"{item.real} was changed by another program just now. Look at `kcode diff`, then try again.")


def _made_meanwhile(item: Placement) -> StaleError:
    return StaleError(f"{item.real} was made by another program just now. Look at `kcode diff`, then try again.")


def _write_temporary(folder: int, name: str, item: Placement, after: FileState) -> None:
    if after.mode == LINK:
        os.symlink(after.data, item.temporary, dir_fd=folder)
        return
    mode = 0o777 if after.mode == EXECUTABLE else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    # A file that replaces one stays private until it has that one's permissions.
    file = os.open(item.temporary, flags, mode if item.permissions is None else 0o600, dir_fd=folder)
    try:
        write_all(file, after.data)
        if item.expected is not None and item.expected.mode != LINK:
            _copy_attributes(folder, name, file)
        if item.permissions is not None:
            _set_permissions(file, item.permissions)
        os.fsync(file)
    finally:
        os.close(file)


def _set_permissions(file: int, permissions: int) -> None:
    # FAT and some network file systems have none to set; a mode that matters is noticed when the file is read back.
    with contextlib.suppress(PermissionError):
        os.fchmod(file, permissions)


def _copy_attributes(folder: int, name: str, file: int) -> None:
    """Owner, group, access list and the user's attributes; what the file system or the user's rights forbid is left."""
    try:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return  # It is gone or a link by now, which is noticed before the rename.
        raise
    try:
        status, mine = os.fstat(source), os.fstat(file)
        if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
            with contextlib.suppress(PermissionError):
                os.fchown(file, status.st_uid, status.st_gid)
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                for attribute in os.listxattr(source):
                    if attribute.startswith("user.") or attribute == "system.posix_acl_access":
                        os.setxattr(file, attribute, os.getxattr(source, attribute))
    finally:
        os.close(source)


def _rename_to_new(folder: int, temporary: str, name: str) -> None:
    """A rename would overwrite a file that appeared meanwhile; a hard link fails instead."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
