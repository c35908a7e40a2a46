from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.errors import ProviderError
from kcode.messages import ToolCall, Usage
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, ToolCallDelta, UsageDelta
from kcode.providers import stream as stream_module
from kcode.providers.sse import LINE_LIMIT
from kcode.providers.stream import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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


RECORDED = [
    ("avian-k2.5-thinking.0", "tool_calls", ["functions.weather:0"], 47),
    ("avian-k2.5-thinking.1", "stop", [], 78),
    ("groq-k2-tool.0", "tool_calls", ["functions.weather:0"], 32),
    ("groq-k2-tool.1", "stop", [], 13),
    ("openrouter-k2.5-simple.0", "stop", [], 173),
    ("openrouter-k2.5-tool.0", "tool_calls", ["functions.weather:0"], 87),
    ("openrouter-k2.5-tool.1", "stop", [], 66),
    ("openrouter-moonshot-k2-multi-tool.0", "tool_calls", ["add:0", "multiply:1"], 52),
    ("openrouter-moonshot-k2-multi-tool.1", "stop", [], 32),
    ("openrouter-moonshot-k2-tool.0", "tool_calls", ["weather:0"], 32),
    ("openrouter-moonshot-k2-tool.1", "stop", [], 16),
]


@pytest.mark.parametrize(("name", "finish", "ids", "tokens"), RECORDED)
def test_a_recorded_stream_gives_the_same_reply_however_it_is_cut_up(
    recorded: Path, name: str, finish: str, ids: list[str], tokens: int
) -> None:
    data = (recorded / f"{name}.sse").read_bytes()
    reply = reply_of(data)
    decoder = StreamDecoder()
    decoder.feed(data)
    usage = decoder.last_usage()
    assert reply.finish == finish
    assert [c.id for c in reply.message.tool_calls] == ids
    assert all(json.loads(c.arguments) for c in reply.message.tool_calls)
    assert usage is not None
    assert usage.completion_tokens == tokens
    if "k2.5" in name:
        assert reply.message.reasoning
        joined = "".join(d["text"] for d in json.loads(reply.message.reasoning_details or "[]"))
        assert joined == reply.message.reasoning
    assert reply.message.tool_calls or reply.message.text


def test_the_first_recorded_reasoning_token_is_not_lost(recorded: Path) -> None:
    reply = reply_of((recorded / "openrouter-k2.5-tool.0.sse").read_bytes())
    assert reply.message.reasoning is not None
    assert reply.message.reasoning.startswith(" The user is asking")


@pytest.mark.parametrize("name", [row[0] for row in RECORDED])
def test_no_call_comes_out_of_a_recorded_stream_cut_before_its_finish(recorded: Path, name: str) -> None:
    data = (recorded / f"{name}.sse").read_bytes()
    whole, _ = decode([data])
    for end in [*range(0, len(data) - 700, 23), *range(max(0, len(data) - 700), len(data))]:
        try:
            reply, _ = decode([data[:end]])
        except ProviderError:
            continue
        assert reply.message.tool_calls == whole.message.tool_calls
        assert reply.message.text == whole.message.text


def test_text_reasoning_and_a_call_come_as_deltas_in_their_order() -> None:
    _, deltas = decode(
        [
            chunk({"role": "assistant", "content": "", "reasoning_content": "Think"}),
            chunk({"content": "Say"}),
            calls(call(0, "a:0", "read", "")),
            calls(call(0, arguments="{}")),
            chunk(finish="tool_calls"),
        ]
    )
    assert deltas == [
        ReasoningDelta("Think"),
        TextDelta("Say"),
        ToolCallDelta(0, "read", ""),
        ToolCallDelta(0, "read", "{}"),
    ]


def test_deltas_of_one_kind_that_arrive_together_are_joined() -> None:
    parts = [chunk({"reasoning_content": "a"}), chunk({"reasoning_content": "b"}), chunk({"content": "c"}), DONE]
    assert decode([b"".join(parts)])[1] == [ReasoningDelta("ab"), TextDelta("c")]


