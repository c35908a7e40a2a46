"""Real streams of real hosts, each beside the request that followed it."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import ProviderError
from kcode.providers.dialects import Dialect
from kcode.providers.history import HistoryEncoder
from kcode.providers.stream import StreamDecoder
from tests.providers.streams import declared, decode, reply_of

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.providers import ReplyDelta

TOOLS = (declared("weather", "location"), declared("add", "a", "b"), declared("multiply", "a", "b"))
FLORENCE, BOTH = {"location": "Florence,Italy"}, {"a": 2, "b": 3}

# Per stream: its calls, and its tokens in, out and cached, and its cost.
RECORDED: dict[str, tuple[list[tuple[str, str, dict[str, Any]]], tuple[int, int, int, float | None]]] = {
    "avian-k2.5-thinking.0": ([("functions.weather:0", "weather", {"location": "Florence"})], (76, 47, 64, 0.0001232)),
    "avian-k2.5-thinking.1": ([], (145, 78, 64, 0.00022245)),
    "groq-k2-tool.0": ([("functions.weather:0", "weather", FLORENCE)], (93, 32, 0, None)),
    "groq-k2-tool.1": ([], (143, 13, 0, None)),
    "openrouter-k2.5-simple.0": ([], (21, 173, 0, 0.0005738)),
    "openrouter-k2.5-tool.0": ([("functions.weather:0", "weather", FLORENCE)], (69, 87, 0, 0.00020436)),
    "openrouter-k2.5-tool.1": ([], (110, 66, 0, 0.0001804)),
    "openrouter-moonshot-k2-multi-tool.0": ([("add:0", "add", BOTH), ("multiply:1", "multiply", BOTH)], (154, 52, 0, 0.0002224)),
    "openrouter-moonshot-k2-multi-tool.1": ([], (236, 32, 0, 0.0002216)),
    "openrouter-moonshot-k2-tool.0": ([("weather:0", "weather", FLORENCE)], (76, 32, 0, 0.0001256)),
    "openrouter-moonshot-k2-tool.1": ([], (127, 16, 0, 0.0001162)),
}  # fmt: skip


def spelled(data: bytes, *keys: str) -> str:
    """What the chunks hold under the first of the keys that each has, joined."""
    lines = [line[6:] for line in data.decode().splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]
    return "".join(next((delta[key] for key in keys if delta.get(key)), "") for delta in deltas)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_stream_gives_the_same_reply_however_it_is_cut_up(recorded: Path, name: str) -> None:
    data = (recorded / f"{name}.sse").read_bytes()
    calls, usage = RECORDED[name]
    reply = reply_of(data, tools=TOOLS)
    decoder = StreamDecoder(TOOLS)
    decoder.feed(data)
    counted = decoder.last_usage()
    assert reply.finish == ("tool_calls" if calls else "stop")
    assert [(c.id, c.name, json.loads(c.arguments)) for c in reply.message.tool_calls] == calls
    assert counted is not None
    assert (counted.prompt_tokens, counted.completion_tokens, counted.cached_tokens, counted.cost) == usage
    text = spelled(data, "content")
    assert reply.message.text == ("" if text.isspace() else text)  # Avian sends spaces beside its calls
    assert (reply.message.reasoning or "") == spelled(data, "reasoning_content", "reasoning")
    assert ("k2.5" in name) == bool(reply.message.reasoning)


def test_every_recorded_stream_is_in_the_table(recorded: Path) -> None:
    assert {path.stem for path in recorded.glob("*.sse")} == set(RECORDED)


@pytest.mark.parametrize("name", [name for name, (calls, _) in RECORDED.items() if calls])
def test_what_goes_back_is_what_the_recorded_client_sent_and_no_token_less(recorded: Path, name: str) -> None:
    reply = reply_of((recorded / f"{name}.sse").read_bytes(), tools=TOOLS)
    request = json.loads((recorded / f"{name.removesuffix('0')}1.request.json").read_text(encoding="utf-8"))
    theirs = next(message for message in request["messages"] if message["role"] == "assistant")
    ours = sent_back(recorded / f"{name}.sse", reply)
    assert ours["tool_calls"] == [
        {key: call[key] for key in ("id", "type", "function")} for call in theirs["tool_calls"]
    ]
    assert ours.get("content", "") == theirs.get("content", "").strip(" ")
    if "reasoning_content" in theirs:
        assert ours["reasoning_content"] == theirs["reasoning_content"]
    if "reasoning_details" in theirs:
        (their_piece,), (our_piece,) = theirs["reasoning_details"], ours["reasoning_details"]
        # The recorded client dropped the first delta.
        assert our_piece == their_piece | {"text": " The" + their_piece["text"]}
        assert our_piece["text"] == reply.message.reasoning


def sent_back(stream: Path, reply: ReplyDelta) -> dict[str, Any]:
    decoder = StreamDecoder(TOOLS)
    decoder.feed(stream.read_bytes())
    encoder = HistoryEncoder(Dialect(tool_ids="kept"))
    if decoder.reasoning_key:
        encoder.learn(decoder.reasoning_key)
    message: dict[str, Any] = json.loads(encoder.encode([reply.message]))
    return message


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_stream_cut_at_any_byte_runs_no_call_unless_it_had_finished(recorded: Path, name: str) -> None:
    data = (recorded / f"{name}.sse").read_bytes()
    whole, _ = decode([data], TOOLS)
    finish = data.index(b'"finish_reason":"') if b'"finish_reason":"' in data else data.index(b'"finish_reason": "')
    decoder, survived, start = StreamDecoder(TOOLS), 0, 0
    for line in data.splitlines(keepends=True):
        state = pickle.dumps(decoder)
        for end in range(len(line)):
            cut = pickle.loads(state)  # noqa: S301  # a copy of our own object, twenty times as fast as deepcopy
            try:
                cut.feed(line[:end])
                reply = cut.finish()[-1]
            except ProviderError as error:
                assert error.failure.kind == "retry"  # noqa: PT017 - whether it is raised depends on the cut
                continue
            survived += 1
            assert start + end > finish
            assert reply == whole
        decoder.feed(line)
        start += len(line)
    assert survived > 0
