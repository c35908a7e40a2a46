"""Files on the real disk as data: read without following links, written whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, FileState
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A larger file is neither proposed nor kept as a base image: both hold it in memory.
LARGEST = 64 << 20
# A save takes some milliseconds.
_PATIENCE, _PAUSE = 2.0, 0.002
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ABSENT = (FileNotFoundError, NotADirectoryError)


def lstat(path: Path | str) -> os.stat_result | None:
    """What stands at the path, links not followed; None for nothing, and for what the user may not look at."""
    try:
        return os.lstat(path)
    except (*_ABSENT, PermissionError):
        return None


def read_state(path: Path | str) -> FileState | None:
    """The file or link at the path; None for nothing, a folder, a pipe, a socket or a device.

    Raises DraftError for a file that is larger than LARGEST or that the user may not read.
    """
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            return FileState(LINK, os.fsencode(os.readlink(path)))  # noqa: PTH115 - the bytes as they are
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size > LARGEST:
            raise _too_large(path)
        # Whatever takes the file's place meanwhile: no link is followed and no pipe waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            found = os.fstat(file.fileno())
            data = file.read(LARGEST + 1) if stat.S_ISREG(found.st_mode) else None
    except _ABSENT:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise DraftError(f"{path} cannot be read: {error.strerror}.") from error
    if data is None:
        return None
    if len(data) > LARGEST:
        raise _too_large(path)
    return FileState(EXECUTABLE if found.st_mode & stat.S_IXUSR else REGULAR, data)


def _too_large(path: Path | str) -> DraftError:
    return DraftError(f"{path} is larger than {LARGEST >> 20} MB, too large to be part of a draft.")


def read_beneath(root: Path, path: str) -> FileState | None:
    """The file or link at root/path, as git sees it: what is reached through a link is not there."""
    return read_state(f"{root}/{path}") if stat_beneath(root, path) is not None else None


def stat_beneath(root: Path, path: str) -> os.stat_result | None:
    """What stands at root/path when everything above it is a real folder, else None."""
    # Strings: a Path for each folder of each of some thousand files is half of the time that a scan takes.
    here = str(root)
    *folders, last = path.split("/")
    for folder in folders:
        here = f"{here}/{folder}"
        found = lstat(here)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return None
    return lstat(f"{here}/{last}")


def write_state(target: Path, state: FileState, existing: os.stat_result | None, staging: Path) -> None:
    """Put a file or link in place in one step; what stood there is kept until the new one is whole.

    A file gets the permissions of the `existing` one, executable exactly where its state says so.
    """
    new = staging / f"file-{os.getpid()}"
    new.unlink(missing_ok=True)
    try:
        if state.mode == LINK:
            new.symlink_to(os.fsdecode(state.data))
        else:
            new.write_bytes(state.data)
            if existing is None or not stat.S_ISREG(existing.st_mode):
                existing = new.stat()
            bits = stat.S_IMODE(existing.st_mode)
            new.chmod(bits | (bits & 0o444) >> 2 if state.mode == EXECUTABLE else bits & ~0o111)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def write_whole(target: Path, data: bytes) -> None:
    """Write one of kcode's own files, readable by the user alone, so that a reader sees all of it or none."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def write_json(target: Path, value: Any) -> None:
    write_whole(target, json.dumps(value, separators=(",", ":")).encode("ascii"))


def read_json(path: Path) -> Any:
    """The value that `write_json` wrote; None when there is no file. DraftError when it is damaged."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DraftError(f"The draft's file {path} is damaged ({error}). Start a new session.") from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time; where a lock cannot be had in a while, as on some network file systems, without."""
    make_folder(path.parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _PATIENCE
        while not _take(file) and time.monotonic() < until:
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(file)


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return not isinstance(error, BlockingIOError)
    return True


def append_line(target: Path, line: bytes) -> None:
    """Add to one of kcode's own files; a crash may leave the last line cut short."""
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(line)


def set_aside(path: Path) -> Path:
    """Give one of kcode's own files that cannot be read another name, and return that."""
    aside = path.with_name(f"{path.name}.unreadable")
    with suppress(OSError):
        path.replace(aside)
    return aside


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def remove_file(path: Path) -> None:
    path.unlink(missing_ok=True)


def remove_beneath(folder: Path) -> None:
    """Delete a folder inside a draft's own folder with all in it; nothing happens when there is none."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


@contextmanager
def naming_full_disk(folder: Path) -> Iterator[None]:
    """Turn what the system says when the draft's folder cannot take more, or cannot be used, into a DraftError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DraftError(
                f"The draft's folder {folder} is full ({error.strerror}). Your files are unchanged; free some space "
                "on that disk and try again."
            ) from error
        raise DraftError(f"The draft in {folder} cannot be used: {error}. Your files are unchanged.") from error
