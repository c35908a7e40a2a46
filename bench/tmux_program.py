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


class TmuxProgram(PtyProgram):
    """As PtyProgram, with all that is typed and shown on its way through tmux, whose own CPU and memory are not counted."""

    def __init__(
        self, argv: Sequence[str], folder: Path, environment: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self._tmux = ("tmux", "-u", "-f", os.devnull, "-L", f"kcode-bench-{uuid.uuid4().hex[:12]}")
        own = {name: value for name, value in environment.items() if name in {"PATH", "HOME", "TMPDIR"}}
        # tmux is there, and waits, before the clock runs.
        session = ("set-option", "-g", "status", "off", ";", "set-option", "-g", "remain-on-exit", "on")
        waiting = ("new-session", "-x", str(columns), "-y", str(rows), "echo ready for it; exec cat", ";", *session)
        super().__init__([*self._tmux, *waiting], folder, {**own, "LC_ALL": "C.UTF-8"}, columns, rows)
        self.wait_for(b"ready for it")
        settings = [f"{name}={value}" for name, value in environment.items()]
        inside = ("env", "-i", *settings, "TERM=tmux-256color", "COLORTERM=truecolor", "LC_ALL=C.UTF-8", *argv)
        self.forget()
        self.started = time.monotonic()
        self._ask("respawn-pane", "-k", "-c", str(folder), *inside)
        self.pid = int(self._ask("display-message", "-p", "#{pane_pid}"))

    def _ask(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def __exit__(self, *_: object) -> None:
        self._ask("kill-server")
        super().__exit__()
