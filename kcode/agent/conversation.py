"""The messages so far: within an epoch they only ever grow at the end, and each is recorded as it comes."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kcode.agent.length import RequestLength
from kcode.context.budget import keep_end
from kcode.events import ReplyInterrupted
from kcode.messages import KCODE_NOTE, AssistantMessage, Message, ToolMessage, UserMessage
from kcode.session.records import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kcode.events import Event
    from kcode.messages import ToolCall, Usage

CUT_OFF = (
    f"{KCODE_NOTE} your reply was interrupted there, by the user or by a limit that the user set. What it called, if "
    "anything, was not run."
)
_CUT_OFF_THINKING = f"{KCODE_NOTE} your reply was interrupted before it said anything. You had been thinking:\n\n"
# Tokens of the thoughts that are repeated to the model where nothing else came of a reply.
_MOST_THOUGHTS = 2000


class Conversation:
    """An append-only list of messages, until a new epoch begins with another list.

    Each message is handed to `record` before it counts as said, and so is the list to `record_epoch`. `record_event`
    gets what is no message, and known here alone.
    """

    def __init__(
        self,
        messages: Iterable[Message] = (),
        record: Callable[[Message], None] | None = None,
        length: RequestLength | None = None,
        record_epoch: Callable[[Sequence[Message]], None] | None = None,
        record_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._messages: list[Message] = list(messages)
        self._record = record
        self._record_epoch = record_epoch
        self._record_event = record_event
        self._length = length or RequestLength()

    @property
    def messages(self) -> Sequence[Message]:
        return self._messages

    def append(self, message: Message) -> None:
        if self._record:
            self._record(message)
        self._messages.append(message)

    def begin_epoch(
        self, messages: Sequence[Message], record: Callable[[Sequence[Message]], None] | None = None
    ) -> None:
        """Put these messages, in which no call is open, in the place of all that was said.

        `record` takes the place of the conversation's own `record_epoch`. What both lists begin with stays the same
        objects, so that a request begins with the same bytes.
        """
        keep = record or self._record_epoch
        if keep:
            keep(messages)
        same = next(
            (at for at, pair in enumerate(zip(self._messages, messages, strict=False)) if pair[0] != pair[1]), None
        )
        same = min(len(self._messages), len(messages)) if same is None else same
        self._messages = [*self._messages[:same], *messages[same:]]
        self._length.restart()

    @contextmanager
    def hear(self, reply: AssistantMessage, usage: Usage) -> Iterator[OpenCalls]:
        """Append the reply, with the endpoint's count of all up to it, and hand out its calls to be answered.

        However the block is left, each call then has its answer directly behind the reply: a request with an open
        call is invalid.
        """
        self._length.learn(self._messages, reply, usage)
        self.append(reply)
        calls = OpenCalls(self, reply.tool_calls)
        try:
            yield calls
        finally:
            calls.refuse(INTERRUPTED)

    def break_off(self, text: str, reasoning: str) -> None:
        """Keep what had come of a reply that was interrupted, as endpoints accept it.

        A reply without text is refused everywhere, so that thoughts alone go into a note.
        """
        if not text.strip() and not reasoning.strip():
            return
        if self._record_event:
            self._record_event(ReplyInterrupted(text, reasoning))
        if text.strip():
            self.append(AssistantMessage(text, reasoning or None))
            self.append(UserMessage(CUT_OFF))
        else:
            self.append(UserMessage(_CUT_OFF_THINKING + keep_end(reasoning.strip(), _MOST_THOUGHTS)))

    @property
    def known_tokens(self) -> int:
        """How many of the next request's tokens the endpoint has counted before."""
        return self._length.known

    def tokens(self, near: int | None = None) -> int:
        """How long the next request is, as well as can be known; best where it is near that many tokens."""
        return self._length.of(self._messages, near)

    @property
    def ratio(self) -> float:
        """How many of the endpoint's tokens an estimated one is."""
        return self._length.ratio

    def tokens_with(self, messages: Iterable[Message]) -> int:
        """How long the next request would be with these messages instead."""
        return self._length.of_fresh(messages)


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

    def refuse(self, text: str) -> None:
        """Answer all that are open with the same words."""
        while self._open:
            self.answer(text)
