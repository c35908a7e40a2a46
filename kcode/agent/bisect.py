"""Which hunks make the tests fail, or pass: the end points, the search between them, and how sure its answer is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from kcode.errors import IncompleteError, ToolError
from kcode.options import MOST_RUNS
from kcode.results import CommandResult, TestReport
from kcode.testing.minimise import minimise
from kcode.testing.verdict import Verdict, compare, failing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.testing.verdict import Difference


@dataclass(frozen=True, slots=True)
class ProbeStarted:
    """The tests are about to run over these hunks; `number` counts from 1."""

    number: int
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class ProbeFinished:
    """`report` is None when these hunks cannot be tested without others, for the reason in `problem`."""

    number: int
    keys: frozenset[str]
    verdict: Verdict
    report: TestReport | None
    problem: str = ""


Run = Callable[[frozenset[str]], Awaitable[TestReport]]
OnProbe = Callable[[ProbeStarted | ProbeFinished], None]


class BisectEnd(Enum):
    """What came of it.

    found: `keys` are the answer · out_of_runs: the smallest answer so far · no_difference: the tests do the same with
    all hunks as with none · flaky: they do not do the same twice over the same files.
    """

    FOUND = "found"
    OUT_OF_RUNS = "out_of_runs"
    NO_DIFFERENCE = "no_difference"
    FLAKY = "flaky"


@dataclass(frozen=True, slots=True)
class Bisection:
    """With `keys` the tests do what `wanted` says, and without any one of them they do not.

    `tests` are those which these hunks make fail, or pass; none where the runner names none. `others` fail with all hunks
    alone too, but not with these. `flaky` are tests that did not do the same twice over the same files.
    """

    end: BisectEnd
    runs: int
    keys: frozenset[str] = frozenset()
    wanted: Verdict | None = None
    tests: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    flaky: frozenset[str] = frozenset()


async def bisect(
    run: Run, groups: Sequence[frozenset[str]], *, most_runs: int = MOST_RUNS, on_probe: OnProbe | None = None
) -> Bisection:
    """Find a smallest part of the groups' hunks that makes the tests fail, or that is needed for them to pass.

    What is looked for is what all hunks do and none of them does, about the same failing tests: a part whose tests fail
    in another way, as when it cannot even be imported, tells nothing. `groups` are hunks that belong together, such as a
    file's. The end points are always run, and once more if they differ; ToolError when all hunks have no tests.
    """
    runs = _Runs(run, on_probe)
    whole = frozenset[str]().union(*groups)
    after = await runs.take(whole)
    before = await runs.take_first()
    if compare(before, after) is None:
        return Bisection(BisectEnd.NO_DIFFERENCE, runs.count, tests=failing(after))
    after_again = await runs.take(whole)
    before_again = await runs.take_first()
    flaky = (failing(before) ^ failing(before_again)) | (failing(after) ^ failing(after_again))
    difference = compare(before, after, flaky)
    if difference is None or difference != compare(before_again, after_again, flaky):
        return Bisection(BisectEnd.FLAKY, runs.count, flaky=flaky)
    runs.difference = difference
    # One is kept for the answer, which is tried again.
    most_probes = max(0, most_runs - runs.count - 1)
    minimum = await minimise(runs.probe, groups, difference.wanted, most_probes=most_probes)
    end = BisectEnd.FOUND if minimum.proven else BisectEnd.OUT_OF_RUNS
    if minimum.proven and minimum.keys != whole and await runs.probe(minimum.keys) is not difference.wanted:
        end = BisectEnd.FLAKY
    tests = difference.tests
    if difference.wanted is Verdict.FAIL:
        tests &= failing(runs.reports[minimum.keys])
    return Bisection(end, runs.count, minimum.keys, difference.wanted, tests, difference.tests - tests, flaky)


class _Runs:
    """Every run of the tests, told and counted. `difference` is what they are judged by, once it is known."""

    def __init__(self, run: Run, on_probe: OnProbe | None) -> None:
        self.count = 0
        self.reports: dict[frozenset[str], TestReport] = {}
        self.difference: Difference | None = None
        self._run, self._on_probe = run, on_probe

    async def take(self, keys: frozenset[str]) -> TestReport:
        """An end point: what keeps it from being tested is raised."""
        self._start(keys)
        report = await self._run(keys)
        self._finish(keys, report, "")
        return report

    async def take_first(self) -> TestReport:
        """The untouched workspace; where it has no tests at all, none of them fails."""
        try:
            return await self.take(frozenset())
        except ToolError as error:
            self._finish(frozenset(), None, str(error))
            return TestReport("", CommandResult(0, ""))

    async def probe(self, keys: frozenset[str]) -> Verdict:
        self._start(keys)
        try:
            report = await self._run(keys)
        except (IncompleteError, ToolError) as error:
            return self._finish(keys, None, str(error))
        return self._finish(keys, report, "")

    def _start(self, keys: frozenset[str]) -> None:
        self.count += 1
        if self._on_probe:
            self._on_probe(ProbeStarted(self.count, keys))

    def _finish(self, keys: frozenset[str], report: TestReport | None, problem: str) -> Verdict:
        if self.difference:
            verdict = self.difference.judge(report)
        elif report is None:
            verdict = Verdict.UNRESOLVED
        else:
            verdict = Verdict.PASS if report.ok else Verdict.FAIL
        if report is not None:
            self.reports[keys] = report
        if self._on_probe:
            self._on_probe(ProbeFinished(self.count, keys, verdict, report, problem))
        return verdict
