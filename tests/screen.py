"""The real program at a terminal of its own."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

from tests.program import Program, make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

DEADLINE = 60.0


class Screen:
    """The program at a terminal of its own: what it wrote so far, and a way to type."""

    def __init__(self, program: Program, *arguments: str, script: str | None = None, **options: int) -> None:
        """Start the program, or a `script` of the shell's in which `KCODE` is the program.

        A script's terminal is also its controlling one, so that Ctrl-C can be typed and /dev/tty opened.
        """
        self.master, slave = pty.openpty()
        streams: dict[str, Any] = {"stdin": slave, "stdout": slave, "stderr": slave} | options
        if script is None:
            self.process = program.start(*arguments, **streams, start_new_session=True)
        else:
            self.process = subprocess.Popen(
                [
                    "setsid",
                    "--ctty",
                    "--wait",
                    "/bin/sh",
                    "-c",
                    script.replace("KCODE", '"$0" -m kcode'),
                    sys.executable,
                ],
                cwd=program.repository,
                env=program.environment,
                **streams,
            )
        os.close(slave)
        self.text = ""

    @property
    def shows_what_is_typed(self) -> bool:
        """Whether the terminal echoes."""
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

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


def program_with(script: list[dict[str, Any]], folder: Path, model_server: ModelServerFactory) -> Program:
    return make_program(folder, more={"KCODE_BASE_URL": model_server(script).url, "TERM": "xterm-256color"})
