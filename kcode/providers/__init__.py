"""The seam to the model: a request in, deltas out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from kcode.messages import AssistantMessage, Message, Usage
    from kcode.pricing import Billing
    from kcode.tooling import Tool


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the call at `index` of this reply; for the screen, the whole calls come with ReplyDelta."""

    index: int
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """The reply's usage so far; a later one replaces it, they are never summed."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The last delta: the whole reply, known to be complete.

    `finish` is stop, tool_calls, length or another word of the endpoint's; it is malformed when all that the reply says
    is a tool call written out as text of which no call could be made.
    """

    message: AssistantMessage
    finish: str


Delta = ReasoningDelta | TextDelta | ToolCallDelta | UsageDelta | ReplyDelta


class Provider(Protocol):
    """A place that serves the model."""

    @property
    def window(self) -> int:
        """How many tokens prompt and reply may have together."""

    @property
    def billing(self) -> Billing:
        """How the model's replies are paid."""

    def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, output_limit: int | None = None
    ) -> AsyncGenerator[Delta, None]:
        """Send the conversation and yield the reply as it comes; the last delta is a ReplyDelta.

        The reply, thoughts included, has at most `output_limit` tokens where the endpoint takes such a limit. Raises ProviderError, also when the stream ends before the reply is complete. Closing the generator closes
        the connection.
        """

    def switch(self, *, model: str | None = None, key: str | None = None) -> None:
        """Go on with another model or key, from the next request on."""

    async def aclose(self) -> None:
        """Close what is still open."""
