"""What only Linux can do for files that others may be writing: swap two names, and know that nobody writes."""

from __future__ import annotations

import errno
import fcntl
import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_EXCHANGE = 2
# The system, or the file system, does not know how.
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(folder: int, one: str, other: str) -> bool:
    """Let two names of an open folder change places in one step; False where that cannot be done, and nothing was."""
    swap = _renameat2()
    number = errno.ENOSYS if swap is None else swap(folder, os.fsencode(one), os.fsencode(other))
    if number and number not in _UNKNOWN:
        raise OSError(number, os.strerror(number), other)
    return not number


def is_at_rest(folder: int, name: str) -> bool:
    """False for a file that another program has open for writing; true also where that cannot be told."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return True
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return True
    try:
        # The system gives a lease for reading only while nobody has the file open for writing.
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno != errno.EAGAIN
    finally:
        os.close(file)
    return True


@functools.cache
def _renameat2() -> Callable[[int, bytes, bytes], int] | None:
    """The system's call, which gives an error's number or 0; None where there is none."""
    import ctypes  # noqa: PLC0415 - only who writes files needs it

    # Linux with glibc from 2.28, or musl from 1.2.6.
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]

    def swap(folder: int, one: bytes, other: bytes) -> int:
        return 0 if call(folder, one, folder, other, _EXCHANGE) == 0 else ctypes.get_errno()

    return swap
