"""The program as typer sees it: every command, in the order of `kcode --help`."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from kcode.cli.changes import apply, diff, journal, redo, reject, split, undo
from kcode.cli.look import map as map_command
from kcode.cli.review import review
from kcode.cli.sessions import export, sessions
from kcode.cli.setup import context, demo, doctor, login, logout, models
from kcode.cli.talk import ask, chat, fix, start
from kcode.cli.testing import test

EXIT_INTERRUPTED = 130


def _is_prompt(args: list[str]) -> bool:
    return bool(args) and " " in args[0].strip() and not args[0].startswith("-")


def _behind_session(args: list[str]) -> list[str]:
    """What follows the choice of a session to go on with: `kcode -c "and test it"`."""
    match args:
        case ["-c" | "--continue", *rest] | ["-r" | "--resume", _, *rest]:
            return rest
    return []


class CommandGroup(TyperGroup):
    """A group whose first word may also be a prompt: `kcode "what does this do?"`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        # A single word is more likely a mistyped command than a question; `kcode chat WORD` asks it all the same.
        if _is_prompt(args[:1]) or _is_prompt(_behind_session(args)):
            args = ["chat", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Left to itself the library would print "Aborted!" and exit with 1.
            sys.stderr.write("\nkcode: interrupted\n")
            raise SystemExit(EXIT_INTERRUPTED) from None


app = typer.Typer(
    cls=CommandGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(start)
for command in (
    *(fix, ask, review, diff, test, apply, reject, split, undo, redo, journal),
    *(sessions, export, map_command, context, login, logout, models, doctor, demo),
):
    app.command()(command)
app.command(hidden=True)(chat)
