"""Run the real program over a real repository, against a scripted server on loopback."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KEY = "sk-canary-0123456789abcdef"
MODULE = '"""Money."""\n\n\ndef cents(amount: float) -> float:\n    return int(amount * 100) / 100\n'
TESTS = """\
import unittest

from calc.money import cents


class MoneyTest(unittest.TestCase):
    def test_up(self):
        self.assertEqual(cents(2.679), 2.68)

    def test_plain(self):
        self.assertEqual(cents(1.5), 1.5)
"""
RIGHT = (
    "edit_file",
    {"path": "calc/money.py", "edits": [{"old": "int(amount * 100) / 100", "new": "round(amount, 2)"}]},
)
WRONG = ("edit_file", {"path": "calc/money.py", "edits": [{"old": "int(amount * 100) / 100", "new": "amount"}]})
RUN_TESTS: tuple[str, dict[str, str]] = ("run_tests", {})


@dataclass(frozen=True)
class Program:
    """kcode in one repository, with a home of its own and a key that must never show up anywhere."""

    repository: Path
    home: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "TZ"}}
        return kept | {"HOME": str(self.home), "KCODE_API_KEY": KEY, "KCODE_MODEL": "kimi-k2-thinking"} | self.more

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        standard: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, "-m", "kcode", *arguments],
            cwd=self.repository,
            env=self.environment,
            **standard | options,
        )

    def run(self, *arguments: str, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:  # noqa: A002
        stdin = {} if input is None else {"stdin": subprocess.PIPE}
        with self.start(*arguments, **stdin) as process:
            out, err = process.communicate(input, timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.repository, capture_output=True, text=True, check=True
        )
        return done.stdout

    def snapshot(self) -> dict[str, tuple[int, str]]:
        """Every file of the repository, `.git` included: mode and content."""
        return {
            str(path.relative_to(self.repository)): (
                path.lstat().st_mode,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in sorted(self.repository.rglob("*"))
            if path.is_file()
        }


def make_program(
    folder: Path, files: Mapping[str, str] | None = None, more: Mapping[str, str] | None = None
) -> Program:
    """A small committed repository with a failing test, in an awkward path."""
    repository, home = folder / "work é 1", folder / "home"
    home.mkdir(parents=True)
    for name, text in (
        files or {"calc/__init__.py": "", "calc/money.py": MODULE, "tests/test_money.py": TESTS}
    ).items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    program = Program(repository, home, dict(more or {}))
    program.git("init", "-q", "-b", "main")
    program.git("add", "-A")
    program.git("commit", "-q", "-m", "start")
    return program


def key_leaks(program: Program, *streams: bytes) -> Sequence[str]:
    """Where the key was written: files under the home folder, or the streams."""
    found = [str(path) for path in program.home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    return found + [f"stream {number}" for number, stream in enumerate(streams) if KEY.encode() in stream]
