"""A chat-completion stream as it comes over the wire, turned into deltas and at last one reply. Pure: bytes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.errors import ProviderError
from kcode.messages import AssistantMessage, ToolCall
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, ToolCallDelta, UsageDelta
from kcode.providers.calls import CallAssembler
from kcode.providers.failures import classify_stream_error, incomplete
from kcode.providers.reasoning import ReasoningDetails
from kcode.providers.sse import EventDecoder, StreamFault, decode_body
from kcode.providers.surrogates import PairJoiner, mend_surrogates
from kcode.providers.usage import read_usage

if TYPE_CHECKING:
    from kcode.messages import Usage
    from kcode.providers import Delta
    from kcode.providers.dialects import ReasoningKey
    from kcode.providers.sse import Event

# Far above any honest reply (a chunk is about 300 bytes for four characters), far below what hurts.
REPLY_LIMIT = 512 * 1024 * 1024
TEXT_LIMIT = 16 * 1024 * 1024
_MANY_CALLS = 1000

# What a run of pieces is of: reasoning, text, or the call at this place.
_Kind = type[ReasoningDelta] | type[TextDelta] | int | None


class StreamDecoder:
    """Feed it the body's bytes as they come; `finish` gives the whole reply, if it is whole.

    Deltas of the same kind that come out of one `feed` are joined. After each reply `reasoning_key` is the key under
    which its reasoning came, None when there was none.
    """

    def __init__(self) -> None:
        self.reasoning_key: ReasoningKey | None = None
        self._events = EventDecoder()
        self._calls = CallAssembler()
        self._details = ReasoningDetails()
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._reasoning_pairs, self._text_pairs = PairJoiner(), PairJoiner()
        self._has_reasoning = self._key_is_sure = False
        self._blank = ""
        self._usage: Usage | None = None
        self._finish: str | None = None
        self._received = 0
        self._kept = 0
        self._chunks = 0
        self._out: list[Delta] = []
        self._kind: _Kind = None
        self._run: list[str] = []

    @property
    def done(self) -> bool:
        """True after `[DONE]`: nothing that follows is read."""
        return self._events.done

    def feed(self, data: bytes) -> list[Delta]:
        """The deltas that these bytes complete. Raises ProviderError for an error inside the stream and for garbage."""
        self._received += len(data)
        if self._received > REPLY_LIMIT:
            raise ProviderError(incomplete("it does not end"))
        try:
            events = self._events.feed(data)
        except StreamFault as fault:
            raise ProviderError(incomplete(str(fault))) from None
        return self._deltas(events)

    def finish(self) -> list[Delta]:
        """What still waited, and at last the whole reply.

        ProviderError when the stream stopped before the reply was whole, so that no call of it runs. Whole is what had a finish_reason or `[DONE]`; an answer that is one JSON body instead of a stream counts too.
        """
        try:
            events = self._events.finish()
        except StreamFault as fault:
            raise ProviderError(incomplete(str(fault))) from None
        if not self._chunks and not events:
            events = self._plain_body()
        deltas = self._deltas(events, at_end=True)
        if self._finish is None and not self.done:
            raise ProviderError(incomplete("the connection was closed before the reply was whole"))
        return [*deltas, self._reply()]

    def last_usage(self) -> Usage | None:
        """The usage that counts: the last one sent."""
        return self._usage

    def _reply(self) -> ReplyDelta:
        calls = tuple(
            ToolCall(mend_surrogates(call.id), mend_surrogates(call.name), mend_surrogates(call.arguments))
            for call in self._calls.finished()
        )
        finish = {"function_call": "tool_calls", None: "stop"}.get(self._finish, self._finish) or "stop"
        if finish == "length" and calls and not calls[-1].arguments:
            # Cut before its first argument: run, it would be a call without arguments, which nobody made.
            calls = calls[:-1]
        if calls and finish not in {"length", "content_filter"}:
            finish = "tool_calls"
        elif not calls and finish == "tool_calls":
            finish = "stop"
        text, reasoning = "".join(self._text), "".join(self._reasoning)
        message = AssistantMessage(
            text="" if text.isspace() else text,
            reasoning=reasoning if self._has_reasoning else None,
            tool_calls=calls,
            reasoning_details=self._details.as_json(),
        )
        return ReplyDelta(message, finish)

    def _deltas(self, events: list[Event], *, at_end: bool = False) -> list[Delta]:
        self._out = []
        before = self._usage
        for chunk, name in events:
            self._take(chunk, name)
        if at_end:
            self._add(ReasoningDelta, self._reasoning, self._reasoning_pairs.flush())
            self._add(TextDelta, self._text, self._text_pairs.flush())
        self._close_run()
        if self._usage is not None and self._usage != before:
            self._out.append(UsageDelta(self._usage))
        return self._out

    def _take(self, chunk: Any, name: str) -> None:
        if not isinstance(chunk, dict):
            return  # `data: null` and other keep-alives
        self._chunks += 1
        choices = chunk.get("choices")
        if "error" in chunk or not choices:
            self._refuse_error(chunk, name)
        if usage := chunk.get("usage"):
            self._take_usage(usage)
        if not choices or not isinstance(choices, list) or not isinstance(choices[0], dict):
            return
        choice = choices[0]
        if (usage := choice.get("usage")) and not chunk.get("usage"):
            self._take_usage(usage)
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            self._take_delta(delta)
        finish = choice.get("finish_reason")
        if finish and isinstance(finish, str):
            self._finish = finish
            if finish in {"error", "network_error"}:
                raise ProviderError(classify_stream_error({"message": f"it ended with finish_reason {finish}"}))

    @staticmethod
    def _refuse_error(chunk: dict[str, Any], name: str) -> None:
        error = chunk.get("error")
        if error is None and (name == "error" or chunk.get("object") == "error"):
            error = chunk
        if error:
            raise ProviderError(classify_stream_error(error))

    def _take_delta(self, delta: dict[str, Any]) -> None:
        text = self._reasoning_of(delta)
        if text is not None:
            self._has_reasoning = True
            self._add(ReasoningDelta, self._reasoning, self._reasoning_pairs.join(text))
        content = delta.get("content")
        if content and isinstance(content, str):
            self._take_text(content)
        if calls := delta.get("tool_calls"):
            self._take_calls(calls)
        if self._kept + self._calls.size + self._details.size > TEXT_LIMIT:
            raise ProviderError(incomplete("it does not end"))

    def _reasoning_of(self, delta: dict[str, Any]) -> str | None:
        """The delta's reasoning, once: hosts send it under up to three keys, some of them with empty placeholders."""
        details = delta.get("reasoning_details")
        from_details = self._details.add(details) if details and isinstance(details, list) else None
        found: str | None = None
        sources: tuple[tuple[ReasoningKey, Any], ...] = (
            ("reasoning_content", delta.get("reasoning_content")),
            ("reasoning_details", from_details),
            ("reasoning", delta.get("reasoning")),
        )
        for key, text in sources:
            if not found and isinstance(text, str):
                found = text
                if text or self.reasoning_key is None:
                    self._learn(key, sure=bool(text))
        return found

    def _learn(self, key: ReasoningKey, *, sure: bool) -> None:
        if not self._key_is_sure:
            self.reasoning_key = key
            self._key_is_sure = sure

    def _take_text(self, content: str) -> None:
        # Whitespace alone is held until text follows: one host sends " " between two calls.
        if content.isspace() and (self._calls.calls or not self._text):
            self._blank += content
            self._kept += len(content)
            return
        content, self._blank = self._blank + content, ""
        self._add(TextDelta, self._text, self._text_pairs.join(content))

    def _add(self, kind: _Kind, kept: list[str], text: str) -> None:
        if text:
            kept.append(text)
            self._kept += len(text)
            self._say(kind, text)

    def _take_calls(self, entries: Any) -> None:
        for entry in entries if isinstance(entries, list) else [entries]:
            place = self._calls.add(entry)
            if place is None:
                continue
            if place > _MANY_CALLS:
                raise ProviderError(incomplete(f"it holds more than {_MANY_CALLS} calls"))
            call = self._calls.calls[place]
            # Arguments that come before their name wait for it.
            if call.name:
                fresh = "".join(call.pieces[call.shown :])
                call.shown = len(call.pieces)
                self._say(place, fresh)

    def _say(self, kind: _Kind, text: str) -> None:
        """Give a piece out; neighbours of one kind leave as one delta."""
        if kind != self._kind:
            self._close_run()
            self._kind = kind
        self._run.append(text)

    def _close_run(self) -> None:
        kind, text = self._kind, "".join(self._run)
        self._kind = None
        self._run.clear()
        if isinstance(kind, int):
            self._out.append(ToolCallDelta(kind, self._calls.calls[kind].name, mend_surrogates(text)))
        elif kind is not None:
            self._out.append(kind(text))

    def _take_usage(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self._usage = read_usage(usage)

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
