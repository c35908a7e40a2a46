"""What the tests say of the workspace without the draft's changes: run once, when they first fail with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.files import Proposal
from kcode.errors import KcodeError, ToolError
from kcode.options import TEST_SECONDS
from kcode.results import CommandEnd, CommandResult, TestReport
from kcode.testing.verdict import with_before

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.agent.partial import PartialTests

# What takes much longer than the same tests took over the draft will hardly end well.
_LEAST_SECONDS, _TIMES_LONGER = 60.0, 3


class Untouched:
    """The one run of all tests over the workspace as it is. `report` is None while there was none that tells anything."""

    def __init__(self) -> None:
        self.report: TestReport | None = None
        self._was_tried = False

    def note(self, report: TestReport) -> None:
        """Take a run of all tests over a draft in which nothing is changed yet."""
        if report.result.end is CommandEnd.EXITED:
            self.report = report

    async def run(
        self, tests: PartialTests, report: TestReport, seconds: float = TEST_SECONDS
    ) -> tuple[TestReport | None, str]:
        """The run that goes with a failing `report` of all tests over the draft, and why there is none, if it failed.

        A run that was not to be had is not tried again.
        """
        if self.report is None and not self._was_tried:
            self._was_tried = True
            limit = min(seconds, max(_LEAST_SECONDS, _TIMES_LONGER * report.result.seconds))
            try:
                # Also one that did not come to its end: it tells which tests are known to have run.
                self.report = await tests.run(Proposal(), (), seconds=limit)
            except ToolError:
                # Without the draft's changes there are no tests at all.
                self.report = TestReport("", CommandResult(0, ""), passed=0)
            except KcodeError as error:
                return None, str(error)
        return self.report, ""

    async def compare(
        self, tests: Callable[[], PartialTests], report: TestReport, *, is_whole: bool, is_changed: bool
    ) -> TestReport:
        """The report with what failed before, where that is known or a run of all tests is worth finding it out."""
        if not is_changed:
            if is_whole:
                self.note(report)
            return report
        if report.ok or not report.failures or report.result.end is not CommandEnd.EXITED:
            return report
        before = (await self.run(tests(), report))[0] if is_whole else self.report
        return with_before(report, before)
