"""Amounts as they are written on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.pricing import write_dollars

if TYPE_CHECKING:
    from kcode.messages import Usage
    from kcode.tui.texts import Texts


def write_seconds(seconds: float, texts: Texts, *, exact: bool = True) -> str:
    """A time; with a tenth of a second where it is short and `exact`."""
    if seconds < 10 and exact:
        return texts("transcript.seconds", seconds=f"{seconds:.1f}")
    if seconds < 59.5:
        return texts("transcript.seconds", seconds=f"{seconds:.0f}")
    minutes, rest = divmod(round(seconds), 60)
    return texts("transcript.minutes", minutes=minutes, seconds=f"{rest:02}")


def write_usage(usage: Usage, steps: int, seconds: float | None, texts: Texts) -> str:
    """What a turn took, in one line; what was not told is not said to be nothing."""
    parts = [texts("transcript.steps", count=steps)]
    if usage.prompt_tokens or usage.completion_tokens:
        cached = usage.cached_tokens / usage.prompt_tokens if usage.prompt_tokens else 0
        told_in = texts("transcript.tokens_in", tokens=f"{usage.prompt_tokens:,}")
        parts.append(told_in + (texts("transcript.cached", share=f"{cached:.0%}") if cached else ""))
        parts.append(texts("transcript.tokens_out", tokens=f"{usage.completion_tokens:,}"))
    if usage.cost is None:
        parts.append(texts("transcript.price_unknown"))
    else:
        parts.append(f"{'≈ ' if usage.cost_is_estimate else ''}{write_dollars(usage.cost)}")
    if seconds is not None:
        parts.append(write_seconds(seconds, texts))
    return " · ".join(parts)