# How the hosts stream two calls, one line of the reference's table each.
TWO_CALLS = {
    "moonshot": [
        calls(call(0, "add:0", "add", "")), calls(call(0, arguments='{"a"')), calls(call(0, arguments=":1}")),
        calls(call(1, "mul:1", "mul", "")), calls(call(1, arguments='{"b":2}')),
    ],
    "novita, no arguments key in the header": [
        calls(call(0, "add:0", "add")), calls(call(0, arguments='{"a":1}')),
        calls(call(1, "mul:1", "mul")), calls(call(1, arguments='{"b":2}')),
    ],
    "baseten, id repeated and name empty": [
        calls(call(0, "add:0", "add", "")), calls(call(0, "add:0", "", '{"a"')), calls(call(0, "add:0", "", ":1}")),
        calls(call(1, "mul:1", "mul", "")), calls(call(1, "mul:1", "", '{"b":2}')),
    ],
    "fireworks, id null and empty arguments at the end": [
        calls(call(0, "add:0", "add")), calls(call(0, None, arguments='{"a":1}')), calls(call(0, None, arguments="")),
        calls(call(1, "mul:1", "mul")), calls(call(1, None, arguments='{"b":2}')), calls(call(1, None, arguments="")),
    ],
    "chutes, id and name null": [
        calls(call(0, "add:0", "add", "")), calls(call(0, None, None, '{"a":1}')),
        calls(call(1, "mul:1", "mul", "")), calls(call(1, None, None, '{"b":2}')),
    ],
    "deepinfra, whole calls with a finish each": [
        calls(call(0, "0", "add", '{"a":1}'), finish="tool_calls"),
        calls(call(1, "1", "mul", '{"b":2}'), finish="tool_calls"),
    ],
    "whole calls in one delta": [calls(call(0, "x", "add", '{"a":1}'), call(1, "y", "mul", '{"b":2}'))],
    "index 0 for both": [
        calls(call(0, "x", "add", '{"a":1}')), calls(call(0, "y", "mul", "")), calls(call(0, arguments='{"b":2}')),
    ],
    "no index, whole": [calls(call(None, "x", "add", '{"a":1}')), calls(call(None, "y", "mul", '{"b":2}'))],
    "no index and no id": [calls(call(None, name="add", arguments='{"a":1}'), call(None, name="mul", arguments='{"b":2}'))],
    "no index, in pieces": [
        calls(call(None, "x", "add", "")), calls(call(None, arguments='{"a"')), calls(call(None, arguments=":1}")),
        calls(call(None, "y", "mul", "")), calls(call(None, arguments='{"b":2}')),
    ],
    "names after arguments": [
        calls(call(0, "x", arguments='{"a":1}')), calls(call(1, "y", arguments='{"b":2}')),
        calls(call(0, name="add")), calls(call(1, name="mul")),
    ],
    "empty name first": [
        calls(call(0, "x", "", "")), calls(call(0, None, "add", '{"a":1}')),
        calls(call(1, "y", "", "")), calls(call(1, None, "mul", '{"b":2}')),
    ],
    "content between the calls": [
        calls(call(0, "x", "add", '{"a":')), chunk({"content": " "}), calls(call(0, arguments="1}")),
        chunk({"content": " "}), calls(call(1, "y", "mul", '{"b":2}')),
    ],
    "whitespace after complete arguments": [
        calls(call(0, "x", "add", '{"a":1}')), calls(call(0, arguments=" ")),
        calls(call(1, "y", "mul", '{"b":2}')), calls(call(1, arguments="\n")),
    ],
    "arguments as an object": [calls(call(0, "x", "add", {"a": 1}), call(1, "y", "mul", {"b": 2}))],
    "junk beside the calls": [
        calls(call(0, "x", "add", '{"a":1}')), chunk({"tool_calls": [None, {}, {"index": 0, "function": None}]}),
        chunk({"tool_calls": None}), calls(call(1, "y", "mul", '{"b":2}')),
    ],
}  # fmt: skip


