"""The conversation as data: four kinds of message, and the model's calls in them."""

from __future__ import annotations

from dataclasses import dataclass

KCODE_NOTE = "Note from kcode, not from the user:"
"""How a user's message begins that kcode wrote."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call as the model wrote it; `arguments` is raw text that may not be JSON."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SystemMessage:
    text: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    text: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """One reply. `reasoning` is None when the endpoint sent none, and "" when it sent an empty one.

    `reasoning_details` is OpenRouter's array as JSON text, kept to be sent back unchanged.
    """

    text: str
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning_details: str | None = None


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The one answer to the call with id `call_id`."""

    call_id: str
    name: str
    text: str


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply, or of several together, as the endpoint counted them.

    `prompt_tokens` includes `cached_tokens`; `completion_tokens` includes `reasoning_tokens`, which are None where the
    endpoint does not count them apart. `cost` is in US dollars and None where it is not known; `cost_is_estimate` says
    that it comes from a list of prices and not from the endpoint.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float | None = None
    reasoning_tokens: int | None = None
    cost_is_estimate: bool = False
