from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.errors import ProviderError
from kcode.messages import ToolCall, Usage
from kcode.providers import ReasoningDelta, TextDelta, ToolCallDelta, UsageDelta
from tests.providers.streams import DONE, call, calls, chunk, decode, failure_of, reply_of, sse


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