@pytest.mark.parametrize("parts", TWO_CALLS.values(), ids=TWO_CALLS.keys())
def test_two_calls_are_put_together_in_every_shape_that_hosts_send(parts: list[bytes]) -> None:
    reply = reply_of(*parts, chunk(finish="tool_calls"), DONE)
    found = [(c.name, json.loads(c.arguments)) for c in reply.message.tool_calls]
    assert found == [("add", {"a": 1}), ("mul", {"b": 2})]
    assert len({c.id for c in reply.message.tool_calls}) == 2
    assert reply.message.text == ""


def test_two_calls_of_one_tool_without_index_stay_two() -> None:
    parts = calls(call(None, name="add", arguments='{"a":1}')), calls(call(None, name="add", arguments='{"a":2}'))
    assert arguments_of(*parts, DONE) == [("add", '{"a":1}'), ("add", '{"a":2}')]


def test_equal_ids_in_one_reply_are_made_to_differ() -> None:
    reply = reply_of(calls(call(0, "0", "a", "{}"), call(1, "0", "a", "{}")), DONE)
    assert len({c.id for c in reply.message.tool_calls}) == 2


def test_a_call_without_id_gets_one() -> None:
    assert reply_of(calls(call(0, name="a", arguments="{}")), DONE).message.tool_calls[0].id


def test_arguments_that_are_no_json_are_kept_as_they_came() -> None:
    assert arguments_of(calls(call(0, "x", "read", '{"filePath":": [.')), DONE) == [("read", '{"filePath":": [.')]


@pytest.mark.parametrize(
    ("parts", "finish"),
    [
        ([chunk({"content": "x"}), chunk(finish="stop"), DONE], "stop"),
        ([chunk({"content": "x"}), chunk(finish="stop")], "stop"),
        ([chunk({"content": "x"}), DONE], "stop"),
        ([chunk({"content": "x"}), chunk(finish="length")], "length"),
        ([chunk({"content": "x"}, "stop"), chunk(finish="stop"), chunk()], "stop"),
        ([calls(call(0, "x", "a", "{}")), DONE], "tool_calls"),
        ([calls(call(0, "x", "a", "{}")), chunk(finish="stop")], "tool_calls"),
        ([calls(call(0, "x", "a", "{}")), chunk(finish="function_call")], "tool_calls"),
        ([calls(call(0, "x", "a", '{"b')), chunk(finish="length")], "length"),
        ([chunk({"content": "x"}), chunk(finish="tool_calls")], "stop"),
        ([chunk({"content": "x"}), chunk(finish="content_filter")], "content_filter"),
    ],
)
def test_the_finish_is_known_from_what_came(parts: list[bytes], finish: str) -> None:
    assert reply_of(*parts).finish == finish


def test_a_call_cut_by_the_length_before_its_arguments_is_not_a_call() -> None:
    assert reply_of(calls(call(0, "x", "run_tests", "")), chunk(finish="length")).message.tool_calls == ()


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b": OPENROUTER PROCESSING\n\n"],
        [chunk({"content": "x"})],
        [calls(call(0, "x", "a", "{}"))],
        [chunk({"content": "x"}), b'data: {"choices": [{"del'],
        [chunk({"content": "x"}), b'data: {"choices": [{"del\n\n', DONE],
        [chunk({"content": "x"}), b"data: garbage\n\n", DONE],
        [b"\n\n   \n"],
        [b"data: " + b"[" * 100_000 + b"\n\n", DONE],
    ],
)
def test_a_stream_that_is_not_whole_is_an_error_worth_a_retry(parts: list[bytes]) -> None:
    assert failure_of(*parts).kind == "retry"


