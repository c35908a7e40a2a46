"""The real program at a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from tests.program import Program

DEADLINE = 60.0


class Screen:
    """The program at a terminal of its own: what it wrote so far, and a way to type."""

    def __init__(self, program: Program, *arguments: str, **options: int) -> None:
        self.master, slave = pty.openpty()
        streams = {"stdin": slave, "stdout": slave, "stderr": slave} | options
        self.process: subprocess.Popen[bytes] = program.start(*arguments, **streams, start_new_session=True)
        os.close(slave)
        self.text = ""

    def wait_for(self, words: str) -> None:
        end = time.monotonic() + DEADLINE
        while words not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    # Linux says EIO once nobody has the other side open.
                    assert words in self.text, self.text
                    return

    def type(self, text: str) -> None:
        self.text = ""
        os.write(self.master, text.encode())

    def end(self) -> int:
        self.wait_for_end()
        os.close(self.master)
        return self.process.wait(DEADLINE)

    def wait_for_end(self) -> None:
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None or select.select([self.master], [], [], 0)[0]:
            assert time.monotonic() < end, self.text
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode("utf-8", "replace")
                except OSError:
                    return
