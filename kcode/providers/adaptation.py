"""What to change when an endpoint refuses a request for its form. Pure: a profile and a failure in, a profile out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.providers.dialects import Dialect, Profile
    from kcode.results import Failure

_FORM_STATUSES = frozenset({400, 404, 422, 500})
_NOT_TAKEN = (
    r"unsupported|not supported|does ?n[o']t support|unrecogni[sz]ed|unknown|unexpected|extra (?:inputs|fields)|forbidden"
    r"|not permitted|not allowed|not accepted|invalid|deprecated|only \S+ is allowed|removed"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """When all patterns are found in what the endpoint said, `change` gives the fields of the dialect to change."""

    patterns: tuple[str, ...]
    change: Callable[[Dialect], dict[str, Any]]

    def fits(self, said: str) -> bool:
        return all(re.search(pattern, said, re.DOTALL) for pattern in self.patterns)


def _next_content(dialect: Dialect) -> dict[str, Any]:
    """Omitted (Moonshot), null (LiteLLM: 422 for a missing one), a blank (servers that want a text)."""
    following = {"omit": "null", "null": "blank"}.get(dialect.empty_content)
    return {"empty_content": following} if following else {}


def _next_reasoning(dialect: Dialect) -> dict[str, Any]:
    following = {"reasoning": "none", "reasoning_details": "reasoning", "none": None}.get(
        dialect.reasoning_out, "reasoning"
    )
    return {"reasoning_out": following} if following else {}


def _fill_reasoning(dialect: Dialect) -> dict[str, Any]:
    """Moonshot's 400 where a message with calls has no reasoning; litellm fills in a blank, kimi-code an empty text."""
    if dialect.reasoning_out != "reasoning_content" or dialect.missing_reasoning is None:
        return {"reasoning_out": "reasoning_content", "missing_reasoning": ""}
    return {"missing_reasoning": " "} if not dialect.missing_reasoning else {}


def _other_max_tokens(dialect: Dialect) -> dict[str, Any]:
    following = {"max_completion_tokens": "max_tokens", "max_tokens": "omit"}.get(dialect.max_tokens_key)
    return {"max_tokens_key": following} if following else {}


def _drop(field: str, name: str) -> Callable[[Dialect], dict[str, Any]]:
    def change(dialect: Dialect) -> dict[str, Any]:
        return {field: {key: value for key, value in getattr(dialect, field).items() if key != name}}

    return change


_RULES = (
    _Rule((r"reasoning_content is missing|reasoning_content.{0,40}required",), _fill_reasoning),
    _Rule((r"temperature", _NOT_TAKEN), lambda _: {"temperature": "omit"}),
    # Either key names the other one as the right one, so the order of the two decides.
    _Rule((r"max_completion_tokens.{0,80}(?:instead|rather)|use ['\"`]?max_completion_tokens",),
          lambda _: {"max_tokens_key": "max_completion_tokens"}),
    _Rule((rf"max_(?:completion_)?tokens['\"`]?.{{0,60}}(?:{_NOT_TAKEN})|(?:{_NOT_TAKEN}).{{0,60}}max_(?:completion_)?tokens",),
          _other_max_tokens),
    _Rule((r"stream_options|include_usage",), lambda _: {"include_usage": False}),
    _Rule((r"prompt_cache_key", _NOT_TAKEN), lambda _: {"cache_key": None}),
    _Rule((r"reasoning(?:_content|_details)?['\"`\]]?.{0,60}(?:" + _NOT_TAKEN + r")|(?:" + _NOT_TAKEN + r").{0,60}reasoning(?:_content|_details)?\b",),
          _next_reasoning),
    _Rule((r"content", r"text content is empty|content.{0,60}(?:required|missing|must be|should be a valid|none|null|empty)|(?:required|missing|empty|null).{0,40}content"),
          _next_content),
    _Rule((r"tool_call_?ids?|tool_calls?\b.{0,40}\bid\b|call id", r"not found|" + _NOT_TAKEN + r"|pattern|match"),
          lambda dialect: {"tool_ids": "plain" if dialect.tool_ids != "plain" else "k2"}),
    _Rule((r"\bname\b", r"\btool\b", _NOT_TAKEN), lambda _: {"name_results": False}),
    *(_Rule((rf"['\"`.\[ ]{name}\b", _NOT_TAKEN), _drop("body", name)) for name in ("provider", "usage", "reasoning")),
)  # fmt: skip

_LIMIT = re.compile(
    r"max_(?:completion_)?tokens.{0,120}?(?:at most|less than or equal to|<=|no more than|must not exceed|cannot exceed"
    r"|cannot be greater than|maximum (?:value |allowed |of )*(?:is |of )?|\[\s*1\s*,)\s*(\d[\d,_]*)"
    r"|supports? at most (\d[\d,_]*) completion",
    re.DOTALL,
)
_WINDOW = re.compile(
    r"(?:maximum|max)?\s*(?:context|model)[ _-]?(?:length|window|size|token limit)[^0-9]{0,40}?(\d[\d,_]{3,})"
    r"|\"?n_ctx\"?\D{1,3}(\d{3,})",
)


def adapt(profile: Profile, failure: Failure) -> Profile | None:
    """The profile with which the endpoint may take the same request; None when nothing is known to help.

    A longer list than any one endpoint needs: each rule stands for a refusal that some endpoint is known for.
    """
    if failure.kind in {"key", "quota", "refused"} or (failure.status or 400) not in _FORM_STATUSES:
        return None
    if failure.kind == "overflow":
        window = said_window(failure.said)
        return replace(profile, window=window) if window and window < profile.window else None
    if limit := _said_limit(failure.said):
        current = profile.output_limit
        return replace(profile, output_limit=limit) if current is None or limit < current else None
    for rule in _RULES:
        if rule.fits(failure.said):
            changed = replace(profile.dialect, **rule.change(profile.dialect))
            if changed != profile.dialect:
                return replace(profile, dialect=changed)
    return None


def said_window(said: str) -> int | None:
    """The window that an endpoint names in the error of a request that is too long for it."""
    found = _WINDOW.search(said)
    return _number(found[1] or found[2]) if found else None


def _said_limit(said: str) -> int | None:
    found = _LIMIT.search(said)
    limit = _number(found[1] or found[2]) if found else 0
    return limit if limit >= 256 else None


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text)[:12])
