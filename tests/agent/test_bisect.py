from __future__ import annotations

import asyncio
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kcode.agent.bisect import BisectEnd, Bisection, ProbeFinished, ProbeStarted, bisect
from kcode.errors import IncompleteError, ToolError
from kcode.results import CommandResult, TestFailure, TestReport
from kcode.testing.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Names = Callable[[frozenset[str], int], set[str]]

KEYS = frozenset("abcdef")
some_keys = st.sampled_from([frozenset(some) for size in range(1, 7) for some in combinations(sorted(KEYS), size)])


def report(names: set[str]) -> TestReport:
    failures = tuple(map(TestFailure, sorted(names)))
    return TestReport("t", CommandResult(int(bool(names)), ""), failures=failures)


class Project:
    """Which tests fail, by the hunks and the number of times that just these were run before."""

    def __init__(self, failing: Names) -> None:
        self.failing, self.ran = failing, list[frozenset[str]]()
        self.events: list[ProbeStarted | ProbeFinished] = []

    async def run(self, keys: frozenset[str]) -> TestReport:
        before = self.ran.count(keys)
        self.ran.append(keys)
        return report(self.failing(keys, before))

    def bisect(self, groups: Sequence[frozenset[str]] = (KEYS,), most_runs: int = 100) -> Bisection:
        return asyncio.run(bisect(self.run, groups, most_runs=most_runs, on_probe=self.events.append))


@given(breaks=some_keys, mends=some_keys)
def test_what_is_broken_is_found_before_what_is_mended(breaks: frozenset[str], mends: frozenset[str]) -> None:
    project = Project(lambda keys, _: {*(["new"] if breaks <= keys else []), *([] if mends <= keys else ["old"])})
    found = project.bisect()
    assert (found.end, found.wanted) == (BisectEnd.FOUND, Verdict.FAIL)
    assert (set(found.keys), set(found.tests)) == (set(breaks), {"new"})


@given(mends=some_keys, noise=some_keys)
def test_the_hunks_that_are_needed_for_the_tests_to_pass_are_found(
    mends: frozenset[str], noise: frozenset[str]
) -> None:
    """`always` fails with all hunks and with none, and says nothing."""
    project = Project(
        lambda keys, _: {"always", *([] if mends <= keys else ["old"]), *(["x"] if keys == noise else [])}
    )
    assume(noise not in {KEYS, mends})
    found = project.bisect([frozenset("ab"), frozenset("cdef")])
    assert (found.end, found.wanted) == (BisectEnd.FOUND, Verdict.PASS)
    assert (set(found.keys), set(found.tests)) == (set(mends), {"old"})


def test_of_two_failures_one_is_traced_and_the_other_named() -> None:
    project = Project(lambda keys, _: {*(["t"] if "b" in keys else []), *(["u"] if {"d", "f"} <= keys else [])})
    found = project.bisect()
    assert (set(found.keys), set(found.tests), set(found.others)) == ({"b"}, {"t"}, {"u"})


def test_every_run_is_told_when_it_starts_and_when_it_ends() -> None:
    project = Project(lambda keys, _: {"t"} if "e" in keys else set())
    found = project.bisect()
    assert [event.keys for event in project.events[::2]] == project.ran
    assert all(isinstance(event, ProbeStarted) for event in project.events[::2])
    assert [event.number for event in project.events] == [n for n in range(1, found.runs + 1) for _ in range(2)]
    # Both end points twice, and the answer once more than the search needed it.
    assert project.ran[:4] == [KEYS, frozenset(), KEYS, frozenset()]
    assert project.ran[-1] == found.keys == frozenset("e")
    assert project.ran.count(found.keys) == 2


@pytest.mark.parametrize("names", [set(), {"t", "u"}])
def test_where_all_hunks_do_as_none_does_two_runs_tell_so(names: set[str]) -> None:
    found = Project(lambda _, __: names).bisect()
    assert (found.end, found.runs, set(found.tests)) == (BisectEnd.NO_DIFFERENCE, 2, names)


def test_a_test_that_fails_now_and_then_is_named_and_no_hunk_is_blamed() -> None:
    found = Project(lambda keys, before: {"flaky"} if keys and not before else set()).bisect()
    assert (found.end, set(found.keys), set(found.flaky), found.runs) == (BisectEnd.FLAKY, set(), {"flaky"}, 4)


def test_beside_a_flaky_test_another_one_is_still_looked_into() -> None:
    project = Project(
        lambda keys, before: {*(["flaky"] if (len(keys) + before) % 2 else []), *(["t"] if {"b", "c"} <= keys else [])}
    )
    found = project.bisect()
    assert (found.end, set(found.keys), set(found.tests)) == (BisectEnd.FOUND, {"b", "c"}, {"t"})
    assert set(found.flaky) == {"flaky"}


def test_an_answer_that_does_not_hold_when_it_is_run_again_is_called_flaky() -> None:
    def failing(keys: frozenset[str], before: int) -> set[str]:
        return {"t"} if keys == KEYS or (keys == {"a"} and not before) else set()

    found = Project(failing).bisect()
    assert (found.end, set(found.keys)) == (BisectEnd.FLAKY, {"a"})


@given(breaks=some_keys, most=st.integers(4, 12))
def test_the_bound_on_runs_is_kept_and_the_smallest_answer_so_far_is_given(breaks: frozenset[str], most: int) -> None:
    project = Project(lambda keys, _: {"t"} if breaks <= keys else set())
    found = project.bisect(most_runs=most)
    assert len(project.ran) == found.runs <= most
    assert breaks <= found.keys
    assert found.end in {BisectEnd.FOUND, BisectEnd.OUT_OF_RUNS}
    assert found.end is BisectEnd.OUT_OF_RUNS or found.keys == breaks


def test_what_cannot_be_tested_apart_is_unresolved_with_its_reason() -> None:
    async def run(keys: frozenset[str]) -> TestReport:
        if len(keys & {"a", "d"}) == 1:
            raise IncompleteError("a needs d")
        return report({"t"} if {"a", "d"} <= keys else set())

    events: list[ProbeStarted | ProbeFinished] = []
    found = asyncio.run(bisect(run, [KEYS], on_probe=events.append))
    assert (found.end, set(found.keys)) == (BisectEnd.FOUND, {"a", "d"})
    failed = [event for event in events if isinstance(event, ProbeFinished) and event.problem]
    assert {(event.verdict, event.problem, event.report) for event in failed} == {
        (Verdict.UNRESOLVED, "a needs d", None)
    }


def test_a_workspace_without_tests_fails_none_of_them() -> None:
    async def run(keys: frozenset[str]) -> TestReport:
        if "c" not in keys:
            raise ToolError("No tests were collected.")
        return report({"t"} if "b" in keys else set())

    found = asyncio.run(bisect(run, [KEYS]))
    assert (found.end, set(found.keys), found.wanted) == (BisectEnd.FOUND, {"b", "c"}, Verdict.FAIL)


def test_where_all_hunks_together_cannot_be_tested_the_error_is_raised() -> None:
    async def run(keys: frozenset[str]) -> TestReport:
        raise ToolError(f"No way to run tests was found over {len(keys)} hunks.")

    with pytest.raises(ToolError, match="over 6 hunks"):
        asyncio.run(bisect(run, [KEYS]))
