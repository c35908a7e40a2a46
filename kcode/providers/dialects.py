"""How an endpoint spells what the OpenAI protocol leaves open, and what a model family needs on top of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from kcode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

ReasoningKey = Literal["reasoning_content", "reasoning", "reasoning_details", "think"]
ReasoningOut = Literal["as_it_came", "reasoning_content", "reasoning", "reasoning_details", "think", "none"]
ToolIds = Literal["k2", "kept", "plain"]
EmptyContent = Literal["omit", "null", "blank"]
MaxTokensKey = Literal["max_completion_tokens", "max_tokens", "omit"]
Temperature = float | Literal["by_model", "omit"]

REASONING_KEYS: tuple[ReasoningKey, ...] = get_args(ReasoningKey)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "reasoning_out": get_args(ReasoningOut),
    "tool_ids": get_args(ToolIds),
    "empty_content": get_args(EmptyContent),
    "max_tokens_key": get_args(MaxTokensKey),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an endpoint spells what the OpenAI protocol leaves open.

    `reasoning_out` is the key under which reasoning goes back; "think" is `<think>…</think>` in the content, and
    "as_it_came" the key under which the endpoint sent it. `missing_reasoning` is sent with calls whose reasoning is not
    known, where the endpoint insists on some. `tool_ids`: "k2" numbers the calls of the whole history as
    `functions.NAME:N`, which the open engines need for the Kimi family (other models get "kept"), "kept" sends the ids
    that came, "plain" numbers them as `call_N`. `empty_content` is what stands beside calls without text.
    `name_results` puts the tool's name beside its result. A `temperature` "by_model" is 1.0 for K2 Thinking and left
    out for others. `body` is added to every request as it stands, `cache_key` is the body's key for the session's id.
    """

    reasoning_out: ReasoningOut = "as_it_came"
    missing_reasoning: str | None = None
    tool_ids: ToolIds = "k2"
    empty_content: EmptyContent = "omit"
    name_results: bool = True
    max_tokens_key: MaxTokensKey = "max_completion_tokens"
    temperature: Temperature = "by_model"
    include_usage: bool = True
    cache_key: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


DIALECT_FIELDS = tuple(f.name for f in fields(Dialect))


@dataclass(frozen=True, slots=True)
class Profile:
    """What one endpoint takes for one model: how things are spelt, and its sizes in tokens.

    Without an `output_limit` the endpoint's own holds.
    """

    dialect: Dialect
    window: int
    output_limit: int | None


def is_kimi(model: str) -> bool:
    """True for the Kimi family, as the id tells."""
    return re.search(r"kimi|\bk2\b", model.lower()) is not None


def dialect_for(dialect: Dialect, model: str, *, kimi: bool | None = None) -> Dialect:
    """The row's dialect as the model needs it; `kimi` says what the id may not tell.

    K2 Thinking wants temperature 1.0, newer Kimi models refuse any value but their own; the numbered ids are the Kimi
    family's.
    """
    of_family = is_kimi(model) if kimi is None else kimi
    temperature = dialect.temperature
    if temperature == "by_model":
        temperature = 1.0 if of_family and "thinking" in model.lower() else "omit"
    kept = dialect.tool_ids == "k2" and not of_family
    return replace(dialect, temperature=temperature, tool_ids="kept" if kept else dialect.tool_ids)


def change_dialect(dialect: Dialect, changes: Mapping[str, Any], source: str) -> Dialect:
    """The dialect with the fields that a settings file names; UsageError says which of them is wrong.

    `headers` and `body` are added to what is there, so that a row's own stay.
    """
    for name, value in changes.items():
        if name not in DIALECT_FIELDS:
            raise UsageError(f"{source}: there is no {name}. Known: {', '.join(DIALECT_FIELDS)}.")
        if wrong := _wrong_with(name, value):
            raise UsageError(f"{source}.{name} must be {wrong}, not {value!r}.")
    merged = dict(changes)
    for name in ("headers", "body"):
        if name in merged:
            merged[name] = {**getattr(dialect, name), **merged[name]}
    if isinstance(merged.get("temperature"), int):
        merged["temperature"] = float(merged["temperature"])
    return replace(dialect, **merged)


def _wrong_with(name: str, value: Any) -> str | None:
    """What the value should have been; None when it fits."""
    if name in _CHOICES:
        return None if value in _CHOICES[name] else f"one of {', '.join(_CHOICES[name])}"
    if name in {"name_results", "include_usage"}:
        return None if isinstance(value, bool) else "true or false"
    if name == "temperature":
        fits = value in {"by_model", "omit"} if isinstance(value, str) else _is_number(value) and 0 <= value <= 2
        return None if fits else 'a number from 0 to 2, "by_model" or "omit"'
    if name == "headers":
        # The key, the host and the length are the connection's own.
        fits = isinstance(value, dict) and all(_is_header(key, text) for key, text in value.items())
        return None if fits else "a table of header names and texts, without Authorization or Host"
    if name == "body":
        fits = isinstance(value, dict) and not {"messages", "tools", "model", "stream", "tool_choice"} & value.keys()
        return None if fits else "a table without model, messages, tools, tool_choice or stream"
    return None if value is None or isinstance(value, str) else "text"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_header(name: Any, text: Any) -> bool:
    if not isinstance(name, str) or not isinstance(text, str):
        return False
    plain = re.fullmatch(r"[A-Za-z0-9-]{1,64}", name) is not None and text.isascii() and text.isprintable()
    return plain and name.lower() not in {"authorization", "host", "content-length", "connection", "transfer-encoding"}
