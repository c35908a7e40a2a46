"""What an endpoint says that a reply took: tokens of each kind, and the cost where it tells it."""

from __future__ import annotations

from typing import Any

from kcode.messages import Usage

_MOST_TOKENS = 1e12
_MOST_DOLLARS = 1e9


def read_usage(usage: dict[str, Any]) -> Usage:
    """The endpoint's own count. A figure that is missing or makes no sense counts as not told, which is 0 or None.

    The cost is the endpoint's figure as it stands; `kcode.pricing.priced` decides what it is worth.
    """
    total = _count(usage.get("total_tokens")) or 0
    prompt = _count(usage.get("prompt_tokens"))
    completion = _count(usage.get("completion_tokens"))
    cached = _cached(usage)
    reasoning = _reasoning(usage)
    if prompt is None and completion is not None:
        prompt = max(total - completion, 0)
    elif completion is None and prompt is not None:
        completion = max(total - prompt, 0)
    prompt, completion = prompt or 0, completion or 0
    # A part cannot be larger than its whole: then the whole was counted without it, as some engines do.
    if cached > prompt:
        prompt += cached
    if reasoning and (reasoning > completion or total == prompt + completion + reasoning):
        completion += reasoning
    return Usage(prompt, completion, cached, _cost(usage), reasoning)


def _cached(usage: dict[str, Any]) -> int:
    """At the top (Moonshot), in the details (OpenAI, OpenRouter), or under DeepSeek's name; some hosts fill in two."""
    found = (
        usage.get("cached_tokens"),
        _member(usage, "prompt_tokens_details", "cached_tokens"),
        usage.get("prompt_cache_hit_tokens"),
    )
    return max(_count(value) or 0 for value in found)


def _reasoning(usage: dict[str, Any]) -> int | None:
    inside = _count(_member(usage, "completion_tokens_details", "reasoning_tokens"))
    return _count(usage.get("reasoning_tokens")) if inside is None else inside


def _member(usage: dict[str, Any], part: str, name: str) -> Any:
    inner = usage.get(part)
    return inner.get(name) if isinstance(inner, dict) else None


def _count(value: Any) -> int | None:
    number = _number(value, _MOST_TOKENS)
    return None if number is None else int(number)


def _cost(usage: dict[str, Any]) -> float | None:
    cost = _number(usage.get("cost"), _MOST_DOLLARS)
    if cost is None or usage.get("is_byok") is not True:
        return cost
    # With a key of one's own at the host ("byok"), `cost` is OpenRouter's fee alone.
    upstream = _number(_member(usage, "cost_details", "upstream_inference_cost"), _MOST_DOLLARS)
    return None if upstream is None else cost + upstream


def _number(value: Any, most: float) -> float | None:
    """The value if it is a number of at least 0 and less than `most`, also one that is written as a text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < most:
        return None
    return float(value)
