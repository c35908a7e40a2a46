"""The command line: commands, options, and the only place that turns errors into exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kcode.errors import KcodeError, OutputError, ProviderError, RefusedError, UsageError, WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_ERROR, EXIT_USAGE, EXIT_REFUSED, EXIT_RETRY = 1, 2, 5, 75


def exit_code(error: KcodeError) -> int:
    """The exit code for an error that reaches the command line."""
    if isinstance(error, ProviderError):
        return {"retry": EXIT_RETRY, "key": EXIT_USAGE, "model": EXIT_USAGE}.get(error.failure.kind, EXIT_ERROR)
    if isinstance(error, RefusedError):
        return EXIT_REFUSED
    return EXIT_USAGE if isinstance(error, UsageError | WorkspaceError) else EXIT_ERROR


def run(arguments: Sequence[str]) -> int:
    """Obey the arguments and return the exit code; every error becomes one message on stderr. Ctrl-C is raised."""
    try:
        code = _obey(arguments)
        sys.stdout.flush()
    except KcodeError as error:
        return _tell(error, json="--json" in arguments)
    except BrokenPipeError:
        # A reader that has left, as `| head` does, is no reason for a traceback.
        return EXIT_ERROR
    return code


def _obey(arguments: Sequence[str]) -> int:
    if not arguments:
        from kcode.cli.conversation import open_conversation
        from kcode.options import ModelOptions, PlaceOptions

        return open_conversation("", ModelOptions(), PlaceOptions(), "auto", None, plain=False)
    from kcode.cli.app import app

    try:
        app(args=list(arguments), prog_name="kcode")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _tell(error: KcodeError, *, json: bool) -> int:
    from kcode.sanitize import sanitize

    code = exit_code(error)
    sys.stderr.write(f"kcode: {sanitize(str(error))}\n")
    if json and not isinstance(error, OutputError):
        from kcode.headless.jsonlines import write_line

        write_line("error", message=str(error), exit_code=code)
    return code
