from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.messages import Usage
from kcode.pricing import FREE, Billing, Price, cost_of, cost_of_input, find_price, priced, write_dollars

K2 = Price(0.60, 2.50, 0.15)


def test_cached_tokens_have_their_own_price() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=900_000)
    assert cost_of(usage, K2) == pytest.approx(0.06 + 0.135 + 0.25)
    assert cost_of(usage, Price(0.60, 2.50)) == pytest.approx(0.60 + 0.25)


def test_reasoning_is_paid_once() -> None:
    assert cost_of(Usage(1000, 500, reasoning_tokens=400), K2) == cost_of(Usage(1000, 500), K2)


@pytest.mark.parametrize(
    ("cost", "billing", "expected"),
    [
        (0.5, Billing(K2), (0.5, False)),
        (0.5, Billing(), (0.5, False)),
        (None, Billing(Price(1, 2)), (0.003, True)),
        (None, Billing(), (None, False)),
        (None, Billing(reports_cost=True), (None, False)),
        (0.0, Billing(), (None, False)),
        (0.0, Billing(Price(1, 2)), (0.003, True)),
        (0.0, Billing(reports_cost=True), (0.0, False)),
        (0.0, Billing(Price(1, 2), reports_cost=True), (0.0, False)),
        (0.0, Billing(FREE), (0.0, False)),
        (None, Billing(FREE), (0.0, False)),
    ],
)
def test_the_endpoints_figure_counts_then_the_list_and_else_it_is_unknown(
    cost: float | None, billing: Billing, expected: tuple[float | None, bool]
) -> None:
    usage = priced(Usage(1000, 1000, cost=cost), billing)
    assert usage.cost == (pytest.approx(expected[0]) if expected[0] is not None else None)
    assert usage.cost_is_estimate is expected[1]


@pytest.mark.parametrize("usage", [Usage(), Usage(prompt_tokens=1000), Usage(completion_tokens=10)])
def test_what_was_not_counted_has_no_price(usage: Usage) -> None:
    assert priced(usage, Billing(K2)).cost is None
    assert priced(usage, Billing(FREE)).cost == 0.0


def test_free_models_are_free_wherever_they_are_named_so() -> None:
    assert find_price("moonshotai/kimi-k2:free", {}) == FREE
    assert find_price("moonshotai/kimi-k2", {}) is None
    assert find_price("m:free", {"m:free": K2}) == K2


def test_more_cached_tokens_than_there_are_do_not_make_money() -> None:
    assert cost_of(Usage(10, 1, 1000), Price(1, 1, 0.5)) == pytest.approx((10 * 0.5 + 1) / 1e6)


@given(*[st.integers(0, 10**7)] * 3)
def test_a_cache_never_makes_a_request_dearer(cached: int, fresh: int, output: int) -> None:
    total = cached + fresh
    assert cost_of_input(cached, fresh, K2) <= cost_of_input(0, total, K2) + 1e-9
    cost = cost_of(Usage(total, output, cached), K2)
    assert cost is None or cost >= cost_of_input(cached, fresh, K2)


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0.0, "$0.0000"), (1e-9, "<$0.0001"), (0.00005, "$0.0001"), (0.01234, "$0.0123"), (12.5, "$12.5000")],
)
def test_a_small_amount_is_not_written_as_nothing(amount: float, words: str) -> None:
    assert write_dollars(amount) == words
