"""The messages so far: they only ever grow at the end, and each is recorded as it comes."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kcode.context.tokens import estimate_tokens
from kcode.messages import AssistantMessage, Message, ToolMessage
from kcode.session.records import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kcode.messages import ToolCall, Usage


class Conversation:
    """An append-only list of messages. Each message is handed to `record` before it counts as said."""

    def __init__(self, messages: Iterable[Message] = (), record: Callable[[Message], None] | None = None) -> None:
        self._messages: list[Message] = list(messages)
        self._record = record
        self._counted = 0
        self._tokens = 0

    @property
    def messages(self) -> Sequence[Message]:
        return self._messages

    def append(self, message: Message) -> None:
        if self._record:
            self._record(message)
        self._messages.append(message)

    @contextmanager
    def hear(self, reply: AssistantMessage, usage: Usage) -> Iterator[OpenCalls]:
        """Append the reply, with the endpoint's count of all up to it, and hand out its calls to be answered.

        However the block is left, each call then has its answer directly behind the reply: a request with an open
        call is invalid.
        """
        self.append(reply)
        if usage.prompt_tokens:
            self._tokens = usage.prompt_tokens + usage.completion_tokens
            self._counted = len(self._messages)
        calls = OpenCalls(self, reply.tool_calls)
        try:
            yield calls
        finally:
            while calls.first:
                calls.answer(INTERRUPTED)

    def tokens(self) -> int:
        """How long the next request's messages are: counted by the endpoint so far, estimated from there on."""
        return self._tokens + sum(estimate_message(message) for message in self._messages[self._counted :])


class OpenCalls:
    """The calls of one reply that have no answer yet, in the order in which they are to be run."""

    def __init__(self, conversation: Conversation, calls: Iterable[ToolCall]) -> None:
        self._conversation = conversation
        self._open = deque(calls)

    @property
    def first(self) -> ToolCall | None:
        return self._open[0] if self._open else None

    def answer(self, text: str) -> None:
        """Answer the first open call."""
        call = self._open.popleft()
        self._conversation.append(ToolMessage(call.id, call.name, text))


def estimate_message(message: Message) -> int:
    """Estimated tokens of one message, with a few for its frame."""
    frame = 8
    if isinstance(message, AssistantMessage):
        calls = "".join(call.name + call.arguments for call in message.tool_calls)
        return frame + estimate_tokens((message.reasoning or "") + message.text + calls)
    if isinstance(message, ToolMessage):
        return frame + estimate_tokens(message.text)
    return frame + estimate_tokens(message.text)
