"""The limit that the user set on the cost of a turn, and what it takes to hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.pricing import cost_of_input, write_dollars

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.messages import Usage
    from kcode.pricing import Billing
    from kcode.providers.openai_chat import OpenAIChat


def is_spent(limit: float | None, spent: Usage, billing: Billing) -> bool:
    """Whether nothing more may be paid for, since the limit was reached or nobody knows how much of it is left."""
    if limit is None:
        return False
    return billing.is_billed if spent.cost is None else spent.cost >= limit


def reason_not_to_send(limit: float | None, spent: Usage, billing: Billing, known: int, tokens: int) -> str | None:
    """Why the next request may not go out; None where it may.

    It has `tokens` tokens, of which the endpoint has seen `known` before. What the reply will cost nobody can know, so
    the limit can be passed by the price of one reply.
    """
    if limit is None:
        return None
    if spent.cost is None:
        told = f"The cost limit of {write_limit(limit)} cannot be held: the endpoint did not tell what the last reply cost."
        return told if billing.is_billed else None
    if spent.cost >= limit:
        return f"The cost limit of {write_limit(limit)} was reached ({write_dollars(spent.cost)} spent)."
    if billing.price is None:
        return None
    known = min(known, tokens)
    forecast = cost_of_input(known, tokens - known, billing.price)
    if spent.cost + forecast <= limit:
        return None
    so_far = write_dollars(spent.cost) if spent.cost else "nothing"
    return (
        f"The next request would pass the cost limit of {write_limit(limit)}: {so_far} was spent, and "
        f"its {tokens:,} tokens cost about {write_dollars(forecast)} before any answer."
    )


def check_limit(limit: float | None, provider: OpenAIChat, config: Path) -> str | None:
    """Refuse a limit that cannot hold, since no reply's cost will be known; UsageError says how to give the price.

    For a model on this machine there is nothing to refuse: the answer is then a note for the user.
    """
    billing, endpoint, model = provider.billing, provider.endpoint, provider.model
    if limit is None or billing.is_known or not endpoint.is_live:
        return None
    if not billing.is_billed:
        return f"No price of {model} is known here: the limit of {write_limit(limit)} counts only costs that {endpoint.host} reports."
    raise UsageError(
        f"The cost limit of {write_limit(limit)} cannot be held: the price of {model} at {endpoint.title} "
        f"({endpoint.host}) is not known. Leave the limit out, or put the price, in US dollars a million tokens, "
        f"into {config}:\n"
        f'  [endpoints.{endpoint.name}.prices."{model}"]\n'
        "  input = …\n"
        "  output = …\n"
        "  cached = …"
    )


def write_limit(limit: float) -> str:
    """The limit as the user gave it."""
    return f"${limit:g}"
