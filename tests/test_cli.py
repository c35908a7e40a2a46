from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kcode import __version__
from kcode.cli import exit_code
from kcode.cli.app import app
from kcode.errors import (
    DraftError,
    KcodeError,
    NoSandboxError,
    ProviderError,
    RefusedError,
    UsageError,
    WorkspaceError,
)
from kcode.results import Failure

ROOT = Path(__file__).parent.parent
HEAVY = {"openai", "textual", "git", "tree_sitter", "jsonschema", "asyncio", "unidiff", "httpx2", "pydantic"}


def kcode(*arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-m", "kcode", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_version_and_help_load_nothing_heavy(argument: str) -> None:
    done = kcode(argument, flags=("-X", "importtime"))
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert loaded & HEAVY == set()
    assert "kcode" in loaded


def test_the_version_is_said() -> None:
    assert kcode("--version").stdout == f"kcode {__version__}\n"


@pytest.mark.parametrize(
    "command",
    [
        "",
        "fix",
        "ask",
        "diff",
        "test",
        "apply",
        "reject",
        "split",
        "undo",
        "redo",
        "journal",
        "sessions",
        "export",
        "context",
        "login",
        "logout",
        "models",
        "doctor",
        "demo",
    ],
)
def test_every_command_explains_itself_within_80_columns(command: str) -> None:
    done = kcode(*([command] if command else []), "--help")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80 or "│" in done.stdout
    assert "…" not in done.stdout.replace('"…"', "")


def test_a_mistyped_command_is_not_taken_for_a_question() -> None:
    done = kcode("fxi")
    assert done.returncode == 2
    assert "fxi" in done.stderr


def test_an_unknown_option_is_a_usage_error() -> None:
    assert kcode("fix", "x", "--aply").returncode == 2


def test_options_that_exclude_each_other_are_a_usage_error() -> None:
    done = kcode("fix", "x y", "--patch", "--apply")
    assert (done.returncode, "--patch" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KcodeError("x"), 1),
        (DraftError("x"), 1),
        (UsageError("x"), 2),
        (WorkspaceError("x"), 2),
        (RefusedError("x"), 5),
        (NoSandboxError("x"), 5),
        (ProviderError(Failure("retry", "x")), 75),
        (ProviderError(Failure("key", "x")), 2),
        (ProviderError(Failure("model", "x")), 2),
        (ProviderError(Failure("quota", "x")), 1),
        (ProviderError(Failure("broken", "x")), 1),
    ],
)
def test_each_error_has_its_exit_code(error: KcodeError, code: int) -> None:
    assert exit_code(error) == code


def test_the_readme_names_every_command_and_every_exit_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [
        command.name or getattr(command.callback, "__name__", "")
        for command in app.registered_commands
        if not command.hidden
    ]
    assert [name for name in commands if f"kcode {name}" not in readme] == []
    codes = " ".join(readme.split("**Exit codes.**")[1].split("\n\n")[0].split())
    assert [
        code for code in ("0", "1", "2", "3", "4", "5", "6", "75", "130/143") if f" {code} " not in f" {codes} "
    ] == []
