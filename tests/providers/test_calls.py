from __future__ import annotations

import json

import pytest

from tests.providers.streams import DONE, arguments_of, call, calls, chunk, reply_of

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
    "index 0 for both, and no ids": [
        calls(call(0, name="add", arguments='{"a":1}')), calls(call(0, name="mul", arguments='{"b"')),
        calls(call(0, name="mul", arguments=":2}")),
    ],
    "index as text": [
        calls(call(0, "x", "add", "") | {"index": "0"}, call(1, "y", "mul", "") | {"index": "1"}),
        calls(call(0, arguments='{"a":1}') | {"index": "0"}), calls(call(1, arguments='{"b":2}') | {"index": "1"}),
    ],
    "ids as numbers, both 0": [calls(call(0, 0, "add", '{"a":1}')), calls(call(1, 0, "mul", '{"b":2}'))],
    "id after the name": [
        calls(call(0, name="add", arguments="")), calls(call(0, "x", arguments='{"a":1}')),
        calls(call(1, name="mul", arguments="")), calls(call(1, "y", arguments='{"b":2}')),
    ],
    "the whole calls once more at the end": [
        calls(call(0, "x", "add", '{"a"')), calls(call(0, None, None, ":1}")), calls(call(1, "y", "mul", '{"b":2}')),
        calls(call(0, "x", "add", '{"a":1}'), call(1, "y", "mul", '{"b":2}')),
    ],
    "id and name in every delta": [
        calls(call(0, "x", "add", '{"a"')), calls(call(0, "x", "add", ":1}")), calls(call(1, "y", "mul", '{"b":2}')),
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
