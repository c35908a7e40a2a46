"""Which of the failures over a draft were there before: the tests over the user's files as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.headless.terminal import DIM, YELLOW
from kcode.options import TEST_SECONDS
from kcode.results import CommandEnd, TestReport
from kcode.testing.verdict import with_before

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.headless.terminal import Terminal
    from kcode.options import OutputOptions


async def run_baseline(
    bench: Workbench, report: TestReport, terminal: Terminal, output: OutputOptions
) -> TestReport | None:
    """The tests over the untouched workspace, once, where they fail over the draft; None where that tells nothing.

    It is not run where nobody would be told.
    """
    if report.ok or report.result.end is not CommandEnd.EXITED or (output.quiet and not output.json):
        return None
    if not output.quiet and bench.view.untouched.report is None:
        terminal.say("Running the tests over your files as they are, to tell what failed before …", DIM)
    seconds = min(TEST_SECONDS, bench.settings.timeout or TEST_SECONDS)
    before, reason = await bench.view.untouched.run(bench.view.partial_tests(), report, seconds)
    if reason:
        # Only what is known of the draft's failures depends on it.
        terminal.say(f"! {reason}", YELLOW)
    return before


def describe_before(report: TestReport, before: TestReport | None) -> str:
    """The same in a few words that go on after the verdict on the draft; "" where it is not known."""
    if before is None:
        return ""
    if not report.failures:
        return "; without this change they pass" if before.ok else "; without this change they fail too"
    known, all_ = with_before(report, before), len(report.failures)
    both, untried = known.failed_before, len(known.untried)
    if both is None:
        tests, new = ("that test", "it is") if all_ == 1 else ("these tests", "they are")
        return f"; without this change {tests} did not run, so whether {new} new is not known"
    if untried:
        return f"; {len(both)} of {all_} failures were there before, and {untried} did not run without this change"
    if all_ == 1:
        return "; that failure was there before" if both else "; that failure is new"
    if len(both) in {0, all_}:
        return f"; all {all_} failures {'were there before' if both else 'are new'}"
    return f"; {len(both)} of {all_} failures were there before"
