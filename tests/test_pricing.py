from __future__ import annotations

import pytest

from kcode.messages import Usage
from kcode.pricing import Price, cost_of


def test_cached_tokens_have_their_own_price() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=900_000)
    assert cost_of(usage, Price(0.60, 2.50, 0.15)) == pytest.approx(0.06 + 0.135 + 0.25)
    assert cost_of(usage, Price(0.60, 2.50)) == pytest.approx(0.60 + 0.25)


def test_the_endpoints_own_figure_counts() -> None:
    assert cost_of(Usage(1000, 1000, 0, 0.5), Price(1, 1)) == 0.5
    assert cost_of(Usage(1000, 1000, 0, 0.0), Price(1, 1)) == 0.0


def test_an_unknown_price_is_not_free() -> None:
    assert cost_of(Usage(1000, 1000), None) is None


def test_more_cached_tokens_than_there_are_do_not_make_money() -> None:
    assert cost_of(Usage(10, 0, 1000), Price(1, 1, 0.5)) == pytest.approx(10 * 0.5 / 1e6)
