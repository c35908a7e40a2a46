"""Lines as hosts sent them, and the shapes that their users reported, each however it is cut up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kcode.messages import ToolCall, Usage
from kcode.providers.stream import StreamDecoder
from tests.providers.streams import DONE, call, calls, chunk, declared, failure_of, reply_of, sse

TOOLS = tuple(declared(name) for name in ("add", "multiply", "get_weather", "send"))

DEEPINFRA = b"".join([
    rb'data: {"id":"gen-1758698452-8C05CYcX21K3YrxDYBX4","provider":"DeepInfra","model":"moonshotai/kimi-k2-0905","object":"chat.completion.chunk","created":1758698452,"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"0","function":{"arguments":"{\"a\": 2, \"b\": 3}","name":"add"},"type":"function"}]},"finish_reason":"tool_calls","native_finish_reason":"tool_calls","logprobs":null}]}', b"\n\n",
    rb'data: {"id":"gen-1758698452-8C05CYcX21K3YrxDYBX4","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":1,"id":"1","function":{"arguments":"{\"a\": 2, \"b\": 3}","name":"multiply"},"type":"function"}]},"finish_reason":"tool_calls","native_finish_reason":"tool_calls","logprobs":null}]}', b"\n\n",
    rb'data: {"id":"gen-1758698452-8C05CYcX21K3YrxDYBX4","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null,"logprobs":null}],"usage":{"prompt_tokens":171,"completion_tokens":12,"total_tokens":183,"cost":0.0001095,"is_byok":false,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"cost_details":{"upstream_inference_cost":null}}}', b"\n\n",
    DONE,
])  # fmt: skip
CHUTES = b"".join([
    b": OPENROUTER PROCESSING\n\n",
    rb'data: {"id":"gen-1777319918-UVrg0z9Yj2HXXL5dYZY3","object":"chat.completion.chunk","created":1777319918,"model":"moonshotai/kimi-k2.5-0127","provider":"Chutes","choices":[{"index":0,"delta":{"content":"","role":"assistant","reasoning":" The","reasoning_details":[{"type":"reasoning.text","text":" The","format":"unknown","index":0}]},"finish_reason":null,"native_finish_reason":null}]}', b"\n\n",
    rb'data: {"id":"gen-1777319918-UVrg0z9Yj2HXXL5dYZY3","choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"index":0,"id":"functions.add:0","type":"function","function":{"name":"add","arguments":""}}]},"finish_reason":null,"native_finish_reason":null}]}', b"\n\n",
    rb'data: {"id":"gen-1777319918-UVrg0z9Yj2HXXL5dYZY3","choices":[{"index":0,"delta":{"content":null,"role":"assistant","tool_calls":[{"index":0,"function":{"arguments":"{\""}}]},"finish_reason":null}]}', b"\n\n",
    rb'data: {"id":"gen-1777319918-UVrg0z9Yj2HXXL5dYZY3","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"a\": 2}"}}]},"finish_reason":null}]}', b"\n\n",
    rb'data: {"id":"gen-1777319918-UVrg0z9Yj2HXXL5dYZY3","choices":[{"index":0,"delta":{"content":"","role":"assistant","reasoning":null},"finish_reason":"tool_calls","native_finish_reason":"tool_calls"}]}', b"\n\n",
    rb'data: {"id":"gen-1777319918-UVrg0z9Yj2HXXL5dYZY3","choices":[{"index":0,"delta":{"content":"","role":"assistant"},"finish_reason":"tool_calls","native_finish_reason":"tool_calls"}],"usage":{"prompt_tokens":125,"completion_tokens":97,"total_tokens":222,"cost":0.00023492,"is_byok":false,"prompt_tokens_details":{"cached_tokens":64,"cache_write_tokens":0},"cost_details":{"upstream_inference_cost":0.00023492},"completion_tokens_details":{"reasoning_tokens":56}}}', b"\n\n",
    DONE,
])  # fmt: skip
AVIAN = b"".join([
    rb'data: {"id":"gen-1773932879-9itFTxmMNzDrUKQO1wmR", "object": "chat.completion.chunk", "created": 1773932879, "model": "moonshotai/kimi-k2.5", "choices": [{"index": 0, "delta": {"content": "", "role": "assistant", "reasoning_details": [{"type": "reasoning.text", "text": "The", "format": "unknown", "index": 0}], "reasoning_content": "The"}, "finish_reason": null, "native_finish_reason": null}]}', b"\n\n",
    rb'data: {"choices": [{"index": 0, "delta": {"content": "Hi", "role": "assistant"}, "finish_reason": null}]}', b"\n\n",
    rb'data: {"choices": [{"index": 0, "delta": {"content": "", "reasoning_content": null}, "finish_reason": "stop"}]}', b"\n\n",
    DONE,
])  # fmt: skip
MOONSHOT = b"".join([
    rb'data: {"id":"chatcmpl-6970b5d02fa474c1767e8767","object":"chat.completion.chunk","created":1768994256,"model":"kimi-k2-turbo-preview","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}],"system_fingerprint":"fpv0_10a6da87"}', b"\n\n",
    rb'data: {"id":"chatcmpl-6970b5d02fa474c1767e8767","object":"chat.completion.chunk","created":1768994256,"model":"kimi-k2-turbo-preview","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":8,"completion_tokens":11,"total_tokens":19,"cached_tokens":8}}],"system_fingerprint":"fpv0_10a6da87"}', b"\n\n",
    DONE,
])  # fmt: skip
NO_FINISH = b"".join([
    rb'data: {"id":"chatcmpl-kimi","object":"chat.completion.chunk","created":1711357598,"model":"moonshotai/kimi-k2.5","system_fingerprint":"fp_kimi","choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_kimi_001","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Tokyo\"}"}}]},"logprobs":null,"finish_reason":null}]}', b"\n\n",
    rb'data: {"id":"chatcmpl-kimi","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}]}', b"\n\n",
    rb'data: {"id":"chatcmpl-kimi","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":25,"total_tokens":125}}', b"\n\n",
    DONE,
])  # fmt: skip
TRAILING_SPACE = b"".join([
    rb'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"functions.send:0","type":"function","function":{"name":"send","arguments":"{\"hello\":\"world\"}"}}]},"logprobs":null,"finish_reason":null}]}', b"\n\n",
    rb'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":" "}}]},"logprobs":null,"finish_reason":null}]}', b"\n\n",
    rb'data: {"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}', b"\n\n",
    DONE,
])  # fmt: skip

SUM = '{"a": 2, "b": 3}'


@pytest.mark.parametrize(
    ("data", "reasoning", "text", "expected", "usage"),
    [
        (DEEPINFRA, None, "", [ToolCall("0", "add", SUM), ToolCall("1", "multiply", SUM)], Usage(171, 12, 0, 0.0001095)),
        (CHUTES, " The", "", [ToolCall("functions.add:0", "add", '{"a": 2}')], Usage(125, 97, 64, 0.00023492)),
        (AVIAN, "The", "Hi", [], None),
        (MOONSHOT, None, "Hi", [], Usage(8, 11, 8)),
        (NO_FINISH, None, "", [ToolCall("call_kimi_001", "get_weather", '{"city":"Tokyo"}')], Usage(100, 25)),
        (TRAILING_SPACE, None, "", [ToolCall("functions.send:0", "send", '{"hello":"world"}')], None),
    ],
    ids=["A DeepInfra", "B Chutes", "C Avian", "D Moonshot", "E no finish", "F space after the arguments"],
)  # fmt: skip
def test_a_hosts_lines_give_its_reply(
    data: bytes, reasoning: str | None, text: str, expected: list[ToolCall], usage: Usage | None
) -> None:
    reply = reply_of(data, tools=TOOLS)
    assert (reply.message.reasoning, reply.message.text) == (reasoning, text)
    assert list(reply.message.tool_calls) == expected
    assert reply.finish == ("tool_calls" if expected else "stop")
    decoder = StreamDecoder(TOOLS)
    decoder.feed(data)
    counted = decoder.last_usage()
    assert (counted and (counted.prompt_tokens, counted.completion_tokens, counted.cached_tokens, counted.cost)) == (
        usage and (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.cost)
    )


@pytest.mark.parametrize("data", [DEEPINFRA, CHUTES, AVIAN, MOONSHOT, NO_FINISH, TRAILING_SPACE])
def test_noise_from_the_same_threads_changes_no_reply(data: bytes) -> None:
    noise = b'data: null\n\n: keep-alive\n\ndata: {"choices":null}\n\ndata: {"choices":[{"delta":null}]}\n\n'
    assert reply_of(data.replace(b"data: {", noise + b"data: {"), tools=TOOLS) == reply_of(data, tools=TOOLS)


def test_a_finish_with_each_call_makes_a_cut_reply_whole_only_up_to_it() -> None:
    first, second = (calls(call(index, str(index), "add", '{"a": 1}'), finish="tool_calls") for index in range(2))
    begun = calls(call(1, "1", "add", ""))
    grown = calls(call(1, None, None, '{"a": '))
    # The second call cannot be missed: nothing tells that one was to come.
    assert len(reply_of(first).message.tool_calls) == 1
    assert len(reply_of(first, second).message.tool_calls) == 2
    # Of a call that came after the finish nobody knows whether it is all there.
    for parts in ([first, begun], [first, begun, grown], [first, begun, calls(call(1, None, None, "{}"))]):
        assert failure_of(*parts).kind == "retry"
    reply = reply_of(first, begun, grown, DONE)
    assert [c.arguments for c in reply.message.tool_calls] == ['{"a": 1}', '{"a":']


def test_arguments_that_a_finish_cuts_off_are_kept_as_no_json() -> None:
    for finish in ("length", "stop", "tool_calls"):
        reply = reply_of(calls(call(0, "x", "add", '{"a": ')), chunk(finish=finish), tools=TOOLS)
        assert reply.message.tool_calls == (ToolCall("x", "add", '{"a":'),)


def test_only_the_first_choice_counts() -> None:
    other = {
        "index": 1,
        "delta": {"content": "other", "tool_calls": [call(0, "y", "add", "{}")]},
        "finish_reason": "length",
    }
    mine = {"index": 0, "delta": {"content": "mine"}, "finish_reason": None}
    parts = [sse({"choices": [other]}), sse({"choices": [other, mine]}), sse({"choices": [mine, other]})]
    reply = reply_of(*parts, chunk(finish="stop"))
    assert (reply.message.text, reply.message.tool_calls, reply.finish) == ("minemine", (), "stop")


def test_a_function_call_of_the_old_protocol_is_a_call() -> None:
    parts = [
        chunk({"role": "assistant", "content": None, "function_call": {"name": "add", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"a"'}}),
        chunk({"function_call": {"name": "add", "arguments": ": 1}"}}),
        chunk(finish="function_call"),
    ]
    reply = reply_of(*parts)
    assert [(c.name, c.arguments) for c in reply.message.tool_calls] == [("add", '{"a": 1}')]
    assert reply.finish == "tool_calls"


def test_a_last_chunk_that_repeats_the_whole_message_does_not_double_it() -> None:
    last = {"choices": [{"index": 0, "delta": {}, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert reply_of(chunk({"content": "Hi"}), sse(last)).message.text == "Hi"


def test_an_empty_finish_reason_is_none() -> None:
    assert failure_of(chunk({"content": "x"}, "")).kind == "retry"
    assert reply_of(chunk({"content": "x"}, ""), chunk(finish="stop"), chunk(finish="")).finish == "stop"


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ({"code": 20015, "message": "no such model", "data": None}, "retry", "no such model"),
        ({"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 402, "message": "no credits"}}]}, "quota", "no credits"),
        ({"type": "error", "error": {"type": "<nil>", "message": "it broke"}}, "retry", "it broke"),
    ],
)  # fmt: skip
def test_an_error_is_told_in_whatever_place_it_stands(value: dict[str, Any], kind: str, said: str) -> None:
    for parts in ([sse(value)], [chunk({"content": "x"}), sse(value), DONE], [json.dumps(value).encode()]):
        failure = failure_of(*parts)
        assert said in failure.message
        if parts[0].startswith(b"data"):
            assert failure.kind == kind


def test_a_plain_body_is_whole_without_a_finish_reason() -> None:
    body = {"choices": [{"message": {"content": "Hi", "tool_calls": [call(None, "x", "add", "{}")]}}]}
    for text in (
        json.dumps(body),
        "\n \n" + json.dumps(body, indent=1),
        ": OPENROUTER PROCESSING\n\n" + json.dumps(body),
    ):
        reply = reply_of(text.encode())
        assert (reply.message.text, len(reply.message.tool_calls), reply.finish) == ("Hi", 1, "tool_calls")
