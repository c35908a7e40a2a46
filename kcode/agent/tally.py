"""Sums of what replies took: of a turn, or of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.events import ContextCompacted, ReplyDiscarded, ReplyFinished
from kcode.messages import Usage

if TYPE_CHECKING:
    from kcode.events import Event

_NOTHING = Usage(cost=0.0, reasoning_tokens=0)


@dataclass(frozen=True, slots=True)
class Tally:
    """So many replies, and what they took together. A cost that is not known, or reasoning that was not counted, makes the sum of it unknown."""

    steps: int = 0
    usage: Usage = _NOTHING

    def with_reply(self, usage: Usage) -> Tally:
        """The sums with one more reply."""
        return Tally(self.steps + 1, _sum(self.usage, usage))

    def with_usage(self, usage: Usage) -> Tally:
        """The sums with what was paid for and is no step of a turn."""
        return Tally(self.steps, _sum(self.usage, usage))

    def with_event(self, event: Event) -> Tally:
        """The sums after the event; what a note for a compaction took counts, and is no step."""
        match event:
            case ReplyFinished(usage=usage) | ReplyDiscarded(usage=usage):
                return self.with_reply(usage)
            case ContextCompacted(usage=usage):
                return self.with_usage(usage)
            case _:
                return self


def _sum(one: Usage, other: Usage) -> Usage:
    cost = None if one.cost is None or other.cost is None else one.cost + other.cost
    reasoning = (
        None
        if one.reasoning_tokens is None or other.reasoning_tokens is None
        else one.reasoning_tokens + other.reasoning_tokens
    )
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.cached_tokens + other.cached_tokens,
        cost,
        reasoning,
        cost is not None and (one.cost_is_estimate or other.cost_is_estimate),
    )
