"""A real terminal: the program in tmux, driven by keys and the mouse, read off the screen."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Self

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from tests.program import Program

DEADLINE = 60.0
# Between two looks at the screen.
POLL = 0.02


class Tmux:
    """One program in one terminal of its own. Leaving the block ends both."""

    def __init__(self, program: Program, *arguments: str, columns: int = 80, rows: int = 24, **more: str) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("tmux is not installed")
        # A socket that was killed cannot be taken up again at once, so each has its own.
        self._socket = f"kcode-{uuid.uuid4().hex[:12]}"
        environment = program.environment | {"COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "ESCDELAY": "25"} | more
        settings = [f"{name}={value}" for name, value in environment.items()]
        command = shlex.join(["env", "-i", *settings, "TERM=tmux-256color", sys.executable, "-m", "kcode", *arguments])
        # What the program left on the screen stays readable, and so does its exit code.
        held = f'{command}; echo "[left $?]"; exec sleep 600'
        self._run(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            str(columns),
            "-y",
            str(rows),
            "-c",
            str(program.repository),
            held,
        )
        self._run("set-option", "-g", "escape-time", "0")
        self._run("set-option", "-g", "status", "off")
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def _run(self, *arguments: str) -> str:
        kept = {name: value for name, value in os.environ.items() if name not in {"TMUX", "TMUX_PANE"}}
        done = subprocess.run(
            ["tmux", "-u", "-L", self._socket, *arguments], capture_output=True, text=True, check=True, env=kept
        )
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names: Enter, Escape, C-c, F1, Down."""
        self._run("send-keys", *names)

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def click(self, column: int, row: int) -> None:
        """Press and let go the left button on a cell, counted from 0."""
        for end in "Mm":
            self._send(f"\x1b[<0;{column + 1};{row + 1}{end}")

    def _send(self, sequence: str) -> None:
        self._run("send-keys", "-H", *(f"{byte:02x}" for byte in sequence.encode()))

    def click_on(self, text: str, *shown: str, gone: str = "", beside: tuple[int, int] | None = None) -> str:
        """Click on the first place that shows this; the screen with what that gives. `beside` is a column and rows below.

        What comes meanwhile may move the place away under the click. So it is clicked where two looks in a row find it,
        and again where it is found elsewhere after that and there is nothing yet of what is to be `shown` or `gone`.
        """
        clicked = seen = None
        end = time.monotonic() + DEADLINE
        while True:
            screen = self.screen()
            if clicked is not None and all(one in screen for one in shown) and (not gone or gone not in screen):
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"clicked on {text!r} at {clicked}, and never {shown} without {gone!r}\n{screen}")
            place = place_in(screen, text, beside)
            if place is not None and place == seen and place != clicked:
                self.click(*place)
                clicked = place
            seen = place
            time.sleep(POLL)

    def turn_wheel(self, column: int, row: int, *, notches: int) -> None:
        """Turn the wheel towards the user."""
        self._send(f"\x1b[<65;{column + 1};{row + 1}M" * notches)

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def resize(self, columns: int, rows: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_for(self, *texts: str, gone: bool = False) -> str:
        """The screen once it shows all of these texts, or none of them."""
        end = time.monotonic() + DEADLINE
        while True:
            screen = self.screen()
            if all((text in screen) is not gone for text in texts):
                return screen
            if time.monotonic() > end:
                raise AssertionError(f"{'still' if gone else 'never'} on the screen: {texts}\n{screen}")
            time.sleep(POLL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run("kill-server")


def place_in(screen: str, text: str, beside: tuple[int, int] | None = None) -> tuple[int, int] | None:
    """The middle of the first place that shows this, as column and row; or what is in that column so many rows below it."""
    for row, line in enumerate(screen.split("\n")):
        if text in line:
            middle = cell_len(line[: line.index(text)]) + cell_len(text) // 2
            return (middle, row) if beside is None else (beside[0], row + beside[1])
    return None
