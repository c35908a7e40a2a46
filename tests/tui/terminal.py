"""The program at a terminal of its own, which is read byte for byte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any, Self

from tests.program import make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory
    from tests.program import Program

DEADLINE = 60.0


class Terminal:
    """The program at a terminal that is read byte for byte."""

    def __init__(self, program: Program, *arguments: str, errors: int | None = None, **more: str) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.raw = b""
        self.process = subprocess.Popen(
            [sys.executable, *(arguments or ("-m", "kcode"))],
            cwd=program.repository,
            env=program.environment | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | more,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave if errors is None else errors,
            start_new_session=True,
        )

    def read_until(self, *texts: bytes) -> None:
        end = time.monotonic() + DEADLINE
        while not all(text in self.raw for text in texts):
            assert time.monotonic() < end, self.raw[-3000:]
            self._read(0.1)

    def read_on(self) -> None:
        """Read what comes next."""
        before, end = len(self.raw), time.monotonic() + DEADLINE
        while len(self.raw) == before:
            assert time.monotonic() < end, self.raw[-3000:]
            self._read(0.1)

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def close(self) -> None:
        """Take the terminal away, as when its window is closed; the program hears of that alone."""
        os.close(self.slave)
        os.close(self.master)
        # In their place, for what is closed at the end.
        self.master, self.slave = pty.openpty()

    def end(self) -> int:
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None:
            assert time.monotonic() < end, self.raw[-3000:]
            self._read(0.05)
        while self._read(0.0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if select.select([self.master], [], [], seconds)[0]:
            self.raw += os.read(self.master, 65536)
            return True
        return False

    def assert_restored(self) -> None:
        assert termios.tcgetattr(self.slave) == self.before
        assert self.raw.rfind(b"\x1b[?1049l") > self.raw.rfind(b"\x1b[?1049h") > -1
        for mode in (b"1000", b"1003", b"1006", b"2004"):
            assert self.raw.rfind(b"\x1b[?" + mode + b"l") > self.raw.rfind(b"\x1b[?" + mode + b"h"), mode
        assert self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)
        os.close(self.master)
        os.close(self.slave)


def program_with(folder: Path, model_server: ModelServerFactory, *script: Any) -> Program:
    return make_program(folder, more={"KCODE_BASE_URL": model_server(script).url})
