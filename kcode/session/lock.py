"""Who works in a session: one process at a time, told by a lock that ends with it. Its file's time is that of the last use."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from kcode.errors import SessionError, SessionInUseError

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.session.store import Session

_NAME = "lock"
# Some network file systems have no locks; there it is up to the user not to open a session twice.
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


class SessionLock:
    """Holds a session until `release` or the end of the process."""

    def __init__(self, session: Session) -> None:
        """Take the lock. SessionInUseError when another process, or another conversation of this one, works in the session."""
        path = session.folder / _NAME
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise SessionError(
                f"The session {session.id} cannot be opened: {path}: {error.strerror}. Check who owns that folder."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            self.release()
            raise SessionInUseError(
                f"The session {session.id} is open in another kcode{f' (process {holder})' if holder else ''}. Go on "
                f"there, or go on from a copy of it: kcode sessions fork {session.id}"
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                self.release()
                raise SessionError(f"The session {session.id} cannot be locked: {error.strerror}.") from error
        with suppress(OSError):
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Let others work in the session."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def is_in_use(folder: Path) -> bool:
    """Whether a process works in the session of this folder."""
    try:
        file = os.open(folder / _NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def last_opened(folder: Path) -> float | None:
    """When a process last began to work in the session; None where that was not noted."""
    try:
        return (folder / _NAME).stat().st_mtime
    except OSError:
        return None
