"""What tokens cost: dated prices, and the sum for one reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.messages import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a million tokens, as seen on `date`. Without `cached`, a cached token costs as much as any other."""

    input: float
    output: float
    cached: float | None = None
    date: str = ""


def cost_of(usage: Usage, price: Price | None) -> float | None:
    """What the reply cost in US dollars; None when its price is not known, which is not the same as free."""
    if usage.cost is not None:
        return usage.cost
    if price is None:
        return None
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    cached_price = price.input if price.cached is None else price.cached
    fresh = usage.prompt_tokens - cached
    return (fresh * price.input + cached * cached_price + usage.completion_tokens * price.output) / _MILLION
