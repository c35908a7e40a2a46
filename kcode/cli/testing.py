"""The command that runs the project's tests over parts of a proposal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kcode.cli.options import Anywhere, Color, Folder, Json, NoSandbox, Quiet, Test, chosen_color
from kcode.options import LEAST_RUNS, MOST_RUNS, TEST_SECONDS, OutputOptions, PlaceOptions, TestOptions

Words = Annotated[
    list[str] | None,
    typer.Argument(
        help="Hunks by their ids or as file:line, files, folders or patterns. Left out, all of them.",
        metavar="HUNK|FILE",
    ),
]
Hunks = Annotated[list[str] | None, typer.Option(help="The same as an option, joined by commas.", metavar="IDS")]
Without = Annotated[list[str] | None, typer.Option(help="Leave these out; may be given again.", metavar="HUNK|FILE")]
Nothing = Annotated[bool, typer.Option("--none", help="Test the workspace as it is, without any hunk.")]
Bisect = Annotated[bool, typer.Option("--bisect", help="Find the fewest hunks that make the tests fail, or pass.")]
MaxRuns = Annotated[int, typer.Option(help="Stop looking after so many runs.", metavar="N", min=LEAST_RUNS)]
Target = Annotated[str, typer.Option(help="Only these tests: a file, file::test, or part of a name.", metavar="T")]
RunTimeout = Annotated[float, typer.Option(help="End a run after so many seconds.", metavar="S", min=0)]

# ruff: noqa: PT028 - the command is called test, and is no test


def test(
    words: Words = None,
    hunks: Hunks = None,
    without: Without = None,
    none: Nothing = False,
    bisect: Bisect = False,
    max_runs: MaxRuns = MOST_RUNS,
    test: Test = None,
    target: Target = "",
    timeout: RunTimeout = TEST_SECONDS,
    json: Json = False,
    folder: Folder = Path(),
    anywhere: Anywhere = False,
    no_sandbox: NoSandbox = False,
    quiet: Quiet = False,
    color: Color = "auto",
) -> None:
    """Test chosen hunks of what is proposed.

    The tests run over your files plus those hunks, in a draft of their own: neither your files nor the session's draft
    change. kcode diff --hunks lists the hunks.

    \b
    kcode test                        all hunks
    kcode test src/parser.py 3fa9     one file and one hunk
    kcode test --without tests/       all but those
    kcode test --bisect               which hunks break the tests, or mend them

    Exit: 0 the tests pass, or --bisect found the hunks; 3 nothing is pending, or --bisect found no difference; 4 the
    tests fail; 6 --bisect ran out of runs; 2 usage; 5 refused; 1 any other error, and tests too flaky for --bisect.
    """
    from kcode.headless.test import run_tests

    raise typer.Exit(
        run_tests(
            TestOptions(
                (*(words or ()), *(hunks or ())), tuple(without or ()), none, target, timeout, bisect, max_runs
            ),
            PlaceOptions(folder, anywhere, no_sandbox, test),
            OutputOptions(json=json, quiet=quiet, color=chosen_color(color)),
        )
    )
