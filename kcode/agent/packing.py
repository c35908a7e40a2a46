"""What is told of the files that were packed into a request, before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.tokens import estimate_tokens
from kcode.pricing import cost_of_input, write_dollars
from kcode.sanitize import sanitize_names

if TYPE_CHECKING:
    from kcode.context.repository import RepositoryLayer
    from kcode.pricing import Billing

_MOST_NAMED = 20


def describe_pack(layer: RepositoryLayer, window: int, billing: Billing) -> tuple[str, ...]:
    """How much it is, what each request costs for it, and what had no room; a line each."""
    tokens = estimate_tokens(layer.text)
    files = "1 file" if len(layer.files) == 1 else f"{len(layer.files):,} files"
    lines = [f"Packed: {files}, about {tokens:,} tokens of {window:,}: {_price(tokens, billing)}."]
    if layer.left_out:
        lines.append(f"No room for {len(layer.left_out):,} more: {sanitize_names(layer.left_out, _MOST_NAMED)}.")
    return tuple(lines)


def _price(tokens: int, billing: Billing) -> str:
    if billing.price is None:
        return "the price is unknown" if billing.is_billed else "nobody sends a bill for it"
    if billing.price.is_free:
        return "free"
    first = write_dollars(cost_of_input(0, tokens, billing.price))
    later = write_dollars(cost_of_input(tokens, 0, billing.price))
    return f"about {first} in the first request, {later} in each later one from the endpoint's cache"
