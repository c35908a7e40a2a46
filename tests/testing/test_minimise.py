from __future__ import annotations

import asyncio
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kcode.testing.minimise import Minimum, minimise
from kcode.testing.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Oracle = Callable[[frozenset[str]], Verdict]

KEYS = "abcdefgh"
PASS, FAIL, UNRESOLVED = Verdict.PASS, Verdict.FAIL, Verdict.UNRESOLVED
some_keys = st.sampled_from([frozenset(some) for size in range(1, 9) for some in combinations(KEYS, size)])


class Probing:
    """Counts what is asked of an oracle."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle, self.asked = oracle, list[frozenset[str]]()

    async def probe(self, keys: frozenset[str]) -> Verdict:
        self.asked.append(keys)
        return self.oracle(keys)

    def minimise(self, groups: Sequence[frozenset[str]], wanted: Verdict, most_probes: int = 10_000) -> Minimum:
        return asyncio.run(minimise(self.probe, groups, wanted, most_probes=most_probes))


def grouped(keys: str, sizes: Sequence[int]) -> list[frozenset[str]]:
    """The keys in groups of these sizes, the last of what is left."""
    groups, rest = [], keys
    for size in sizes:
        groups.append(frozenset(rest[:size]))
        rest = rest[size:]
    return [*groups, frozenset(rest)]


groupings = st.lists(st.integers(0, 4), max_size=6).map(lambda sizes: grouped(KEYS, sizes))


def subsets(keys: frozenset[str]) -> list[frozenset[str]]:
    return [frozenset(some) for size in range(len(keys) + 1) for some in combinations(sorted(keys), size)]


@given(culprits=some_keys, groups=groupings)
@example(culprits=frozenset("ah"), groups=[frozenset(KEYS)])
def test_what_one_set_of_hunks_causes_is_found_exactly(culprits: frozenset[str], groups: list[frozenset[str]]) -> None:
    probing = Probing(lambda keys: FAIL if culprits <= keys else PASS)
    found = probing.minimise(groups, FAIL)
    assert (found.keys, found.proven) == (culprits, True)
    assert found.probes == len(probing.asked) == len(set(probing.asked))


@given(causes=st.lists(some_keys, min_size=1, max_size=4), groups=groupings)
def test_of_several_causes_one_that_holds_no_other_is_found(
    causes: list[frozenset[str]], groups: list[frozenset[str]]
) -> None:
    found = Probing(lambda keys: PASS if any(cause <= keys for cause in causes) else FAIL).minimise(groups, PASS)
    smallest = {keys for keys in subsets(frozenset(KEYS)) if keys in causes and not any(c < keys for c in causes)}
    assert found.keys in smallest


@given(
    none=st.sampled_from([verdict for verdict in Verdict if verdict is not FAIL]),
    some=st.lists(st.sampled_from(Verdict), min_size=2**5 - 2, max_size=2**5 - 2),
    groups=groupings,
)
def test_whatever_the_verdicts_are_no_hunk_of_the_answer_can_be_left_out(
    none: Verdict, some: list[Verdict], groups: list[frozenset[str]]
) -> None:
    """Also where more hunks mend what fewer break, and where many parts tell nothing."""
    five = [group & frozenset("abcde") for group in groups]
    oracle = dict(zip(subsets(frozenset("abcde")), [none, *some, FAIL], strict=True))
    probing = Probing(oracle.__getitem__)
    found = probing.minimise(five, FAIL)
    assert found.proven
    assert oracle[found.keys] is FAIL
    assert all(oracle[found.keys - {key}] is not FAIL for key in found.keys)
    assert len(probing.asked) == len(set(probing.asked))
    assert not {frozenset(), frozenset("abcde")} & set(probing.asked)


@given(culprits=some_keys, groups=groupings, most=st.integers(0, 12))
def test_with_few_probes_the_answer_is_the_smallest_so_far(
    culprits: frozenset[str], groups: list[frozenset[str]], most: int
) -> None:
    probing = Probing(lambda keys: FAIL if culprits <= keys else PASS)
    found = probing.minimise(groups, FAIL, most_probes=most)
    assert len(probing.asked) <= most
    assert culprits <= found.keys
    assert not found.proven or found.keys == culprits


def test_hunks_that_need_each_other_are_found_together() -> None:
    def oracle(keys: frozenset[str]) -> Verdict:
        if len(keys & {"b", "f"}) == 1:
            return UNRESOLVED
        return FAIL if {"b", "f", "g"} <= keys else PASS

    assert Probing(oracle).minimise([frozenset(KEYS)], FAIL).keys == {"b", "f", "g"}


@pytest.mark.parametrize("count", [64, 256])
def test_one_of_many_is_found_in_few_probes(count: int) -> None:
    keys = [f"{number:03}" for number in range(count)]
    probing = Probing(lambda chosen: FAIL if keys[count // 3] in chosen else PASS)
    found = probing.minimise([frozenset(keys[start : start + 8]) for start in range(0, count, 8)], FAIL)
    assert found.keys == {keys[count // 3]}
    assert found.probes <= 2 * count.bit_length()
