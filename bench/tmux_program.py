"""A program in tmux, whose client is at a pseudo-terminal: what the user's terminal is sent, and when."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

from bench.pty_program import PtyProgram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEADLINE = 20.0


class TmuxProgram(PtyProgram):
    """As PtyProgram, with all that is typed and shown on its way through tmux, whose own CPU and memory are not counted."""

    def __init__(
        self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self._tmux = ("tmux", "-u", "-f", os.devnull, "-L", f"kcode-bench-{uuid.uuid4().hex[:12]}")
        # tmux is there with its client, and waits, before the clock runs.
        waiting = ("new-session", "-d", "-x", str(columns), "-y", str(rows), "exec cat")
        self._ask(*waiting, ";", "set-option", "-g", "status", "off", ";", "set-option", "-g", "remain-on-exit", "on")
        try:
            super().__init__([*self._tmux, "attach-session"], folder, _outside(), columns, rows)
            self._wait_for_client()
            settings = [f"{name}={value}" for name, value in environment.items()]
            inside = ("env", "-i", *settings, "TERM=tmux-256color", "COLORTERM=truecolor", "LC_ALL=C.UTF-8", *argv)
            self.forget()
            self.started = time.monotonic()
            self._ask("respawn-pane", "-k", "-c", str(folder), *inside)
            self.pid = int(self._ask("display-message", "-p", "#{pane_pid}"))
        except BaseException:
            self._ask("kill-server")
            raise

    def _wait_for_client(self) -> None:
        end = time.monotonic() + DEADLINE
        while not (self.written and self._ask("list-clients")):
            if time.monotonic() > end:
                raise SystemExit("tmux shows nothing.")
            time.sleep(0.02)

    def _ask(self, *arguments: str) -> str:

        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True, env=_outside())
        return done.stdout

    def __exit__(self, *_: object) -> None:
        self._ask("kill-server")
        super().__exit__()


def _outside() -> dict[str, str]:
    """The surroundings of one who is in no tmux yet."""
    return {name: value for name, value in os.environ.items() if name not in {"TMUX", "TMUX_PANE"}}
