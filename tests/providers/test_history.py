from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kcode.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from kcode.providers.dialects import Dialect
from kcode.providers.history import HistoryEncoder, encode_tools
from kcode.providers.stream import StreamDecoder
from kcode.tooling import Access, ToolResult, View, tool

if TYPE_CHECKING:
    from kcode.messages import Message

SYSTEM, USER = SystemMessage("You are Kimi."), UserMessage("Mend it")


def encoded(messages: list[Message], **dialect: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(b"[" + HistoryEncoder(Dialect(**dialect)).encode(messages) + b"]")
    return found


def step(number: int, ids: tuple[str, ...] = ("x",)) -> list[Message]:
    calls = tuple(ToolCall(call_id, "read_file", '{"path": "a"}') for call_id in ids)
    answers = [ToolMessage(call_id, "read_file", f"result {number}") for call_id in ids]
    return [AssistantMessage("", f"thought {number}", calls), *answers]


def test_each_kind_of_message_has_its_shape() -> None:
    messages: list[Message] = [SYSTEM, USER, *step(1), AssistantMessage("Done.", "Good.")]
    assert encoded(messages) == [
        {"role": "system", "content": "You are Kimi."},
        {"role": "user", "content": "Mend it"},
        {
            "role": "assistant",
            "reasoning_content": "thought 1",
            "tool_calls": [
                {
                    "id": "functions.read_file:0",
                    "type": "function",
                    "function": {"name": "read_file", "arguments": '{"path": "a"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "functions.read_file:0", "name": "read_file", "content": "result 1"},
        {"role": "assistant", "content": "Done.", "reasoning_content": "Good."},
    ]


def test_k2_ids_count_over_the_whole_history_on_both_sides() -> None:
    messages = [SYSTEM, USER, *step(1, ("0", "1")), *step(2, ("0",)), *step(3, ("0", "1"))]
    found = encoded(messages)
    ids = [call["id"] for m in found for call in m.get("tool_calls", [])]
    assert ids == [f"functions.read_file:{n}" for n in range(5)]
    assert [m["tool_call_id"] for m in found if m["role"] == "tool"] == ids


def test_kept_ids_stay_as_they_came_and_differ() -> None:
    found = encoded([*step(1, ("call_a",)), *step(2, ("call_b",)), *step(3, ("call_a",))], tool_ids="kept")
    ids = [call["id"] for m in found for call in m.get("tool_calls", [])]
    assert ids[:2] == ["call_a", "call_b"]
    assert len(set(ids)) == 3
    assert [m["tool_call_id"] for m in found if m["role"] == "tool"] == ids


def test_empty_content_is_omitted_or_null_beside_calls_and_never_an_empty_message() -> None:
    (message,) = encoded([AssistantMessage(" \n", "r", (ToolCall("x", "a", "{}"),))])
    assert "content" not in message
    (message,) = encoded([AssistantMessage("", "r", (ToolCall("x", "a", "{}"),))], empty_content="null")
    assert message["content"] is None
    (message,) = encoded([AssistantMessage("", "only thought")])
    assert message["content"].strip(" ") == ""
    assert message["content"]


def test_reasoning_goes_back_under_the_key_of_the_dialect_and_empty_reasoning_is_kept() -> None:
    for key in ("reasoning_content", "reasoning"):
        found = encoded(
            [AssistantMessage("x", "why"), AssistantMessage("x", ""), AssistantMessage("x")], reasoning_out=key
        )
        assert [m.get(key) for m in found] == ["why", "", None]
        assert key not in found[2]


def test_reasoning_details_go_back_unchanged() -> None:
    details = [{"type": "reasoning.text", "text": " The é", "format": "unknown", "index": 0, "signature": "s"}]
    message = AssistantMessage("x", " The é", (), json.dumps(details))
    assert encoded([message], reasoning_out="reasoning_details")[0]["reasoning_details"] == details
    assert encoded([AssistantMessage("x", "why")], reasoning_out="reasoning_details")[0]["reasoning"] == "why"
    assert encoded([message])[0]["reasoning_content"] == " The é"


def test_arguments_that_are_no_json_object_are_sent_as_one() -> None:
    arguments = ["", "  ", '{"a": 1}', '{"a": [.', "[1]", '"x"', '{"a": 1} ']
    calls = tuple(ToolCall(str(i), "a", text) for i, text in enumerate(arguments))
    sent = [
        json.loads(call["function"]["arguments"])
        for call in encoded([AssistantMessage("", None, calls)])[0]["tool_calls"]
    ]
    assert sent == [{}, {}, {"a": 1}, {"malformed": '{"a": [.'}, {"malformed": "[1]"}, {"malformed": '"x"'}, {"a": 1}]


def test_each_request_begins_with_the_bytes_of_the_one_before() -> None:
    encoder = HistoryEncoder(Dialect())
    messages: list[Message] = [SYSTEM, USER]
    before = encoder.encode(messages)
    for number in range(30):
        messages += step(number)
        now = encoder.encode(messages)
        assert now.startswith(before + b",")
        before = now
    assert before == HistoryEncoder(Dialect()).encode(messages)


def test_another_conversation_is_encoded_anew() -> None:
    encoder = HistoryEncoder(Dialect())
    encoder.encode([SYSTEM, USER, *step(1)])
    for other in ([SYSTEM, UserMessage("Other"), *step(2)], [SYSTEM], [SYSTEM, UserMessage("Mend it"), *step(1)]):
        assert encoder.encode(other) == HistoryEncoder(Dialect()).encode(other)


def test_a_learned_key_holds_for_all_reasoning() -> None:
    encoder = HistoryEncoder(Dialect())
    messages: list[Message] = [SYSTEM, USER]
    before = encoder.encode(messages)
    encoder.learn("reasoning")
    messages += step(1)
    now = encoder.encode(messages)
    assert now.startswith(before)
    assert b'"reasoning":"thought 1"' in now
    encoder.learn("reasoning_content")
    assert b'"reasoning_content":"thought 1"' in encoder.encode(messages)


def test_lone_surrogates_can_be_sent() -> None:
    data = HistoryEncoder(Dialect()).encode(
        [UserMessage("a\ud83d"), ToolMessage("x", "a", "\udcff"), UserMessage("\ud83d\ude00")]
    )
    assert [m["content"] for m in json.loads(b"[" + data + b"]")] == ["a\ufffd", "\ufffd", "😀"]


def test_text_is_not_escaped_more_than_needed() -> None:
    assert "Grüße 你好" in HistoryEncoder(Dialect()).encode([UserMessage("Grüße 你好")]).decode()


def test_tools_are_sorted_by_name() -> None:
    @tool(Access.READ)
    async def read_file(_view: View) -> ToolResult:
        return ToolResult("")

    tools = [replace(read_file, name=name) for name in "bca"]
    assert [sent["function"]["name"] for sent in json.loads(encode_tools(tools))] == ["a", "b", "c"]
    assert encode_tools(tools) == encode_tools(tools[::-1])


@given(
    st.text(min_size=1).filter(lambda text: not text.isspace()),
    st.text(),
    st.lists(st.integers(1, 9), min_size=1),
    st.sampled_from(["reasoning_content", "reasoning", "reasoning_details"]),
)
def test_reasoning_comes_back_byte_for_byte(text: str, reasoning: str, sizes: list[int], key: str) -> None:
    decoder = StreamDecoder()
    at, number = 0, 0
    while at < len(reasoning) or not number:
        piece = reasoning[at : at + sizes[number % len(sizes)]]
        value = [{"type": "reasoning.text", "text": piece, "index": 0}] if key == "reasoning_details" else piece
        decoder.feed(b"data: " + json.dumps({"choices": [{"delta": {key: value}}]}).encode() + b"\n\n")
        at += len(piece)
        number += 1
    decoder.feed(b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}).encode() + b"\n\ndata: [DONE]\n\n")
    reply: Any = decoder.finish()[-1]
    encoder = HistoryEncoder(Dialect())
    assert decoder.reasoning_key is not None
    encoder.learn(decoder.reasoning_key)
    sent = json.loads(encoder.encode([reply.message]))
    back = sent[key] if key != "reasoning_details" else "".join(piece["text"] for piece in sent[key])
    assert back == reasoning
    assert sent["content"] == text