@pytest.mark.parametrize(
    "noise",
    [
        b"data: null\n\n",
        b"data:\n\n",
        b"data: 17\n\n",
        b"data: []\n\n",
        b": OPENROUTER PROCESSING\n\n",
        b":\n",
        b"id: 3\nretry: 10\nevent: message\n",
        b"\r\n\r\n",
        sse({"choices": None}),
        sse({"choices": []}),
        sse({"choices": [None]}),
        sse({"choices": {}}),
        sse({"choices": [{"index": 0, "delta": None, "finish_reason": None}]}),
        sse({"choices": [{"index": 0, "finish_reason": None}]}),
        sse({"error": None, "choices": [{"delta": {}}]}),
        sse({"usage": None, "choices": [{"delta": {"content": None, "tool_calls": [], "reasoning_content": None}}]}),
        sse({"choices": [{"delta": {"content": ["no text"], "reasoning": 3, "reasoning_details": "x"}}]}),
        sse({}),
    ],
)
def test_noise_between_the_chunks_changes_nothing(noise: bytes) -> None:
    plain = [chunk({"reasoning_content": "r"}), chunk({"content": "x"}), chunk(finish="stop"), DONE]
    noisy = b"".join(noise + part for part in plain[:-1]) + plain[-1]
    assert reply_of(noisy) == reply_of(*plain)


