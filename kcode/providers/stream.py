"""A chat-completion stream as it comes over the wire, turned into deltas and at last one reply. Pure: bytes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.errors import ProviderError
from kcode.providers import UsageDelta
from kcode.providers.failures import classify_stream_error, incomplete
from kcode.providers.reply import ReplyAssembler
from kcode.providers.sse import EventDecoder, StreamFault, decode_body
from kcode.providers.usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.messages import Usage
    from kcode.providers import Delta
    from kcode.providers.dialects import ReasoningKey
    from kcode.providers.sse import Event
    from kcode.tooling import Tool

# Far above any honest reply (a chunk is about 300 bytes for four characters), far below what hurts.
REPLY_LIMIT = 512 * 1024 * 1024
TEXT_LIMIT = 16 * 1024 * 1024
_MANY_CALLS = 1000
_REASONING_KEYS = frozenset({"reasoning_content", "reasoning_details", "reasoning"})


class StreamDecoder:
    """Feed it the body's bytes as they come; `finish` gives the whole reply, if it is whole.

    `tools` are those that the request declared: calls that come as text are made of no others. Deltas of the same kind
    that come out of one `feed` are joined.
    """

    def __init__(self, tools: Sequence[Tool] = ()) -> None:
        self._events = EventDecoder()
        self._reply = ReplyAssembler(tools)
        self._key: ReasoningKey | None = None
        self._key_is_sure = False
        self._usage: Usage | None = None
        self._finish: str | None = None
        # Calls that came after the last finish_reason: some hosts send one with every call.
        self._has_open_calls = False
        self._received = 0
        self._chunks = 0
        # Neighbouring pieces of reasoning, or else of content, that wait to be handed on as one.
        self._run: list[str] = []
        self._run_is_reasoning = False

    @property
    def done(self) -> bool:
        """True after `[DONE]`: nothing that follows is read."""
        return self._events.done

    @property
    def reasoning_key(self) -> ReasoningKey | None:
        """The key under which the reply's reasoning came, None when there was none."""
        return "think" if self._reply.has_tagged_reasoning else self._key

    def feed(self, data: bytes) -> list[Delta]:
        """The deltas that these bytes complete. Raises ProviderError for an error inside the stream and for garbage."""
        self._received += len(data)
        if self._received > REPLY_LIMIT:
            raise ProviderError(incomplete("it does not end"))
        try:
            events = self._events.feed(data)
        except StreamFault as fault:
            raise ProviderError(incomplete(str(fault))) from None
        return self._deltas(events) if events else []

    def finish(self) -> list[Delta]:
        """What still waited, and at last the whole reply.

        ProviderError when the stream stopped before the reply was whole, so that no call of it runs. Whole is what had
        `[DONE]`, or a finish_reason that no more of a call came after; an answer that is one JSON body instead of a
        stream counts too.
        """
        try:
            events = self._events.finish()
        except StreamFault as fault:
            raise ProviderError(incomplete(str(fault))) from None
        is_whole = self.done
        if not self._chunks and not events:
            events = self._plain_body()
            is_whole = True
        deltas = self._deltas(events)
        if not is_whole and (self._finish is None or self._has_open_calls):
            raise ProviderError(incomplete("the connection was closed before the reply was whole"))
        reply = self._reply.finish(self._finish)
        return [*deltas, *self._reply.take_deltas(), reply]

    def last_usage(self) -> Usage | None:
        """The usage that counts: the last one sent."""
        return self._usage

    def _deltas(self, events: list[Event]) -> list[Delta]:
        before = self._usage
        reply = self._reply
        for chunk, name in events:
            self._take(chunk, name)
        self._hand_on()
        if reply.size + reply.calls.size + reply.details.size > TEXT_LIMIT:
            raise ProviderError(incomplete("it does not end"))
        deltas = reply.take_deltas()
        if self._usage is not before and self._usage is not None and self._usage != before:
            deltas.append(UsageDelta(self._usage))
        return deltas

    def _take(self, chunk: Any, name: str) -> None:
        if not isinstance(chunk, dict):
            return  # `data: null` and other keep-alives
        self._chunks += 1
        choices = chunk.get("choices")
        if "error" in chunk or not choices:
            _refuse_error(chunk, name)
        usage = chunk.get("usage")
        choice = _first_choice(choices) if isinstance(choices, list) else None
        if choice is not None:
            delta = choice["delta"] if "delta" in choice else choice.get("message")
            if isinstance(delta, dict):
                self._take_delta(delta)
            finish = choice.get("finish_reason")
            if finish and isinstance(finish, str):
                self._take_finish(finish, choice)
            usage = usage or choice.get("usage")
        if isinstance(usage, dict) and usage:
            self._usage = read_usage(usage)

    def _take_finish(self, finish: str, choice: dict[str, Any]) -> None:
        self._finish = finish
        self._has_open_calls = False
        if finish in {"error", "network_error"}:
            told = choice.get("error") or {"message": f"it ended with finish_reason {finish}"}
            raise ProviderError(classify_stream_error(told))

    def _take_delta(self, delta: dict[str, Any]) -> None:
        if not _REASONING_KEYS.isdisjoint(delta):
            reasoning = self._reasoning_of(delta)
            if reasoning is not None:
                if not self._run_is_reasoning:
                    self._hand_on()
                    self._run_is_reasoning = True
                self._run.append(reasoning)
        content = delta.get("content")
        if content and isinstance(content, str):
            if self._run_is_reasoning:
                self._hand_on()
                self._run_is_reasoning = False
            self._run.append(content)
        if "tool_calls" in delta:
            self._take_calls(delta["tool_calls"])
        if "function_call" in delta:
            # The protocol before there were several calls in a reply.
            self._take_calls({"index": 0, "function": delta["function_call"]})

    def _hand_on(self) -> None:
        if self._run:
            take = self._reply.take_reasoning if self._run_is_reasoning else self._reply.take_content
            take("".join(self._run))
            self._run.clear()

    def _reasoning_of(self, delta: dict[str, Any]) -> str | None:
        """The delta's reasoning, once: hosts send it under up to three keys, some of them with empty placeholders."""
        text = delta.get("reasoning_content")
        if text and self._key_is_sure and "reasoning_details" not in delta and isinstance(text, str):
            return text
        details = delta.get("reasoning_details")
        from_details = self._reply.details.add(details) if details and isinstance(details, list) else None
        found: str | None = None
        sources: tuple[tuple[ReasoningKey, Any], ...] = (
            ("reasoning_content", text),
            ("reasoning_details", from_details),
            ("reasoning", delta.get("reasoning")),
        )
        for key, piece in sources:
            if not found and isinstance(piece, str):
                found = piece
                if not self._key_is_sure and (piece or self._key is None):
                    self._key = key
                    self._key_is_sure = bool(piece)
        return found

    def _take_calls(self, entries: Any) -> None:
        self._hand_on()
        for entry in entries if isinstance(entries, list) else [entries]:
            place = self._reply.take_call(entry)
            if place is None:
                continue
            if place > _MANY_CALLS:
                raise ProviderError(incomplete(f"it holds more than {_MANY_CALLS} calls"))
            self._has_open_calls = True

    def _plain_body(self) -> list[Event]:
        """An endpoint, or a proxy before it, may answer 200 with one JSON or HTML body instead of a stream."""
        body = bytes(self._events.stray)
        decoded = decode_body(body)
        if isinstance(decoded, dict):
            if not decoded.get("choices"):
                raise ProviderError(classify_stream_error(decoded))
            return [(decoded, "")]
        start = body.lstrip()[:200].decode("utf-8", "replace")
        if start.startswith("<"):
            raise ProviderError(incomplete("a web page came instead of a stream; is the base URL right?"))
        if self.done:
            return []
        raise ProviderError(incomplete(f"the answer is {start[:80]!r}" if start else "the answer is empty"))


def _first_choice(choices: list[Any]) -> dict[str, Any] | None:
    for choice in choices:
        if isinstance(choice, dict):
            index = choice.get("index")
            if index == 0 or not isinstance(index, int):
                return choice
    return None


def _refuse_error(chunk: dict[str, Any], name: str) -> None:
    error = chunk.get("error")
    if error is None and (name == "error" or chunk.get("object") == "error" or _is_bare_error(chunk)):
        error = chunk
    if error:
        raise ProviderError(classify_stream_error(error))


def _is_bare_error(chunk: dict[str, Any]) -> bool:
    """SiliconFlow's form, the error without anything around it."""
    return "choices" not in chunk and "code" in chunk and isinstance(chunk.get("message"), str)
