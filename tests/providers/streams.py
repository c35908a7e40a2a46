"""Chat-completion streams as hosts write them, and what the decoder makes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import ProviderError
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta
from kcode.providers.stream import StreamDecoder
from kcode.results import ToolResult
from kcode.tooling import Access, Tool, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.providers import Delta

DONE = b"data: [DONE]\n\n"


def declared(name: str, *required: str, optional: Sequence[str] = ()) -> Tool:
    async def run(_view: View, /, **_: Any) -> ToolResult:
        return ToolResult("")

    properties = {key: {"type": "string"} for key in (*required, *optional)}
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return Tool(name, "", Access.READ, schema, run)


TOOLS = (
    declared("read_file", "path", optional=("start",)),
    declared("read-file", "path", "encoding"),
    declared("list_directory", "folder"),
    declared("my.namespace.do_thing", "thing"),
    declared("channel_reply", "text"),
    declared("run_tests"),
)


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


def decode(pieces: Iterable[bytes], tools: Sequence[Tool] = TOOLS) -> tuple[ReplyDelta, list[Delta]]:
    decoder = StreamDecoder(tools)
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    *rest, reply = decoder.finish()
    assert isinstance(reply, ReplyDelta)
    return reply, deltas + rest


def shown(deltas: Iterable[Delta]) -> tuple[str, str]:
    """The reasoning and the text that the deltas show."""
    deltas = list(deltas)
    return (
        "".join(d.text for d in deltas if isinstance(d, ReasoningDelta)),
        "".join(d.text for d in deltas if isinstance(d, TextDelta)),
    )


def cuttings(data: bytes) -> list[list[bytes]]:
    """The bytes whole, line by line and one by one."""
    return [[data], data.splitlines(keepends=True), [data[i : i + 1] for i in range(len(data))]]


def reply_of(*parts: bytes, tools: Sequence[Tool] = TOOLS) -> ReplyDelta:
    """The reply, the same however the bytes are cut, and the deltas joined are what its message holds."""
    replies = []
    for pieces in cuttings(b"".join(parts)):
        reply, deltas = decode(pieces, tools)
        assert shown(deltas) == (reply.message.reasoning or "", reply.message.text)
        replies.append(reply)
    assert replies[0] == replies[1] == replies[2]
    return replies[0]


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