@pytest.mark.parametrize("change", [
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data.replace(b"data: ", b"data:"),
    lambda data: data.replace(b"\n\n", b"\n"),
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data.replace(b'"choices"', b'\ndata: "choices"'),
    lambda data: data + b"data: after the end\n\n<html>",
])  # fmt: skip
def test_the_framing_may_vary(change: Any) -> None:
    plain = b"".join([chunk({"content": "é\u2028"}), chunk(finish="stop"), DONE])
    assert reply_of(change(plain)) == reply_of(plain)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([chunk(finish="stop", usage={"prompt_tokens": 5, "completion_tokens": 7, "cached_tokens": 3})], Usage(5, 7, 3)),
        ([sse({"choices": [{"delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 8, "completion_tokens": 11, "cached_tokens": 8}}]})], Usage(8, 11, 8)),
        ([chunk(finish="stop"), sse({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}}})], Usage(5, 7, 2)),
        ([chunk(usage={"prompt_tokens": 1, "completion_tokens": 1}), chunk(finish="stop", usage={"prompt_tokens": 5, "completion_tokens": 7, "cost": 0.25})], Usage(5, 7, 0, 0.25)),
        ([chunk(finish="stop", usage={"prompt_tokens": 5, "completion_tokens": None, "cached_tokens": -1, "cost": "x"})], Usage(5, 0, 0)),
        ([chunk(finish="stop", usage={"prompt_tokens": 5, "cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.5}})], Usage(5, 0, 0, 0.51)),
    ],
)  # fmt: skip
def test_the_last_usage_counts_wherever_it_stands(parts: list[bytes], expected: Usage) -> None:
    _, deltas = decode([*parts, DONE])
    last = [d for d in deltas if isinstance(d, UsageDelta)][-1].usage
    assert last == expected


@pytest.mark.parametrize(
    ("deltas", "reasoning", "key"),
    [
        ([{"reasoning_content": "a"}, {"reasoning_content": "b"}], "ab", "reasoning_content"),
        ([{"reasoning": "a"}, {"reasoning": "b"}], "ab", "reasoning"),
        ([{"reasoning_content": ""}, {"content": "x"}], "", "reasoning_content"),
        ([{"content": "x"}], None, None),
        ([{"reasoning_content": None, "reasoning": "a"}], "a", "reasoning"),
        ([{"reasoning_content": "a", "reasoning": "a"}], "a", "reasoning_content"),
        ([{"reasoning_content": ""}, {"reasoning": "a"}], "a", "reasoning"),
        ([{"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]}], "a", "reasoning_details"),
        ([{"reasoning_content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]}], "a", "reasoning_content"),
        ([{"reasoning_details": [{"type": "reasoning.summary", "summary": "a"}]}], "a", "reasoning_details"),
    ],
)  # fmt: skip
def test_reasoning_is_found_under_any_key_and_never_twice(
    deltas: list[dict[str, Any]], reasoning: str | None, key: str | None
) -> None:
    data = b"".join(chunk(delta) for delta in deltas) + chunk(finish="stop")
    assert reply_of(data).message.reasoning == reasoning
    decoder = StreamDecoder()
    decoder.feed(data)
    assert decoder.reasoning_key == key


def test_reasoning_details_keep_every_piece() -> None:
    pieces = [
        {"type": "reasoning.text", "text": " The", "format": "unknown", "index": 0},
        {"type": "reasoning.text", "text": " user", "format": "unknown", "index": 0},
        {"type": "reasoning.text", "text": "", "index": 0, "signature": "sig"},
        {"type": "reasoning.text", "text": "next", "index": 1},
        {"type": "reasoning.encrypted", "data": "xyz", "id": "r1", "index": 2},
        {"type": "reasoning.text", "text": "last", "index": 1},
    ]
    reply = reply_of(*[chunk({"reasoning_details": [piece]}) for piece in pieces], chunk(finish="stop"))
    assert json.loads(reply.message.reasoning_details or "") == [
        {"type": "reasoning.text", "text": " The user", "format": "unknown", "index": 0, "signature": "sig"},
        {"type": "reasoning.text", "text": "next", "index": 1},
        {"type": "reasoning.encrypted", "data": "xyz", "id": "r1", "index": 2},
        {"type": "reasoning.text", "text": "last", "index": 1},
    ]
    assert reply.message.reasoning == " The usernextlast"


@pytest.mark.parametrize(
    ("parts", "kind", "said"),
    [
        ([sse({"choices": [{"delta": {"content": ""}, "finish_reason": "error"}], "error": {"code": 502, "message": "Provider disconnected", "metadata": {"error_type": "provider_unavailable"}}})], "retry", "Provider disconnected"),
        ([sse({"error": {"message": "The server had an error", "type": "server_error", "code": None}}), DONE], "retry", "The server had an error"),
        ([sse({"object": "error", "message": "boom", "code": 500})], "retry", "boom"),
        ([b'event: error\ndata: {"message": "boom"}\n\n'], "retry", "boom"),
        ([sse({"error": "plain words"})], "retry", "plain words"),
        ([sse({"error": {"code": 402, "message": "Insufficient credits"}})], "quota", "Insufficient credits"),
        ([sse({"error": {"code": 400, "message": "exceeded model token limit: your request exceeded model token limit"}})], "overflow", "token limit"),
        ([chunk(finish="error")], "retry", "error"),
        ([chunk(finish="network_error")], "retry", "network_error"),
        ([b'{"error": {"message": "no such thing", "code": 401}}'], "key", "no such thing"),
        ([b'\n\n  {\n "error": {"message": "busy", "code": 503}\n}\n'], "retry", "busy"),
        ([b"<!DOCTYPE html>\n<html><title>Sign in</title></html>"], "retry", "web page"),
        ([b"upstream timed out"], "retry", "upstream timed out"),
        ([b'{"status": "ok"}'], "broken", ""),
    ],
)  # fmt: skip
def test_an_error_inside_a_200_is_told_by_what_it_says(parts: list[bytes], kind: str, said: str) -> None:
    failure = failure_of(chunk({"content": "x"}) if parts[0].startswith(b"data") else b"", *parts)
    if kind != "broken":
        assert failure.kind == kind
    assert said in failure.message


def test_a_plain_json_answer_is_a_reply_too() -> None:
    answer = {
        "choices": [
            {
                "message": {"role": "assistant", "content": "Hi", "reasoning_content": "r", "tool_calls": [call(None, "x", "a", "{}")]},
                "finish_reason": "tool_calls",
            }
        ]
    }  # fmt: skip
    for text in (json.dumps(answer), "\n\n " + json.dumps(answer, indent=2) + "\n"):
        reply = reply_of(text.encode())
        assert (reply.message.text, reply.message.reasoning) == ("Hi", "r")
        assert reply.message.tool_calls == (ToolCall("x", "a", "{}"),)


def test_an_endless_line_is_given_up() -> None:
    with pytest.raises(ProviderError, match="longer than 8 MiB"):
        decode(itertools.repeat(b"x" * 65536, LINE_LIMIT // 65536 + 2))


def test_an_endless_event_an_endless_answer_and_endless_text_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    big = b"x" * 1_000_000
    for lines in (b"data: " + big + b"\n", big + b"\n", chunk({"content": "y" * 1_000_000})):
        with pytest.raises(ProviderError, match="does not end"):
            decode(itertools.repeat(lines, 40))
    monkeypatch.setattr(stream_module, "REPLY_LIMIT", 10_000)
    with pytest.raises(ProviderError, match="does not end"):
        decode(itertools.repeat(b": keep-alive\n", 2000))


def test_invalid_utf_8_is_shown_and_not_fatal() -> None:
    assert reply_of(b'data: {"choices":[{"delta":{"content":"a\xffb"}}]}\n\n', DONE).message.text == "a\ufffdb"


def test_a_raw_control_character_in_a_string_is_let_pass() -> None:
    assert reply_of(b'data: {"choices":[{"delta":{"content":"a\tb\x1b"}}]}\n\n', DONE).message.text == "a\tb\x1b"


@pytest.mark.parametrize("key", ["content", "reasoning_content"])
def test_halves_of_a_pair_in_two_deltas_are_joined_and_a_half_alone_can_be_written(key: str) -> None:
    lines = [
        b'data: {"choices":[{"delta":{"%s":"%s"}}]}\n\n' % (key.encode(), text)
        for text in (rb"a\ud83d", rb"\ude00b\ud83d")
    ]
    message = reply_of(*lines, DONE).message
    text = message.text if key == "content" else message.reasoning
    assert text in {"a😀b\ufffd", "a😀b"}
    assert text == "a😀b\ufffd"
    text.encode()


def test_a_lone_surrogate_in_arguments_can_be_written() -> None:
    reply = reply_of(b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"a","arguments":"{\\"b\\":\\"\\ud83d\\"}"}}]}}]}\n\n', DONE)  # fmt: skip
    reply.message.tool_calls[0].arguments.encode()


DELTAS = st.lists(
    st.one_of(
        st.builds(lambda text: {"content": text}, st.text(max_size=8)),
        st.builds(lambda text: {"reasoning_content": text}, st.text(max_size=8)),
        st.builds(
            lambda index, name, text: {"tool_calls": [call(index, f"id{index}", name, text)]},
            st.integers(0, 2),
            st.sampled_from(["", "read", "write"]),
            st.text(max_size=8),
        ),
    ),
    max_size=12,
)


@given(DELTAS, st.lists(st.integers(1, 40), min_size=1, max_size=30), st.booleans())
@settings(deadline=None)
def test_any_chunking_gives_the_same_reply(deltas: list[dict[str, Any]], sizes: list[int], ascii_only: bool) -> None:
    lines = [json.dumps({"choices": [{"delta": delta}]}, ensure_ascii=ascii_only) for delta in deltas]
    data = b"".join(b"data: " + line.encode("utf-8") + b"\n\n" for line in lines) + chunk(finish="stop") + DONE
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    whole, deltas_of_whole = decode([data])
    cut, deltas_of_cut = decode(pieces)
    assert whole == cut
    for kind in (ReasoningDelta, TextDelta):
        one, other = ("".join(d.text for d in ds if isinstance(d, kind)) for ds in (deltas_of_whole, deltas_of_cut))
        assert one == other
    assert whole.message.reasoning in {None, "".join(d.get("reasoning_content", "") for d in deltas)}


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_no_bytes_raise_anything_but_a_provider_error(data: bytes) -> None:
    for pieces in ([data], [b"data: " + data + b"\n\n", DONE]):
        try:
            decode(pieces)
        except ProviderError as error:
            assert error.failure.message  # noqa: PT017 - whether it is raised depends on the bytes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["choices", "delta", "message", "error", "usage", "tool_calls", "function", "name", "arguments",
                         "index", "id", "content", "reasoning", "reasoning_details", "type", "text", "finish_reason",
                         "code", "metadata", "raw", "prompt_tokens", "cost", "cost_details", "is_byok"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(JSON, max_size=4))
@settings(deadline=None)
def test_no_json_raises_anything_but_a_provider_error(values: list[Any]) -> None:
    wrapped = [{"choices": [{"delta": value}]} for value in values] + [{"choices": [value]} for value in values]
    for chunks in (values, wrapped):
        try:
            reply, _ = decode([sse(value) for value in chunks] + [DONE])
        except ProviderError:
            continue
        json.dumps([c.id for c in reply.message.tool_calls])
        reply.message.text.encode()
