"""What an endpoint sent goes back to it as that endpoint needs it, for every row of the table and every way to send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.messages import ToolMessage
from kcode.providers.dialects import REASONING_KEYS, ReasoningKey, dialect_for
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.history import HistoryEncoder
from kcode.providers.stream import StreamDecoder
from tests.providers.streams import DONE, call, calls, chunk

if TYPE_CHECKING:
    from kcode.messages import AssistantMessage, Message
    from kcode.providers.dialects import Dialect

PIECES = (" The", " user\n", "", "wants, 你好", ' "x"\t')
REASONING = "".join(PIECES)
MODELS = {"kimi": "moonshotai/kimi-k2-thinking", "another": "some-reasoner"}


def delta_with(key: ReasoningKey, piece: str, *, first: bool, last: bool) -> dict[str, Any]:
    match key:
        case "reasoning_details":
            detail = {"type": "reasoning.text", "text": piece, "format": "unknown", "index": 0}
            return {"reasoning": piece, "reasoning_details": [detail]}
        case "think":
            return {"content": ("<think>" if first else "") + piece + ("</think>" if last else "")}
        case _:
            return {key: piece}


def heard(key: ReasoningKey, pieces: tuple[str, ...], text: str, ids: tuple[str, ...]) -> tuple[AssistantMessage, Any]:
    decoder = StreamDecoder()
    for number, piece in enumerate(pieces):
        decoder.feed(chunk(delta_with(key, piece, first=not number, last=number == len(pieces) - 1)))
    if text:
        decoder.feed(chunk({"content": text}))
    for index, call_id in enumerate(ids):
        decoder.feed(calls(call(index, call_id, "read_file", "")))
        decoder.feed(calls(call(index, ..., ..., '{"path": "a"}')))
    decoder.feed(chunk(finish="tool_calls" if ids else "stop") + DONE)
    reply: Any = decoder.finish()[-1]
    return reply.message, decoder.reasoning_key


def sent_back(dialect: Dialect, key: ReasoningKey, *messages: Message) -> list[dict[str, Any]]:
    encoder = HistoryEncoder(dialect)
    encoder.learn(key)
    found: list[dict[str, Any]] = json.loads(b"[" + encoder.encode(list(messages)) + b"]")
    return found


def reasoning_in(message: dict[str, Any]) -> list[str]:
    """Each form in which the message carries reasoning."""
    found = [message[name] for name in ("reasoning_content", "reasoning") if name in message]
    if "reasoning_details" in message:
        found.append("".join(piece["text"] for piece in message["reasoning_details"]))
    if str(message.get("content")).startswith("<think>"):
        found.append(message["content"].removeprefix("<think>").partition("</think>")[0])
    return found


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("key", REASONING_KEYS)
@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_step_goes_back_with_its_reasoning_to_the_byte(name: str, key: ReasoningKey, model: str) -> None:
    row = ENDPOINTS[name]
    dialect = dialect_for(row.dialect, model, kimi=row.kimi)
    said, came_as = heard(key, PIECES, "", ("read_file:0", "7"))
    assert came_as == key
    assert said.reasoning == REASONING
    answers = [ToolMessage(c.id, c.name, f"result {n}") for n, c in enumerate(said.tool_calls)]
    later, _ = heard(key, PIECES, "Done.", ())
    message, first, second, last = sent_back(dialect, key, said, *answers, later)
    assert reasoning_in(message) == reasoning_in(last) == [REASONING]
    ids = [c["id"] for c in message["tool_calls"]]
    assert ids == [first["tool_call_id"], second["tool_call_id"]]
    if dialect.tool_ids == "k2":
        assert ids == ["functions.read_file:0", "functions.read_file:1"]
    if not str(message.get("content")).startswith("<think>"):
        assert message.get("content", "left out") == {"omit": "left out", "null": None}[dialect.empty_content]
        assert last["content"] == "Done."
    else:
        assert last["content"].endswith("</think>Done.")


@given(
    st.sampled_from(list(ENDPOINTS)),
    st.sampled_from(REASONING_KEYS),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6),
)
def test_any_reasoning_goes_back_to_the_byte(name: str, key: ReasoningKey, pieces: list[str]) -> None:
    said, came_as = heard(key, tuple(pieces), "So be it.", ())
    if came_as is None:
        return  # a thought of nothing between tags is none
    (message,) = sent_back(ENDPOINTS[name].dialect, came_as, said)
    assert reasoning_in(message) == [said.reasoning]
    if "<" not in "".join(pieces):
        assert said.reasoning == "".join(pieces)
