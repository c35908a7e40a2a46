from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.tally import Tally
from kcode.messages import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

COUNTS = st.integers(0, 10**6)
USAGES = st.builds(
    Usage,
    COUNTS,
    COUNTS,
    COUNTS,
    st.none() | st.integers(0, 1000).map(lambda n: n / 64),
    st.none() | COUNTS,
    st.booleans(),
).map(lambda usage: replace(usage, cost_is_estimate=usage.cost is not None and usage.cost_is_estimate))


def tally_of(usages: Iterable[Usage]) -> Tally:
    return reduce(Tally.with_reply, usages, Tally())


@given(st.lists(USAGES, max_size=8), st.randoms())
def test_the_order_of_replies_does_not_matter(usages: list[Usage], random: Random) -> None:
    shuffled = list(usages)
    random.shuffle(shuffled)
    assert tally_of(shuffled) == tally_of(usages)


@given(st.lists(USAGES, max_size=8))
def test_a_sum_is_known_exactly_where_all_its_parts_are(usages: list[Usage]) -> None:
    total = tally_of(usages)
    assert total.steps == len(usages)
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens"):
        assert getattr(total.usage, name) == sum(getattr(usage, name) for usage in usages)
    for name in ("cost", "reasoning_tokens"):
        parts = [getattr(usage, name) for usage in usages]
        assert getattr(total.usage, name) == (None if None in parts else sum(parts))
    assert total.usage.cost_is_estimate == (
        total.usage.cost is not None and any(usage.cost_is_estimate for usage in usages)
    )


def test_a_reply_of_unknown_cost_makes_all_later_sums_unknown() -> None:
    tally = Tally().with_reply(Usage(1, 1, cost=0.5)).with_reply(Usage()).with_reply(Usage(1, 1, cost=0.5))
    assert (tally.steps, tally.usage.cost, tally.usage.reasoning_tokens) == (3, None, None)


def test_nothing_costs_nothing() -> None:
    assert tally_of([]) == Tally(0, Usage(cost=0.0, reasoning_tokens=0))
