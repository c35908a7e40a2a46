from __future__ import annotations

import json
from typing import Any

import pytest

from kcode.providers.stream import StreamDecoder
from tests.providers.streams import chunk, reply_of


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
