"""The journal's own folder: its lock, its log, and the bytes of every file before and after each operation."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import time
from typing import TYPE_CHECKING

from kcode.draft.operations import decode, encode_end, encode_intent
from kcode.errors import DraftError
from kcode.folders import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kcode.draft.operations import Operation

_OLDEST = 30 * 24 * 3600.0
_LARGEST = 500 * 1024 * 1024
# An apply of some hundred files takes about a second.
_PATIENCE, _PAUSE = 10.0, 0.02


class History:
    """All writing goes through a temporary file or one appended line, and is on the disk when a method returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_folder(folder)
        self._images = make_folder(folder / "images")
        self._log = folder / "operations.jsonl"

    @contextlib.contextmanager
    def locked(self, patience: float = _PATIENCE) -> Iterator[None]:
        """Only one process and thread at a time; another waits so many seconds for its turn, then gets DraftError.

        The lock dies with its process.
        """
        lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + patience
            while not _take(lock):
                if time.monotonic() >= until:
                    raise DraftError(
                        "Another kcode is applying or undoing changes in this workspace just now. "
                        "Wait until it has finished, then try again."
                    )
                time.sleep(_PAUSE)
            yield
        finally:
            os.close(lock)

    def operations(self) -> list[Operation]:
        return decode(self._log.read_bytes()) if self._log.exists() else []

    def begin(self, operation: Operation) -> None:
        self._append(encode_intent(operation))

    def end(self, operation: Operation) -> None:
        self._append(encode_end(operation))

    def keep(self, data: bytes) -> str:
        """Keep the bytes; returns the digest that gives them back."""
        digest = hashlib.sha256(data).hexdigest()
        image = self._images / digest
        if not image.exists() or hashlib.sha256(image.read_bytes()).hexdigest() != digest:
            self._replace(image, data)
        return digest

    def image(self, digest: str) -> bytes:
        """The bytes kept under the digest; DraftError if they are gone or damaged."""
        with contextlib.suppress(FileNotFoundError):
            data = (self._images / digest).read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return data
        raise DraftError(
            f"The journal in {self._folder} no longer holds the file's former bytes. They are kept for "
            f"{_OLDEST / 86400:.0f} days and up to {_LARGEST >> 20} MiB in all."
        )

    def prune(self, *, oldest: float = _OLDEST, largest: int = _LARGEST) -> None:
        """Forget operations beyond that age (seconds) and total size (bytes), oldest first.

        The latest operation and any that is pending stay, whatever their age and size.
        """
        sizes = {entry.name: entry.stat().st_size for entry in os.scandir(self._images)}
        operations = self.operations()
        kept: list[Operation] = []
        digests: set[str] = set()
        since = time.time() - oldest
        full = False
        for operation in reversed(operations):
            more = digests | operation.digests()
            full = full or operation.when < since or sum(sizes.get(digest, 0) for digest in more) > largest
            if not kept or operation.state == "pending" or not full:
                kept.append(operation)
                digests = more
        if len(kept) < len(operations):
            lines = [encode_intent(operation) + encode_end(operation) for operation in reversed(kept)]
            self._replace(self._log, b"".join(lines))
        for name in sizes.keys() - digests - {".made-by-kcode"}:
            (self._images / name).unlink()

    def _append(self, line: bytes) -> None:
        log = os.open(self._log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # A crash or a full disk may have left half a line; it must not swallow this one.
            size = os.fstat(log).st_size
            torn = size > 0 and os.pread(log, 1, size - 1) != b"\n"
            write_all(log, b"\n" + line if torn else line)
            os.fsync(log)
        finally:
            os.close(log)
        if not size:
            _sync(self._folder)

    def _replace(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(path.name + ".new")
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        temporary.replace(path)
        _sync(path.parent)


def write_all(file: int, data: bytes) -> None:
    """os.write may take only a part, as on a disk that is almost full; the next one then fails."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def sync_folder(folder: int) -> None:
    """Wait until the names in an open folder are on the disk."""
    try:
        os.fsync(folder)
    except OSError as error:
        # Network and FUSE file systems that cannot sync a folder say so; they have no better way either.
        if error.errno not in {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}:
            raise


def _take(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_folder(opened)
    finally:
        os.close(opened)
