"""What tokens cost: dated prices, the cost of a reply and of a request to come, and how an amount is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.messages import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens, as seen on `date`. Without `cached`, a cached token costs as much as any other."""

    input: float
    output: float
    cached: float | None = None
    date: str = ""

    @property
    def is_free(self) -> bool:
        return not (self.input or self.output or self.cached)


FREE = Price(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Billing:
    """How the replies of a model at an endpoint are paid.

    `price` is None where no list has it. `reports_cost`: the endpoint is known to say what each reply cost.
    `is_billed` is False where nobody sends a bill: for a model on this machine, and for replies from a file.
    """

    price: Price | None = None
    reports_cost: bool = False
    is_billed: bool = True

    @property
    def is_known(self) -> bool:
        """Whether a reply's cost will be known."""
        return self.price is not None or self.reports_cost


def find_price(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The model's price; ids that end in `:free`, as OpenRouter and its resellers write them, cost nothing."""
    return prices.get(model) or (FREE if model.endswith(":free") else None)


def priced(usage: Usage, billing: Billing) -> Usage:
    """The usage with its cost: the endpoint's own figure, else by the list of prices, else None, which is not free.

    A figure of 0 is believed only of an endpoint that is known to report its costs: some proxies send it for a model
    whose price they do not know.
    """
    if usage.cost or (usage.cost is not None and billing.reports_cost):
        return usage
    cost = None if billing.price is None else cost_of(usage, billing.price)
    return replace(usage, cost=cost, cost_is_estimate=bool(cost))


def cost_of(usage: Usage, price: Price) -> float | None:
    """What the tokens cost by the list; None unless both were counted, the prompt's and the reply's."""
    if price.is_free:
        return 0.0
    if not usage.prompt_tokens or not usage.completion_tokens:
        return None
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    return (
        cost_of_input(cached, usage.prompt_tokens - cached, price) + usage.completion_tokens * price.output / _MILLION
    )


def cost_of_input(cached: int, fresh: int, price: Price) -> float:
    """What a request's tokens cost in US dollars, those in the endpoint's cache and the others."""
    cached_price = price.input if price.cached is None else price.cached
    return (cached * cached_price + fresh * price.input) / _MILLION


def write_dollars(amount: float) -> str:
    """The amount to a hundredth of a cent; less than that is not written as nothing."""
    return "<$0.0001" if 0 < amount < 0.00005 else f"${amount:.4f}"
