"""How two test runs differ, and which of the two a third one is like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from kcode.results import CommandEnd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.results import TestFailure, TestReport

_ERROR = re.compile(r"(?:\w+\.)*(\w*(?:Error|Exception))\b")
# What pytest prints when it does not go on, and unittest for a file that it cannot import.
_CUT_SHORT = re.compile(r"^!{3,} .+ !{3,}$|unittest\.loader\._FailedTest", re.MULTILINE)


class Verdict(Enum):
    """What a run says about the failures in question; unresolved when it failed in another way."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    UNRESOLVED = "unresolved"


# How a run ended that named no failing test: the same twice is taken for the same failure.
Ending = tuple[CommandEnd, int | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes one of two runs the failing one.

    `wanted` is the verdict on the second run, the first has the other one. `tests` fail in one of the two alone; where
    that one names no failing test it is known by `ending`. `known` are failures that say nothing about the difference.
    `kinds` tell of each test the error that it fails with, where that is known: a part of a proposal may well fail the
    same test with a name that is not defined.
    """

    wanted: Verdict
    tests: frozenset[str]
    ending: Ending | None = None
    other_ending: Ending | None = None
    known: frozenset[str] = frozenset()
    kinds: Mapping[str, str] = field(default_factory=dict, compare=False)

    def judge(self, report: TestReport | None) -> Verdict:
        """The verdict on another run; None is one that could not be made."""
        if report is None:
            return Verdict.UNRESOLVED
        names, ending = failing(report), _ending(report)
        alike = any(one.name in self.tests and self._is_alike(one) for one in report.failures)
        if alike or (self.ending is not None and ending == self.ending):
            return Verdict.FAIL
        passed_over = names and names <= self.known and report.result.end is CommandEnd.EXITED
        if report.ok or passed_over or (ending is not None and ending == self.other_ending):
            return Verdict.PASS
        return Verdict.UNRESOLVED

    def _is_alike(self, failure: TestFailure) -> bool:
        kinds = {kind for kind in (self.kinds.get(failure.name, ""), _kind(failure)) if kind}
        return len(kinds) < 2


def failing(report: TestReport) -> frozenset[str]:
    """The names of the failing tests."""
    return frozenset(failure.name for failure in report.failures)


def with_before(report: TestReport, before: TestReport | None) -> TestReport:
    """The report with what another run, without the draft's changes, tells of its failing tests.

    Only a test that ran there can be said to have passed: that run may have ended before it got to it.
    """
    if before is None or not report.failures:
        return report
    names, known = [failure.name for failure in report.failures], failing(before)
    both = tuple(name for name in names if name in known)
    untried = tuple(name for name in names if name not in known and not _passed(before, name))
    return replace(report, failed_before=None if len(untried) == len(names) else both, untried=untried)


def _passed(report: TestReport, name: str) -> bool:
    """Whether a test that is not among the failing ones passed, as far as the run tells."""
    if report.ran is not None:
        return name in report.ran
    if report.ok:
        return report.passed != 0
    broken = report.result.end is not CommandEnd.EXITED or _CUT_SHORT.search(report.result.output)
    return bool(report.failures and report.passed) and not broken


def failed_before(report: TestReport, before: TestReport | None) -> list[str] | None:
    """The names of the failing tests that failed before as well; None where that is not known."""
    names = with_before(report, before).failed_before
    return None if names is None else list(names)


def compare(first: TestReport, second: TestReport, flaky: Iterable[str] = ()) -> Difference | None:
    """How the second run differs; None when it does not. Tests that only the second fails count before those it mends.

    Tests that are `flaky` make no difference.
    """
    before, after = failing(first), failing(second)
    known = before | after | frozenset(flaky)
    for wanted, bad, good in ((Verdict.FAIL, second, first), (Verdict.PASS, first, second)):
        tests = failing(bad) - failing(good) - frozenset(flaky)
        ending = _ending(bad)
        if tests:
            kinds = {failure.name: _kind(failure) for failure in bad.failures}
            return Difference(wanted, tests, None, _ending(good), known - tests, kinds)
        if ending is not None and ending != _ending(good):
            return Difference(wanted, frozenset(), ending, _ending(good), known)
    return None


def _kind(failure: TestFailure) -> str:
    """The class of the error that a test failed with; "" where the cause does not tell."""
    if failure.cause.startswith("assert "):
        return "AssertionError"
    found = _ERROR.match(failure.cause)
    return found[1] if found else ""


def _ending(report: TestReport) -> Ending | None:
    """How a failed run ended that names no failing test; None for any other run."""
    if report.ok or report.failures:
        return None
    result = report.result
    return result.end, result.exit_code if result.end is CommandEnd.EXITED else None
