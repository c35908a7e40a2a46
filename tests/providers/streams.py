"""Chat-completion streams as hosts write them, and what the decoder makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import ProviderError
from kcode.providers import ReasoningDelta, ReplyDelta
from kcode.providers.stream import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.providers import Delta

DONE = b"data: [DONE]\n\n"


def chunk(delta: Any = None, finish: Any = None, **more: Any) -> bytes:
    return sse(
        {"id": "c", "choices": [{"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}]} | more
    )


def sse(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def calls(*entries: dict[str, Any], finish: Any = None) -> bytes:
    return chunk({"tool_calls": list(entries)}, finish)


def call(index: int | None = None, call_id: Any = ..., name: Any = ..., arguments: Any = ...) -> dict[str, Any]:
    function = {key: value for key, value in (("name", name), ("arguments", arguments)) if value is not ...}
    entry: dict[str, Any] = {"type": "function", "function": function}
    if index is not None:
        entry["index"] = index
    if call_id is not ...:
        entry["id"] = call_id
    return entry


def decode(pieces: Iterable[bytes]) -> tuple[ReplyDelta, list[Delta]]:
    decoder = StreamDecoder()
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    *rest, reply = decoder.finish()
    assert isinstance(reply, ReplyDelta)
    return reply, deltas + rest


def reply_of(*parts: bytes) -> ReplyDelta:
    """The reply, the same whether the bytes come whole, line by line or one by one."""
    data = b"".join(parts)
    whole, _ = decode([data])
    by_line, _ = decode(data.splitlines(keepends=True))
    by_byte, deltas = decode(data[i : i + 1] for i in range(len(data)))
    assert whole == by_line == by_byte
    streamed = "".join(d.text for d in deltas if isinstance(d, ReasoningDelta))
    assert streamed == (whole.message.reasoning or "")
    return whole


def failure_of(*parts: bytes) -> Any:
    data = b"".join(parts)
    kinds = set()
    for pieces in ([data], [data[i : i + 1] for i in range(len(data))]):
        with pytest.raises(ProviderError) as caught:
            decode(pieces)
        kinds.add(caught.value.failure)
    assert len(kinds) == 1
    return kinds.pop()


def arguments_of(*parts: bytes) -> list[tuple[str, str]]:
    return [(c.name, c.arguments) for c in reply_of(*parts).message.tool_calls]
