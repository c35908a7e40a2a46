"""Running a project's tests and saying what came of it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.errors import ToolError
from kcode.results import CommandResult, TestReport
from kcode.testing.console import read_output
from kcode.testing.gojson import read_go
from kcode.testing.junit import read_junit
from kcode.testing.nothing import describe_test_files, ran_nothing
from kcode.testing.outcome import Outcome
from kcode.testing.project import NO_TARGET
from kcode.testing.runners import find_runner
from kcode.textfile import without_colors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kcode.testing.project import Project, Runner

# Runs a command for sh in the workspace's root. With a name given, the command finds a folder to write to in
# $KCODE_REPORT, else at /tmp/kcode-report, and the bytes of the file of that name in it come back, None if there is none.
Run = Callable[[str, float, str | None], Awaitable[tuple[CommandResult, bytes | None]]]
_MOST_OUTPUT, _MOST_SAID = 60_000, 10


def python_interpreters(environment: Mapping[str, str]) -> list[str]:
    """The interpreters that may hold a project's packages, after its own virtual environments; kcode's own is last."""
    active = environment.get("VIRTUAL_ENV", "")
    return [*([f"{active}/bin/python"] if active.startswith("/") else []), "python3", "python", sys.executable]


async def run_project_tests(
    project: Project,
    run: Run,
    *,
    target: str = "",
    seconds: float = 600.0,
    custom: str | None = None,
    interpreters: Sequence[str] = ("python3", "python"),
) -> TestReport:
    """Run the tests of the target, or all, with the runner that the project has.

    ToolError when it has none, and when there was no test to run. `custom` is the user's own command: it is run as it
    is, whatever the target, what it prints is read, and its exit code counts.
    """
    if custom is not None:
        result, _ = await run(custom, seconds, None)
        return _report(custom + (NO_TARGET if target.strip() else ""), result, read_output(result.output))
    runner = find_runner(project, target, interpreters)
    result, written = await run(runner.command, seconds, runner.report)
    shown, result = _announced(runner, result)
    result, outcome = _read(runner, result, written)
    if ran_nothing(result, outcome):
        raise ToolError(_nothing(project, target.strip(), shown, result))
    return _report(shown, result, outcome)


def _announced(runner: Runner, result: CommandResult) -> tuple[str, CommandResult]:
    """What was run, and the result without the line that told it."""
    first, _, rest = result.output.partition("\n")
    if not runner.announces or not first.startswith("+ "):
        return runner.shown, result
    return first[2:].rstrip("\r"), replace(result, output=rest)


def _nothing(project: Project, target: str, shown: str, result: CommandResult) -> str:
    wanted = f" from {target}" if target else ""
    said = "\n".join(without_colors(result.output).strip().splitlines()[-_MOST_SAID:]) or "(no output)"
    return (
        f"No tests were collected{wanted}. {describe_test_files(project.files)}\n"
        f"Command: {shown}\nExit code {result.exit_code}, end of the output:\n{said}"
    )


def _read(runner: Runner, result: CommandResult, written: bytes | None) -> tuple[CommandResult, Outcome | None]:
    """The outcome from the report where the runner wrote one, else from the output."""
    if runner.reading == "go" and written:
        outcome, printed = read_go(written)
        return replace(result, output=(printed + result.output)[-_MOST_OUTPUT:]), outcome
    outcome = read_junit(written) if runner.reading == "junit" and written else None
    return result, outcome or read_output(result.output)


def _report(shown: str, result: CommandResult, outcome: Outcome | None) -> TestReport:
    outcome = outcome or Outcome()
    counts = (outcome.passed, outcome.failed, outcome.skipped)
    return TestReport(shown, result, *counts, outcome.failures, ran=outcome.ran)
