from __future__ import annotations

import itertools
from typing import Any

import pytest

from kcode.errors import ProviderError
from kcode.providers import stream as stream_module
from kcode.providers.sse import LINE_LIMIT, EventDecoder, StreamFault
from tests.providers.streams import DONE, chunk, decode, failure_of, reply_of, sse


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
    lambda data: data.replace(b'"choices"', b'\ndata: "choices"').replace(b"\n", b"\r\n"),
    lambda data: data + b"data: after the end\n\n<html>",
])  # fmt: skip
def test_the_framing_may_vary(change: Any) -> None:
    plain = b"".join([chunk({"content": "é\u2028"}), chunk(finish="stop"), DONE])
    assert reply_of(change(plain)) == reply_of(plain)


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


def test_an_event_that_the_end_cuts_off_is_told_as_cut_and_a_damaged_one_as_damaged() -> None:
    cut_off = EventDecoder()
    cut_off.feed(b'data: {"choices": [{"del')
    with pytest.raises(StreamFault, match="closed in the middle of an event"):
        cut_off.finish()
    with pytest.raises(StreamFault, match="not JSON"):
        EventDecoder().feed(b'data: {"choices": [{"del\n\n')
