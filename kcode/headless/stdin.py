"""What is piped in: read to its end, but never waited for without end."""

from __future__ import annotations

import os
import select
import stat
import sys

from kcode.errors import UsageError

FIRST_BYTE_SECONDS = 3.0
LIMIT = 8 * 1024 * 1024


def read_piped(*, wait: bool) -> str | None:
    """What is piped into stdin as text; None when it is blank or nothing comes. For `wait` see `read_piped_bytes`."""
    data = read_piped_bytes(wait=wait)
    text = data.decode("utf-8", "replace") if data else ""
    return text if text.strip() else None


def read_piped_bytes(*, wait: bool = False) -> bytes | None:
    """All that is piped into stdin; None at a terminal, without a stdin, or when nothing comes.

    With `wait` the input is the request itself and is waited for; else the first byte has three seconds to come, so
    that a pipe that somebody inherited and forgot does not hang kcode. Raises UsageError above 8 MiB.
    """
    if sys.stdin.isatty():
        return None
    descriptor = sys.stdin.fileno()
    # A file or /dev/null answers at once; a pipe or socket may stay silent for ever.
    if not wait and not select.select([descriptor], [], [], FIRST_BYTE_SECONDS)[0]:
        return None
    chunks: list[bytes] = []
    size = 0
    while chunk := _read_some(descriptor):
        chunks.append(chunk)
        size += len(chunk)
        if size > LIMIT:
            raise UsageError(f"More than {LIMIT >> 20} MiB came in on stdin; pipe in the part that matters.")
    return b"".join(chunks) or None


def is_given() -> bool:
    """True when stdin is a file, a pipe or a socket, so that somebody meant something to come from there."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _read_some(descriptor: int) -> bytes:
    """The next piece of the input, b"" at its end."""
    # The pipe may be non-blocking: that is a property of the pipe, which another program at it may have set.
    select.select([descriptor], [], [])
    try:
        return os.read(descriptor, 1 << 16)
    except OSError as error:
        raise UsageError(f"stdin cannot be read: {error.strerror}. Pipe something in, or use < /dev/null.") from None
