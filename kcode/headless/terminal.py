"""Where words go: the product to stdout, progress to stderr, a question to the person at the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from kcode.headless.wrapping import wrap_text
from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kcode.options import ColorChoice

DIM, RED, GREEN, YELLOW, CYAN, BOLD = "2", "31", "32", "33", "36", "1"
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Terminal:
    """The three standard streams and what each of them can show."""

    environment: Mapping[str, str]
    color: ColorChoice = "auto"

    def is_live(self, stream: IO[str]) -> bool:
        """True for a terminal that can rewrite its last line."""
        return stream.isatty() and self.environment.get("TERM", "dumb") != "dumb"

    @staticmethod
    def columns(stream: IO[str]) -> int | None:
        """How many characters a line of the screen takes; None where the stream is no terminal or does not say."""
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None

    def is_colored(self, stream: IO[str]) -> bool:
        if self.color != "auto":
            return self.color == "always"
        # no-color.org: any value but the empty one turns colour off.
        return self.is_live(stream) and not self.environment.get("NO_COLOR")

    def style(self, text: str, code: str, stream: IO[str]) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if text and self.is_colored(stream) else text

    def say(self, text: str = "", code: str = "", *, end: str = "\n") -> None:
        """One line of progress on stderr, at a terminal wrapped at blanks; text from outside is made safe."""
        safe = sanitize(text)
        if end == "\n":
            safe = wrap_text(safe, self.columns(sys.stderr))
        sys.stderr.write((self.style(safe, code, sys.stderr) if code else safe) + end)
        sys.stderr.flush()

    def ask(self, question: str, choices: str) -> str | None:
        """Ask the person at the terminal for one of the letters; None when nobody can be asked."""
        if not sys.stderr.isatty():
            return None
        self.forget_typed()
        while True:
            self.say(f"{question} [{'/'.join(choices)}] ", BOLD, end="")
            line = self._read_line()
            if line is None:
                self.say()
                return None
            letter = line.strip().lower()[:1]
            if letter and letter in choices:
                return letter

    def ask_line(self, question: str, *, again: bool = False) -> str | None:
        """Ask the person at the terminal for a line; None at the end of the input, and when nobody can be asked.

        Where the same is asked `again`, what was typed meanwhile is the answer to it.
        """
        if not sys.stderr.isatty():
            return None
        if not again:
            self.forget_typed()
        self.say(question, BOLD, end="")
        line = self._read_line()
        if line is None:
            self.say()
        return None if line is None else line.strip()

    def has_person(self) -> bool:
        """True when somebody can read a question here and type an answer to it."""
        if not sys.stderr.isatty():
            return False
        with _open_keyboard() as keyboard:
            return keyboard is not None and _is_in_foreground(keyboard)

    @staticmethod
    def forget_typed() -> None:
        """Drop what was typed before the question stood there: a stray `y` must not answer what nobody has read."""
        with contextlib.suppress(termios.error):
            termios.tcflush(sys.stderr.fileno(), termios.TCIFLUSH)

    async def wait_for_line(self, question: str, *, hidden: bool = False) -> str | None:
        """Ask for a line while the event loop goes on; None at the end of the input (Ctrl-D).

        What is `hidden` is not shown while it is typed. Cancelled, as by Ctrl-C, it leaves the terminal as it was.
        """
        with _open_keyboard() as keyboard:
            if keyboard is None:
                return None
            with _silent(keyboard) if hidden else contextlib.nullcontext():
                self.say(question, BOLD, end="")
                line = await _read_typed(keyboard)
                if hidden or not line.endswith(b"\n"):
                    self.say()
        return line.decode("utf-8", "replace").strip() if line else None

    @staticmethod
    def _read_line() -> str | None:
        """A line typed by the person, also when stdin is the pipe that brought the issue."""
        if sys.stdin.isatty():
            return sys.stdin.readline() or None
        with _open_keyboard() as keyboard:
            if keyboard is None:
                return None
            with os.fdopen(keyboard, encoding="utf-8", errors="replace", closefd=False) as tty:
                return tty.readline() or None


@contextlib.contextmanager
def _open_keyboard() -> Iterator[int | None]:
    """The descriptor to read from what a person types, also when stdin is a pipe; None without a terminal."""
    if sys.stdin.isatty():
        yield sys.stdin.fileno()
        return
    try:
        descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_in_foreground(keyboard: int) -> bool:
    """False for a job in the background, which the terminal would stop for reading from it."""
    try:
        return os.tcgetpgrp(keyboard) == os.getpgrp()
    except OSError:
        return True  # not the process's controlling terminal, which has no such rule


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
        with contextlib.suppress(termios.error):  # the terminal may have been closed meanwhile
            termios.tcsetattr(terminal, termios.TCSAFLUSH, former)


async def _read_typed(keyboard: int) -> bytes:
    """One line, or what stood there at the end of the input."""
    import asyncio  # noqa: PLC0415 - with all of TLS behind it, for commands that ask nothing

    line = b""
    while not line.endswith(b"\n"):
        # Looked at now and then, and not by the event loop: kqueue takes no /dev/tty.
        while not select.select([keyboard], [], [], 0)[0]:  # noqa: ASYNC110 - a terminal sets no asyncio.Event
            await asyncio.sleep(_LOOK_SECONDS)
        try:
            piece = os.read(keyboard, 4096)
        except OSError:
            piece = b""  # the terminal was closed
        if not piece:
            break
        line += piece
    return line


def color_patch(patch: str, terminal: Terminal, stream: IO[str]) -> str:
    """A unified diff for people: made safe, and coloured by line where the stream shows colour."""
    lines = []
    # Above a file's first hunk `--- ` starts its name, further down it is a line that is taken out.
    in_header = False
    for line in patch.split("\n"):
        code = ""
        if line.startswith("diff --git"):
            in_header = True
        elif line.startswith("@@"):
            in_header = False
        if in_header and line.startswith("index "):
            continue  # blob ids: for git, not for people
        if in_header:
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
