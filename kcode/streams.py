"""The standard streams as kcode needs them: there in any case, and clear about what becomes of the words."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from kcode.errors import OutputError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def open_streams() -> None:
    """Put streams in place that every part of kcode can use.

    stdout raises OutputError when it cannot take the product, and BrokenPipeError when its reader has left; stderr loses
    what cannot be written, since no progress is worth a run; an encoding that lacks a character gets its escape.
    """
    # A descriptor that was closed would go to the next file opened, which the product or a warning would then overwrite.
    # Open for reading only, stdout still fails when something is written to it.
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    sys.stdout = _text(_Product(1, "wb", closefd=False), sys.stdout)
    sys.stderr = _text(_Progress(2, "wb", closefd=False), sys.stderr)


def take_terminal() -> bool:
    """Have the terminal for a screen, also where stdin is a pipe that was read, or stdout one; False without a terminal.

    The screen is drawn on stderr; what is printed to stdout still goes where it went.
    """
    if not sys.stderr.isatty():
        return False
    if not sys.stdout.isatty():
        # Where the size of the terminal is looked for.
        sys.__stdout__ = sys.__stderr__  # type: ignore[misc]
    if sys.stdin.isatty():
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    os.dup2(terminal, 0)
    os.close(terminal)
    sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.__stdin__ = sys.stdin  # type: ignore[misc]  # which is what a screen reads from
    return True


def let_go_of_unread() -> None:
    """Lose what stdout and stderr hold up because nobody reads them: whoever is told to end does not wait for a reader.

    Called where a signal is handled: a write that waited then goes on, into /dev/null.
    """
    for descriptor in (1, 2):
        with suppress(OSError, ValueError):
            if not select.select([], [descriptor], [], 0)[1]:
                nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)


def _text(raw: io.FileIO, former: TextIO | None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=former.encoding if former else "utf-8",
        errors="backslashreplace",
        line_buffering=raw.fileno() == 2 or raw.isatty(),
    )


class _Waiting(io.FileIO):
    """Waits for its reader also where somebody made the pipe non-blocking, as the parents of node programs do."""

    def write(self, data: Buffer, /) -> int:
        while (count := super().write(data)) is None:
            select.select([], [self], [])
        return count


class _Product(_Waiting):
    """Fails once: what is still held then is dropped without a word, so that no later flush fails again."""

    _failed = False

    def write(self, data: Buffer, /) -> int:
        if self._failed:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except BrokenPipeError:
            self._failed = True
            raise
        except OSError as error:
            self._failed = True
            raise OutputError(
                f"stdout cannot be written: {error.strerror}. Send the output elsewhere; kcode diff gives a proposal again."
            ) from None


class _Progress(_Waiting):
    def write(self, data: Buffer, /) -> int:
        with suppress(OSError):
            return super().write(data)
        return memoryview(data).nbytes
