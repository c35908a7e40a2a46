"""A program at a pseudo-terminal that a thread drains: what it wrote and when, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.scripted import memory_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TICK = os.sysconf("SC_CLK_TCK")


class PtyProgram:
    """Leaving the block ends the program. Times are of the monotonic clock, in seconds."""

    def __init__(
        self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._tail = b""
        self.written = 0
        self._changed = threading.Condition()
        self._marks: list[tuple[bytes, float]] = []
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # Its terminal in every sense, or it would hear of no other size.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call, and no lock
        )
        os.close(slave)
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        """Read to the end, which comes when nobody has the other side open any more, and only then close.

        Closed while it is read, its number could be given to the next terminal, of which this would take a part.
        """
        try:
            self._read_on()
        finally:
            os.close(self._master)

    def _read_on(self) -> None:
        while True:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:
                return
            if not data:
                return
            with self._changed:
                self.written += len(data)
                self._tail = (self._tail + data)[-400_000:]
                self._changed.notify_all()

    def wait_for(self, mark: bytes, seconds: float = 60.0) -> float:
        """When the mark had come, after the last `forget`."""
        with self._changed:
            if not self._changed.wait_for(lambda: mark in self._tail, seconds):
                raise SystemExit(f"{mark!r} never came; the last bytes were {self._tail[-600:]!r}")
        return time.monotonic()

    def forget(self) -> None:
        with self._changed:
            self._tail = b""

    def type(self, data: bytes) -> float:
        """Send keys; when that was."""
        now = time.monotonic()
        os.write(self._master, data)
        return now

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def last_words(self) -> str:
        """The end of what it wrote, without what steers the terminal."""
        with self._changed:
            text = self._tail[-6_000:].decode("utf-8", "replace")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07", "", text)[-1_500:]

    def cpu(self) -> float:
        """Seconds of CPU that the program itself took so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> float:
        """The MiB of memory that the program itself has."""
        return memory_of(self.pid).get("VmRSS", 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
