from __future__ import annotations

import pytest

from kcode.results import CommandEnd, CommandResult, TestFailure, TestReport
from kcode.testing.outcome import failure
from kcode.testing.verdict import Verdict, compare


def run(*failing: str, code: int | None = None, end: CommandEnd = CommandEnd.EXITED) -> TestReport:
    exit_code = (1 if failing else 0) if code is None else code
    return TestReport("t", CommandResult(exit_code, "", end), failures=tuple(map(TestFailure, failing)))


PASSING, CRASH, TIMEOUT = run(), run(code=1), run(code=-15, end=CommandEnd.TIMEOUT)
PASS, FAIL, UNRESOLVED = Verdict.PASS, Verdict.FAIL, Verdict.UNRESOLVED


@pytest.mark.parametrize(
    ("first", "second", "wanted", "tests"),
    [
        (PASSING, run("a"), FAIL, {"a"}),
        (run("a"), PASSING, PASS, {"a"}),
        (run("a"), run("a", "b"), FAIL, {"b"}),
        (run("a", "b"), run("a"), PASS, {"b"}),
        (run("a"), run("b"), FAIL, {"b"}),
        (PASSING, CRASH, FAIL, set()),
        (CRASH, PASSING, PASS, set()),
        (run("a"), CRASH, FAIL, set()),
        (PASSING, TIMEOUT, FAIL, set()),
        (CRASH, TIMEOUT, FAIL, set()),
    ],
)
def test_the_difference_is_what_one_run_alone_fails_in(
    first: TestReport, second: TestReport, wanted: Verdict, tests: set[str]
) -> None:
    difference = compare(first, second)
    assert difference is not None
    assert (difference.wanted, set(difference.tests)) == (wanted, tests)
    opposite = PASS if wanted is FAIL else FAIL
    assert (difference.judge(second), difference.judge(first)) == (wanted, opposite)


@pytest.mark.parametrize("same", [PASSING, CRASH, TIMEOUT, run("a", "b")])
def test_runs_that_do_the_same_have_no_difference(same: TestReport) -> None:
    assert compare(same, same) is None


def test_flaky_tests_make_no_difference() -> None:
    assert compare(PASSING, run("a"), {"a"}) is None
    difference = compare(run("b"), run("a", "c"), {"a", "b"})
    assert difference is not None
    assert difference.tests == {"c"}
    assert difference.judge(run("a", "b")) is PASS


@pytest.mark.parametrize(
    ("report", "verdict"),
    [
        (run("a"), FAIL),
        (run("a", "import of b"), FAIL),
        (run("old"), PASS),
        (PASSING, PASS),
        (run("import of b"), UNRESOLVED),
        (run("old", "import of b"), UNRESOLVED),
        (CRASH, UNRESOLVED),
        (TIMEOUT, UNRESOLVED),
        (None, UNRESOLVED),
    ],
)
def test_a_failure_of_another_kind_tells_nothing(report: TestReport | None, verdict: Verdict) -> None:
    difference = compare(run("old"), run("old", "a"))
    assert difference is not None
    assert difference.judge(report) is verdict


@pytest.mark.parametrize(
    ("detail", "verdict"),
    [
        ("t.py:9: in test_add\nE   assert 4 == 3", FAIL),
        ("t.py:9: in test_add\nE   AssertionError: it is 4", FAIL),
        ("", FAIL),
        ("calc.py:2: in add\nE   NameError: name 'plus' is not defined", UNRESOLVED),
    ],
)
def test_the_same_test_that_fails_with_another_error_tells_nothing(detail: str, verdict: Verdict) -> None:
    def failed(said: str) -> TestReport:
        return TestReport("t", CommandResult(1, ""), failures=(failure("t.py::test_add", said),))

    difference = compare(PASSING, failed("t.py:6: in test_add\nE   assert 5 == 3"))
    assert difference is not None
    assert difference.judge(failed(detail)) is verdict


@pytest.mark.parametrize(
    ("report", "verdict"),
    [(CRASH, FAIL), (PASSING, PASS), (run(code=125), UNRESOLVED), (run(code=127), UNRESOLVED), (run("a"), UNRESOLVED)],
)
def test_where_no_test_is_named_the_exit_code_tells_the_failure(report: TestReport, verdict: Verdict) -> None:
    """So 125, which a script gives to `git bisect run` for what cannot be tested, tells nothing here either."""
    difference = compare(PASSING, CRASH)
    assert difference is not None
    assert difference.judge(report) is verdict
