"""Where words go: the product to stdout, progress to stderr, a question to the person at the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import termios
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kcode.options import ColorChoice

DIM, RED, GREEN, YELLOW, CYAN, BOLD = "2", "31", "32", "33", "36", "1"


@dataclass(frozen=True, slots=True)
class Terminal:
    """The three standard streams and what each of them can show."""

    environment: Mapping[str, str]
    color: ColorChoice = "auto"

    def is_live(self, stream: IO[str]) -> bool:
        """True for a terminal that can rewrite its last line."""
        return stream.isatty() and self.environment.get("TERM", "dumb") != "dumb"

    def is_colored(self, stream: IO[str]) -> bool:
        if self.color != "auto":
            return self.color == "always"
        # no-color.org: any value but the empty one turns colour off.
        return self.is_live(stream) and not self.environment.get("NO_COLOR")

    def style(self, text: str, code: str, stream: IO[str]) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if text and self.is_colored(stream) else text

    def say(self, text: str = "", code: str = "", *, end: str = "\n") -> None:
        """One line of progress on stderr; text from outside is made safe."""
        safe = sanitize(text)
        sys.stderr.write((self.style(safe, code, sys.stderr) if code else safe) + end)
        sys.stderr.flush()

    def ask(self, question: str, choices: str) -> str | None:
        """Ask the person at the terminal for one of the letters; None when nobody can be asked."""
        if not sys.stderr.isatty():
            return None
        _forget_typed(sys.stderr.fileno())
        while True:
            self.say(f"{question} [{'/'.join(choices)}] ", BOLD, end="")
            line = self._read_line()
            if line is None:
                self.say()
                return None
            letter = line.strip().lower()[:1]
            if letter and letter in choices:
                return letter

    def ask_line(self, question: str) -> str | None:
        """Ask for a line in the person's own words; None when nobody can be asked."""
        if not sys.stderr.isatty():
            return None
        self.say(question, BOLD, end="")
        line = self._read_line()
        if line is None:
            self.say()
        return line if line is None else line.strip()

    def ask_secret(self, question: str) -> str | None:
        """Ask for a line that is not shown as it is typed; None when nobody can be asked."""
        if not sys.stderr.isatty():
            return None
        line: str | None = None
        with _person() as person:
            if person is not None:
                with _silent(person.fileno()):
                    self.say(question, BOLD, end="")
                    try:
                        line = person.readline()
                    finally:
                        self.say()  # the newline that was typed was not shown either
        return line.strip() if line else None

    def _read_line(self) -> str | None:
        """A line typed by the person, also when stdin is the pipe that brought the issue."""
        with _person() as person:
            return (person.readline() or None) if person is not None else None


@contextlib.contextmanager
def _person() -> Iterator[IO[str] | None]:
    """Where the person types: stdin, or the terminal itself where stdin is something else; None where there is none."""
    if sys.stdin is not None and sys.stdin.isatty():
        yield sys.stdin
        return
    try:
        descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as tty:
        yield tty


@contextlib.contextmanager
def _silent(terminal: int) -> Iterator[None]:
    """Show nothing of what is typed. What was typed before is dropped, and the terminal is always put back."""
    former = termios.tcgetattr(terminal)
    quiet = termios.tcgetattr(terminal)
    quiet[3] &= ~termios.ECHO
    # Ctrl-Z would leave to a shell, and come back with the key shown as it is typed.
    quiet[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(terminal, termios.TCSAFLUSH, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, former)


def _forget_typed(terminal: int) -> None:
    """Drop what was typed before the question stood there: a stray `y` must not answer what nobody has read."""
    with contextlib.suppress(termios.error):
        termios.tcflush(terminal, termios.TCIFLUSH)


def color_patch(patch: str, terminal: Terminal, stream: IO[str]) -> str:
    """A unified diff for people: made safe, and coloured by line where the stream shows colour."""
    lines = []
    for line in patch.split("\n"):
        code = ""
        if line.startswith("index "):
            continue  # blob ids: for git, not for people
        if line.startswith(
            (
                "diff --git",
                "--- ",
                "+++ ",
                "new file",
                "deleted file",
                "rename ",
                "similarity",
                "old mode",
                "new mode",
            )
        ):
            code = BOLD
        elif line.startswith("@@"):
            code = CYAN
        elif line.startswith("+"):
            code = GREEN
        elif line.startswith("-"):
            code = RED
        safe = sanitize(line)
        lines.append(terminal.style(safe, code, stream) if code else safe)
    return "\n".join(lines)
