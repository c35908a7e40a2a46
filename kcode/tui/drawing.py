"""Where the interface is drawn, and that nothing else is drawn there."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR = 2
_MOST_TOLD = 64 * 1024


class HeldErrors:
    """Keeps from the terminal what a library or a child writes to stderr, until it is told at the end.

    Where stderr goes elsewhere anyway, nothing is held.
    """

    def __init__(self) -> None:
        self._file: io.BufferedRandom | None = None
        self._real = os.dup(_STDERR)
        if os.isatty(_STDERR):
            with suppress(OSError):  # no room for a file, so the screen takes it as it comes
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self.hold()

    def hold(self) -> None:
        if self._file is not None:
            sys.stderr.flush()
            os.dup2(self._file.fileno(), _STDERR)

    def let_through(self) -> None:
        sys.stderr.flush()
        os.dup2(self._real, _STDERR)

    def end(self) -> None:
        """Tell what was held, the last of it if it is long."""
        self.let_through()
        os.close(self._real)
        if self._file is None:
            return
        with self._file as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _MOST_TOLD, 0))
            held = file.read().decode("utf-8", "replace")
        with suppress(OSError):  # the terminal may be gone
            sys.stderr.write(sanitize(held))
            sys.stderr.flush()


@contextmanager
def drawn_on(descriptor: int) -> Iterator[HeldErrors]:
    """Draw on the terminal that the descriptor is, which for Textual is always stderr."""
    former = sys.__stderr__
    raw = io.BufferedWriter(io.FileIO(os.dup(descriptor), "wb"))
    screen = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace")
    sys.__stderr__ = screen  # type: ignore[misc]  # it is no constant, whatever its stub says
    held = HeldErrors()
    try:
        yield held
    finally:
        sys.__stderr__ = former  # type: ignore[misc]
        with suppress(OSError):  # the terminal may be gone
            screen.close()
        held.end()
