"""The session's log: JSON records, one a line, each with a checksum, appended and never rewritten in place."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import re
import time
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kcode.errors import SessionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

# A record's line is its JSON object with the CRC-32 of that object's bytes as its last member.
_CHECKSUM = re.compile(rb',"crc":"([0-9a-f]{8})"\}\n\Z')
_CHECKSUM_LENGTH = len(b',"crc":"00000000"}\n')
# Some network file systems have no locks; then the one write of a record is all there is.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a log that are no record: `line` counts from 1; `at_end` says that no record comes after them."""

    line: int
    offset: int
    length: int
    at_end: bool


@dataclass(frozen=True, slots=True)
class LogContents:
    """What a log holds, in order, and what of it cannot be read."""

    records: tuple[dict[str, Any], ...]
    damage: tuple[Damage, ...] = ()


class Log:
    """A log that is open for appending; several processes may append to one.

    A record that `append` returned from survives the end of the process, a `durable` one that of the machine.
    """

    def __init__(self, path: Path, *, lock_seconds: float = 5.0) -> None:
        """Open the log, made readable by the user alone if it is new; raises SessionError.

        An append waits up to `lock_seconds` for another process to finish its own.
        """
        self.path = path
        self._lock_seconds = lock_seconds
        self._is_listed = path.exists()
        self._file = _open(path)

    def append(self, record: Mapping[str, Any], *, durable: bool = False) -> None:
        """Write one record whole; `durable` waits until it is on the disk.

        Raises SessionError when it could not be written; the log stays usable, so a later append may succeed.
        """
        line = encode_record(record)
        try:
            with self.locked():
                if _ends_in_the_middle(self._file):
                    line = b"\n" + line
                _write(self._file, line)
            if durable:
                self._synchronize()
        except OSError as error:
            raise SessionError(
                f"The session log {self.path} cannot be written: {error.strerror}. "
                "Make room there, or set XDG_STATE_HOME to another folder."
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from appending; raises OSError when one of them does not let go."""
        self._lock()
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _lock(self) -> None:
        """Lock the file that stands at the path now: a repair may have put another one there."""
        deadline = time.monotonic() + self._lock_seconds
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(errno.ETIMEDOUT, "another process holds its lock") from None
                time.sleep(0.002)
                continue
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
            if os.fstat(self._file).st_nlink:
                return
            stale, self._file = self._file, _open(self.path)
            os.close(stale)

    def _synchronize(self) -> None:
        os.fsync(self._file)
        if not self._is_listed:
            # A new file's name is on the disk only once its folder is.
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._is_listed = True

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def encode_record(record: Mapping[str, Any]) -> bytes:
    """Encode a record that is not empty as one line with its checksum."""
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body)


def decode_record(line: bytes) -> dict[str, Any] | None:
    """Decode a line, its newline included; None when a single bit of it is not as it was written."""
    found = _CHECKSUM.search(line, max(0, len(line) - _CHECKSUM_LENGTH))
    if found is None:
        return None
    body = line[: found.start()] + b"}"
    if zlib.crc32(body) != int(found[1], 16):
        return None
    try:
        record = json.loads(body)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def read_log(path: Path) -> LogContents:
    """Read every record that is whole; what is not is reported, and costs no other record. Raises SessionError."""
    records: list[dict[str, Any]] = []
    bad: list[tuple[int, int, int]] = []
    last_good = offset = 0
    try:
        for number, line in enumerate(_lines(path), 1):
            record = decode_record(line)
            if record is not None:
                records.append(record)
                last_good = number
            elif line != b"\n":
                bad.append((number, offset, len(line)))
            offset += len(line)
    except OSError as error:
        raise SessionError(f"The session log {path} cannot be read: {error.strerror}.") from error
    return LogContents(tuple(records), tuple(Damage(*place, at_end=place[0] > last_good) for place in bad))


def read_first_record(path: Path) -> dict[str, Any] | None:
    """Read the log's first line alone; None when it is not there or not whole."""
    try:
        return decode_record(next(_lines(path), b""))
    except OSError:
        return None


def repair_log(path: Path) -> Path | None:
    """Put a log with only its whole records in a damaged one's place; return where the damaged one is kept.

    Returns None and touches nothing when there is no damage. A process that has the log open goes on in the new one.
    """
    if not read_log(path).damage:
        return None
    with Log(path) as log:
        try:
            with log.locked():
                return _repair_locked(path)
        except OSError as error:
            raise SessionError(f"The damaged session log {path} cannot be repaired: {error.strerror}.") from error


def _repair_locked(path: Path) -> Path:
    data = path.read_bytes()
    kept = next(name for number in range(1, 10_000) if not (name := path.with_suffix(f".damaged-{number}")).exists())
    write_new(kept, data)
    whole = b"".join(line for line in io.BytesIO(data) if decode_record(line) is not None)
    fresh = path.with_suffix(".repaired")
    fresh.unlink(missing_ok=True)
    write_new(fresh, whole)
    fresh.rename(path)
    return kept


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, readable by the user alone; raises OSError, FileExistsError among them."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(file)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise SessionError(
            f"The session log {path} cannot be opened: {error.strerror}. Check who owns that folder, or set XDG_STATE_HOME."
        ) from error


def _write(file: int, line: bytes) -> None:
    """Write in one call, so that the records of two processes cannot mix; a disk that fills up cuts it short."""
    if os.write(file, line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _ends_in_the_middle(file: int) -> bool:
    """Whether the last append did not come to its end: its writer was killed, or the disk was full."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from stream
