"""Which of the failures over a draft were there before: the tests over the user's files as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.files import Proposal
from kcode.errors import KcodeError, ToolError
from kcode.headless.terminal import DIM, YELLOW
from kcode.options import TEST_SECONDS
from kcode.results import CommandEnd, CommandResult, TestReport
from kcode.testing.verdict import failing

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.headless.terminal import Terminal
    from kcode.options import OutputOptions

# What takes much longer than the same tests took over the draft will hardly end well.
_LEAST_SECONDS, _TIMES_LONGER = 60.0, 3


async def run_baseline(
    bench: Workbench, report: TestReport, terminal: Terminal, output: OutputOptions
) -> TestReport | None:
    """The tests over the untouched workspace, once, where they fail over the draft; None where that tells nothing.

    It is not run where nobody would be told.
    """
    if report.ok or report.result.end is not CommandEnd.EXITED or (output.quiet and not output.json):
        return None
    if not output.quiet:
        terminal.say("Running the tests over your files as they are, to tell what failed before …", DIM)
    seconds = max(_LEAST_SECONDS, _TIMES_LONGER * report.result.seconds)
    seconds = min(TEST_SECONDS, bench.settings.timeout or TEST_SECONDS, seconds)
    try:
        before = await bench.view.partial_tests().run(Proposal(), (), seconds=seconds)
    except ToolError:
        # Without the draft's changes there are no tests at all, so none of them fails.
        return TestReport("", CommandResult(0, ""))
    except KcodeError as error:
        # Only what is known of the draft's failures depends on it.
        terminal.say(f"! {error}", YELLOW)
        return None
    return before if before.result.end is CommandEnd.EXITED else None


def failed_before(report: TestReport, before: TestReport | None) -> list[str] | None:
    """The names of the failing tests that failed before as well; None where that is not known."""
    if before is None or not report.failures or (not before.ok and not before.failures):
        return None
    names = failing(before)
    return [failure.name for failure in report.failures if failure.name in names]


def describe_before(report: TestReport, before: TestReport | None) -> str:
    """The same in a few words that go on after the verdict on the draft; "" where it is not known."""
    if before is None:
        return ""
    both, all_ = failed_before(report, before), len(report.failures)
    if both is None:
        return "; without this change they pass" if before.ok else "; without this change they fail too"
    if all_ == 1:
        return "; that failure was there before" if both else "; that failure is new"
    if len(both) in {0, all_}:
        return f"; all {all_} failures {'were there before' if both else 'are new'}"
    return f"; {len(both)} of {all_} failures were there before"
