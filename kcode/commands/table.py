"""Which slash commands there are, in the order of the help, and how a file becomes one."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.nearest import nearest_paths

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from kcode.commands.front import Front

# Each is a file of this folder with `async def run(front, words)`; its line in the help is the text `commands.NAME`.
COMMANDS = (
    "help",
    "review",
    "diff",
    "apply",
    "test",
    "undo",
    "redo",
    "journal",
    "context",
    "compact",
    "model",
    "thinking",
    "sessions",
    "new",
    "fork",
    "rename",
    "export",
    "copy",
    "settings",
    "theme",
    "doctor",
    "quit",
)


_COMMAND = re.compile(r"/([a-z][a-z0-9_-]*)(?!\S)")


def load_command(name: str) -> Callable[[Front, str], Awaitable[None]]:
    """The command's function. UsageError, with the nearest name, where there is none."""
    if name not in COMMANDS:
        raise unknown_command(name, COMMANDS)
    run: Callable[[Front, str], Awaitable[None]] = importlib.import_module(f"kcode.commands.{name}").run
    return run


def unknown_command_in(message: str) -> str | None:
    """The name where a message begins as a command does, but not with a path that is there; commands are tried before."""
    found = _COMMAND.match(message)
    return found[1] if found and not Path(f"/{found[1]}").exists() else None


def unknown_command(name: str, known: Iterable[str]) -> UsageError:
    close = nearest_paths(name, known, most=1)
    hint = f" Did you mean /{close[0]}?" if close else ""
    return UsageError(f"There is no command /{name}.{hint} /help lists them.")
