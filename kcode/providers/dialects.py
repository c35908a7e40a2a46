"""How an endpoint spells what the OpenAI protocol leaves open, and what a model family needs on top of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ReasoningKey = Literal["reasoning_content", "reasoning", "reasoning_details", "think"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an endpoint spells what the OpenAI protocol leaves open.

    `reasoning_out` is the key under which reasoning goes back until the endpoint's own key is seen in a reply, which
    then counts. `tool_ids` "k2" numbers the calls of the whole history as `functions.NAME:N`, which the open engines
    need; "kept" sends what came. `max_tokens_key` and `temperature` are left out when None. `body` is added to every
    request as it stands, `cache_key` is the body's key for the session's id.
    """

    reasoning_out: ReasoningKey = "reasoning_content"
    tool_ids: Literal["k2", "kept"] = "k2"
    empty_content: Literal["omit", "null"] = "omit"
    max_tokens_key: Literal["max_completion_tokens", "max_tokens"] | None = "max_completion_tokens"
    temperature: float | None = None
    include_usage: bool = True
    cache_key: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def dialect_for(dialect: Dialect, model: str) -> Dialect:
    """The row's dialect as the model needs it.

    K2 Thinking wants temperature 1.0, newer Kimi models refuse any value but their own; the numbered ids are the Kimi
    family's.
    """
    name = model.lower()
    is_kimi = re.search(r"kimi|\bk2\b", name) is not None
    temperature = 1.0 if is_kimi and "k2-thinking" in name else dialect.temperature
    return replace(dialect, temperature=temperature, tool_ids=dialect.tool_ids if is_kimi else "kept")
