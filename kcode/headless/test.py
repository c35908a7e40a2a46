"""`kcode test`: the project's tests over the workspace plus chosen hunks of the pending proposal."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.agent.partial import open_partial_tests
from kcode.agent.place import open_place
from kcode.agent.reviewing import open_review
from kcode.draft.files import Proposal
from kcode.draft.selection import select_hunks
from kcode.errors import ToolError, UsageError
from kcode.headless.bisection import bisect_hunks
from kcode.headless.choice import Choice, choice_fields, describe_choice, keys_in_order
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import VERSION, tests_fields, write_line
from kcode.headless.report import describe_tests
from kcode.headless.terminal import DIM, YELLOW, Terminal
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from kcode.agent.partial import PartialTests
    from kcode.options import OutputOptions, PlaceOptions, TestOptions
    from kcode.results import TestReport

EXIT_NOTHING, EXIT_TESTS_FAIL = 3, 4


def run_tests(options: TestOptions, place: PlaceOptions, output: OutputOptions) -> int:
    """Test the chosen hunks, or bisect them, and return the exit code."""
    terminal = Terminal(os.environ, output.color)
    spot = open_place(place)
    review = open_review(spot)
    proposal = review.proposal() if review else Proposal()
    if not proposal and not options.none:
        terminal.say("Nothing is pending here. kcode test --none tests the workspace as it is.", YELLOW)
        if output.json:
            write_line("run.completed", exit_code=EXIT_NOTHING, tests=None)
        return EXIT_NOTHING
    choice = Choice(proposal, _chosen_keys(proposal, options, spot.workspace.start))
    if proposal.conflicts and not options.words and not options.none and not output.quiet:
        terminal.say(
            "! Left out, since they conflict with what you changed meanwhile: "
            f"{', '.join(key for key in keys_in_order(proposal) if key in proposal.conflicts)}.",
            YELLOW,
        )
    if options.bisect and not choice.keys:
        raise UsageError("--bisect looks for hunks among the chosen ones, and none is chosen.")

    async def work() -> int:
        tests = await open_partial_tests(spot, place)
        prove = bisect_hunks if options.bisect else _test
        try:
            return await prove(tests, choice, options, output, terminal)
        except ToolError as error:
            # The last words are for the model, which has a tool of that name.
            said = str(error).removesuffix(" Run them with run_command.")
            raise ToolError(f"{said}\nTo say how this project is tested: kcode test --test CMD.") from error

    return run_until_signal(work())


def _chosen_keys(proposal: Proposal, options: TestOptions, start: str) -> tuple[str, ...]:
    if options.none and (options.words or options.without or options.bisect):
        raise UsageError("--none is the workspace without any hunk; it goes with no choice of hunks and no --bisect.")
    everything = keys_in_order(proposal)
    chosen = (
        select_hunks(proposal, options.words, start) if options.words else frozenset(everything) - proposal.conflicts
    )
    chosen -= select_hunks(proposal, options.without, start)
    if chosen & proposal.conflicts:
        # With the draft's lines in the place of the user's it would be a test of what is never written.
        raise UsageError(
            f"{', '.join(sorted(chosen & proposal.conflicts))}: conflicts with what you changed there since, so it cannot be "
            "written, and no test can tell what it would give. kcode diff shows it; choose other hunks."
        )
    return () if options.none else tuple(key for key in everything if key in chosen)


async def _test(
    tests: PartialTests, choice: Choice, options: TestOptions, output: OutputOptions, terminal: Terminal
) -> int:
    total = len(keys_in_order(choice.proposal))
    if output.json:
        write_line("tests.started", version=VERSION, **choice_fields(choice, tests.workspace.root))
    if not output.quiet:
        terminal.say(f"Testing the workspace with {describe_choice(choice.keys, total)} …", DIM)
    live = _LiveOutput(terminal)
    try:
        report = await tests.run(
            choice.proposal,
            choice.keys,
            target=options.target,
            seconds=options.seconds,
            on_output=None if output.quiet else live.show,
        )
    finally:
        live.close()
    code = 0 if report.ok else EXIT_TESTS_FAIL
    if output.json:
        write_line("tests.finished", hunks=list(choice.keys), **tests_fields(report))
        write_line("run.completed", exit_code=code, tests=tests_fields(report))
    else:
        sys.stdout.write(f"{describe_choice(choice.keys, total)}: {describe_run(report)}")
        sys.stdout.flush()
    return code


class _LiveOutput:
    """What the tests print, as it comes."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._line_is_open = False

    def show(self, text: str) -> None:
        self._terminal.say(text, DIM, end="")
        self._line_is_open = not text.endswith("\n")

    def close(self) -> None:
        if self._line_is_open:
            self._terminal.say()


def describe_run(report: TestReport) -> str:
    """The verdict in one line, and the name of each failing test below it."""
    names = [f"  {sanitize_line(failure.name)}\n" for failure in report.failures]
    return f"{describe_tests(replace(report, failures=()))}\n{''.join(names)}"
