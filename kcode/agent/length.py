"""How long the next request is: counted by the endpoint where it has counted, estimated from there on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.tokens import estimate_tokens
from kcode.messages import AssistantMessage, Message, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kcode.messages import Usage

    Count = Callable[[str], int]

# What an endpoint counted corrects the estimates of what follows by no more than this.
_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
# Tokens that K2's template puts around a message, a call and a result.
_FRAME, _CALL_FRAME, _RESULT_FRAME = 4, 10, 12


class RequestLength:
    """The length of the request that holds a conversation and `tools`, in tokens.

    `load_counter` gives a function that counts exactly, or None; it is called once, when a decision first depends on it.
    """

    def __init__(self, tools: str = "", load_counter: Callable[[], Count | None] | None = None) -> None:
        self.known = 0
        """How many tokens of the next request the endpoint has counted before."""
        self._tools = tools
        self._load_counter = load_counter
        self._exact: Count | None = None
        self._known_messages = 0
        self._estimated_messages = 0
        self._estimate = estimate_tokens(tools) if tools else 0
        self._history_stays = True
        self._counted_sum = self._estimated_sum = 0

    def of(self, messages: Sequence[Message], near: int | None = None) -> int:
        """The length of the request with these messages, which go on from those of the calls before.

        An estimate within a factor of two of `near` gives way to an exact count where one can be had.
        """
        about = self.known + round(self._estimate_of_fresh(messages) * self.ratio)
        if near is None or not near / 2 < about < near * 2:
            return about
        if self._load_counter is not None:
            self._exact, self._load_counter = self._load_counter(), None
        if self._exact is None:
            return about
        tools = 0 if self._known_messages or not self._tools else self._exact(self._tools)
        fresh = messages[self._known_messages :]
        return self.known + tools + sum(tokens_of(message, self._exact) for message in fresh)

    def learn(self, messages: Sequence[Message], reply: AssistantMessage, usage: Usage) -> None:
        """Take note of what the endpoint counted for the request with these messages and for its reply."""
        if not usage.prompt_tokens:
            return
        estimate = self._estimate_of_fresh(messages)
        counted = usage.prompt_tokens - self.known
        fresh = messages[self._known_messages :]
        if counted > 0 and self._history_stays and not any(isinstance(message, AssistantMessage) for message in fresh):
            self._counted_sum += counted
            self._estimated_sum += estimate
        self.skip(len(messages), reply, usage)

    def skip(self, count: int, reply: AssistantMessage, usage: Usage) -> None:
        """Take the endpoint's count of so many messages and the reply to them, without measuring estimates by it."""
        if not usage.prompt_tokens:
            return
        self.known = usage.prompt_tokens + (usage.completion_tokens or tokens_of(reply, estimate_tokens))
        self._known_messages = self._estimated_messages = count + 1
        self._estimate = 0
        # After a final answer K2's template leaves out the reasoning before it, so that the next count is no measure.
        self._history_stays = bool(reply.tool_calls)

    def of_fresh(self, messages: Iterable[Message]) -> int:
        """The length of a request with other messages, none of which the endpoint has counted."""
        tools = estimate_tokens(self._tools) if self._tools else 0
        return round((tools + sum(tokens_of(message, estimate_tokens) for message in messages)) * self.ratio)

    def restart(self) -> None:
        """Forget the messages, and keep what was learned of the endpoint's way of counting."""
        self.known = self._known_messages = self._estimated_messages = 0
        self._estimate = estimate_tokens(self._tools) if self._tools else 0
        self._history_stays = True

    @property
    def ratio(self) -> float:
        """How much more the endpoint counts than is estimated."""
        if not self._estimated_sum:
            return 1.0
        return min(max(self._counted_sum / self._estimated_sum, _LEAST_RATIO), _MOST_RATIO)

    def _estimate_of_fresh(self, messages: Sequence[Message]) -> int:
        """The estimate of what the endpoint has not counted yet; no message is estimated twice."""
        self._estimate += sum(tokens_of(message, estimate_tokens) for message in messages[self._estimated_messages :])
        self._estimated_messages = len(messages)
        return self._estimate


def tokens_of(message: Message, count: Count) -> int:
    """The tokens of one message, with what the model's template puts around it."""
    if isinstance(message, AssistantMessage):
        calls = sum(_CALL_FRAME + count(call.name) + count(call.arguments) for call in message.tool_calls)
        return _FRAME + count(message.reasoning or "") + count(message.text) + calls
    frame = _FRAME + _RESULT_FRAME if isinstance(message, ToolMessage) else _FRAME
    return frame + count(message.text)
