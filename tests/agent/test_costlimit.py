from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.agent.costlimit import check_limit, is_spent, reason_not_to_send
from kcode.errors import UsageError
from kcode.messages import Usage
from kcode.pricing import Billing, Price
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect, replay

if TYPE_CHECKING:
    from kcode.providers.endpoints import Endpoint

LISTED = Billing(Price(1.0, 10.0, 0.1))
CONFIG = Path("/home/u/.config/kcode/config.toml")
FAR = ENDPOINTS["moonshot"]
HERE = replace(ENDPOINTS["custom"], base_url="http://127.0.0.1:8000/v1")


def spent(cost: float | None) -> Usage:
    return Usage(1000, 10, cost=cost)


@pytest.mark.parametrize(
    ("limit", "cost", "billing", "expected"),
    [
        (None, 9.0, LISTED, False),
        (None, None, LISTED, False),
        (0.5, 0.4999, LISTED, False),
        (0.5, 0.5, LISTED, True),
        (0.5, None, LISTED, True),
        (0.5, None, Billing(reports_cost=True), True),
        (0.5, None, Billing(is_billed=False), False),
        (0.5, 0.6, Billing(is_billed=False), True),
    ],
)
def test_nothing_more_is_spent_at_the_limit_or_where_nobody_knows(
    limit: float | None, cost: float | None, billing: Billing, expected: bool
) -> None:
    assert is_spent(limit, spent(cost), billing) is expected
    assert (reason_not_to_send(limit, spent(cost), billing, 0, 0) is not None) is expected


def test_a_request_that_would_pass_the_limit_is_not_sent() -> None:
    assert reason_not_to_send(0.5, spent(0.4), LISTED, 0, 100_000) is None
    reason = reason_not_to_send(0.5, spent(0.4), LISTED, 0, 100_001)
    assert reason == (
        "The next request would pass the cost limit of $0.5: $0.4000 was spent, and its 100,001 tokens cost about "
        "$0.1000 before any answer."
    )
    assert "nothing was spent" in (reason_not_to_send(0.05, spent(0.0), LISTED, 0, 100_000) or "")


def test_what_the_endpoint_has_in_its_cache_is_forecast_at_that_price() -> None:
    assert reason_not_to_send(0.5, spent(0.4), LISTED, 900_000, 909_000) is None
    assert reason_not_to_send(0.5, spent(0.4), LISTED, 900_000, 911_000)
    assert reason_not_to_send(0.5, spent(0.4), Billing(Price(1.0, 10.0)), 900_000, 909_000)
    assert reason_not_to_send(0.5, spent(0.49), Billing(reports_cost=True), 0, 10**9) is None


@pytest.mark.parametrize(
    ("endpoint", "model"),
    [
        (FAR, "kimi-k2-thinking"),
        (FAR, "kimi-k9:free"),
        (ENDPOINTS["openrouter"], "moonshotai/kimi-k9"),
        (replace(HERE, prices={"m": Price(1, 1)}), "m"),
    ],
)
def test_a_limit_is_taken_where_costs_will_be_known(endpoint: Endpoint, model: str) -> None:
    assert check_limit(0.5, connect(endpoint, model, None), CONFIG) is None


@pytest.mark.parametrize("endpoint", [FAR, ENDPOINTS["moonshot-cn"], replace(HERE, base_url="https://corp.example/v1")])
def test_a_limit_that_cannot_hold_is_refused_with_what_to_write_where(endpoint: Endpoint) -> None:
    provider = connect(endpoint, "kimi-k9", None)
    assert check_limit(None, provider, CONFIG) is None
    with pytest.raises(UsageError) as caught:
        check_limit(0.5, provider, CONFIG)
    for words in (
        "$0.5",
        "kimi-k9",
        endpoint.host,
        str(CONFIG),
        f'[endpoints.{endpoint.name}.prices."kimi-k9"]',
        "input",
    ):
        assert words in str(caught.value)


def test_on_this_machine_a_limit_is_only_remarked_on(tmp_path: Path) -> None:
    note = check_limit(0.5, connect(HERE, "m", None), CONFIG)
    assert note is not None
    assert "127.0.0.1:8000" in note
    cassette = tmp_path / "replies.jsonl"
    cassette.write_text("")
    assert check_limit(0.5, replay(cassette, FAR, "kimi-k9"), CONFIG) is None
