"""The bytes of one conversation's requests to one endpoint, and the form in which the endpoint takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kcode.providers.adaptation import adapt
from kcode.providers.choice import profile_for
from kcode.providers.history import HistoryEncoder, encode_json, encode_tools
from kcode.providers.learned import Learned, learned_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.messages import Message, Usage
    from kcode.providers.dialects import Dialect, Profile, ReasoningKey
    from kcode.providers.endpoints import Endpoint
    from kcode.results import Failure
    from kcode.tooling import Tool

_FEWEST_OUTPUT_TOKENS = 1024
# No endpoint that is fit for tools has less; a refusal that seems to say so had another cause.
_SMALLEST_WINDOW = 8192


class RequestWriter:
    """Writes requests that only grow: all of one but what follows its last message is the beginning of the next.

    `window` is the user's own word; `learned` is what earlier runs found out about the model at this endpoint.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        *,
        session: str | None = None,
        window: int | None = None,
        learned: Learned | None = None,
    ) -> None:
        self.model = model
        self._session = session
        self._plain_profile = profile_for(endpoint, model, window)
        known = learned or Learned()
        self._came_as: ReasoningKey | None = known.reasoning
        self._refused: list[Profile] = []
        self._tools: tuple[Tool, ...] = ()
        self._tools_json = b""
        self._size = 0
        self._counted: tuple[int, int] | None = None
        self._before_inference: Learned | None = None
        self._take(known.applied_to(self._plain_profile))

    def _take(self, profile: Profile) -> None:
        self.profile = profile
        self._history = HistoryEncoder(profile.dialect, self._came_as)
        self._head = _encode_head(self.model, profile.dialect, self._session)

    def encode(self, messages: Sequence[Message], tools: Sequence[Tool], output_limit: int | None = None) -> bytes:
        """The next request's body; `output_limit` lowers the profile's own."""
        if tuple(tools) != self._tools or not self._tools_json:
            self._tools = tuple(tools)
            self._tools_json = b'"tools":' + encode_tools(tools) + b"," if tools else b""
        start = self._head + self._tools_json + b'"messages":[' + self._history.encode(messages)
        self._size = len(start)
        return start + b"]" + self._output_limit(output_limit) + b"}"

    def _output_limit(self, lowered: int | None) -> bytes:
        limit, key = self.profile.output_limit, self.profile.dialect.max_tokens_key
        if lowered is not None:
            limit = lowered if limit is None else min(limit, lowered)
        if limit is None or key == "omit":
            return b""
        left = max(self.profile.window - self._estimate(), _FEWEST_OUTPUT_TOKENS)
        return b',"%s":%d' % (key.encode(), min(limit, left))

    def _estimate(self) -> int:
        """Tokens of the last request: what the endpoint counted before, and the rest at 3 bytes a token."""
        size_before, tokens = self._counted or (0, 0)
        return tokens + (self._size - size_before) // 3 if self._size >= size_before else self._size // 3

    def hear(self, reasoning: ReasoningKey | None, usage: Usage | None) -> None:
        """Take note of how the reply to the last request was spelt, and of what the endpoint counted."""
        if reasoning is not None:
            self._came_as = reasoning
            self._history.learn(reasoning)
        if usage is not None and usage.prompt_tokens:
            self._counted = (self._size, usage.prompt_tokens)

    def adapt(self, failure: Failure) -> bool:
        """Change the form, if that may help and was not tried before; True when the last request is worth sending again."""
        changed = adapt(self.profile, failure)
        if changed is None or changed in self._refused:
            return False
        if changed.window != self.profile.window:
            self._before_inference = None
        self._refused.append(self.profile)
        self._take(changed)
        # What is too long stays too long; only the room kept for the reply can be made smaller.
        return failure.kind != "overflow" or self._estimate() + _FEWEST_OUTPUT_TOKENS <= changed.window

    def shrink_window(self) -> None:
        """Believe the endpoint that the last request was too long for it, where it did not say how long one may be.

        That is an inference, good for this run alone.
        """
        if self._before_inference is None:
            self._before_inference = self.learned()
        self.limit_window(max(self._estimate(), _SMALLEST_WINDOW))

    def limit_window(self, window: int) -> None:
        """Believe the endpoint where it says that its window is smaller than thought."""
        if window < self.profile.window:
            self.profile = replace(self.profile, window=window)

    def learned(self) -> Learned:
        """What the endpoint has taught so far, beyond what the table says of it."""
        found = learned_between(self._plain_profile, self.profile, self._came_as)
        return replace(found, window=self._before_inference.window) if self._before_inference else found


def _encode_head(model: str, dialect: Dialect, session: str | None) -> bytes:
    """The start of every request: all that does not change, so that requests begin with the same bytes."""
    fields: dict[str, Any] = {"model": model, "stream": True}
    if dialect.include_usage:
        fields["stream_options"] = {"include_usage": True}
    if isinstance(dialect.temperature, float):
        fields["temperature"] = dialect.temperature
    if dialect.cache_key and session:
        fields[dialect.cache_key] = session
    return encode_json({**fields, **dialect.body})[:-1] + b","
