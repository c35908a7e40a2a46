"""Three hundred calls in one turn, over real HTTP, in each dialect: the history is exact and nothing in it drifts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, cast

import pytest

from kcode.agent.conversation import Conversation
from kcode.agent.turn import Desk, Limits, LiveView, run_turn
from kcode.events import ToolCallFinished, TurnEnd, TurnFinished
from kcode.messages import SystemMessage
from kcode.providers.dialects import Dialect
from kcode.providers.endpoints import ENDPOINTS, Endpoint
from kcode.providers.openai_chat import connect
from kcode.tooling import Access, ToolResult, View, tool
from tests.model_server import raw

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.events import Event
    from kcode.providers.cassette import Answer
    from tests.model_server import ModelServer, ModelServerFactory

CALLS = 300
K2, OTHER = "kimi-k2-thinking", "deepseek-reasoner"


@dataclass
class StillView:
    """A view over nothing, with what the loop itself needs of it."""

    on_output: Callable[[str], None] | None = None
    noted: list[int] = field(default_factory=list)

    async def ready(self) -> None:
        pass

    def take_changes(self) -> tuple[str, ...]:
        return ()


@tool(Access.READ)
async def note(view: View, number: Annotated[int, "which"]) -> ToolResult:
    """Note a number."""
    cast("StillView", view).noted.append(number)
    return ToolResult(f"noted {number} — ✓\n")


@dataclass(frozen=True)
class Step:
    """One reply of the script: what it thinks and says, and the numbers that its calls note."""

    thought: str
    text: str
    numbers: tuple[int, ...]


def script() -> list[Step]:
    """One call, then two calls, and so on; now and then with words beside them."""
    steps: list[Step] = []
    given = 0
    while given < CALLS:
        count = min(1 + len(steps) % 2, CALLS - given)
        thought = f" The {len(steps)}th thought:\n\té 😀 —, {given} so far.  "
        steps.append(Step(thought, "Let me see." if len(steps) % 5 == 0 else "", tuple(range(given, given + count))))
        given += count
    return steps


def pieces_of(text: str) -> list[str]:
    """Cut as a host cuts it: the first delta is one short word."""
    return [text[:4], *(text[start : start + 7] for start in range(4, len(text), 7))]


@dataclass(frozen=True)
class Spoken:
    """A dialect from both sides: the row, the model, how the host streams, and what it must get back."""

    endpoint: Endpoint
    model: str
    reasoning_deltas: Callable[[str], list[dict[str, Any]]]
    sent_reasoning: Callable[[dict[str, Any]], Any]
    host_id: Callable[[int, int], str]
    sent_id: Callable[[int], str]
    empty: dict[str, Any] = field(default_factory=dict)


def under(key: str) -> Callable[[str], list[dict[str, Any]]]:
    return lambda thought: [{key: piece} for piece in pieces_of(thought)]


def details(thought: str) -> list[dict[str, Any]]:
    """OpenRouter: the same text under two keys, and a signature at the end."""
    entry = {"type": "reasoning.text", "format": "unknown", "index": 0}
    deltas: list[dict[str, Any]] = [
        {"reasoning": piece, "reasoning_details": [entry | {"text": piece}]} for piece in pieces_of(thought)
    ]
    return [*deltas, {"reasoning_details": [entry | {"text": "", "signature": "c2ln"}]}]


def between_tags(thought: str) -> list[dict[str, Any]]:
    """An engine without a reasoning parser: all of it is content, the tags cut anywhere."""
    return [{"content": piece} for piece in pieces_of(f"<think>{thought}</think>")]


def in_tags(message: dict[str, Any]) -> Any:
    tagged, _, message["content"] = message["content"].removeprefix("<think>").partition("</think>")
    return tagged


def only_detail(message: dict[str, Any]) -> Any:
    (entry,) = message["reasoning_details"]
    assert entry == {
        "type": "reasoning.text",
        "format": "unknown",
        "index": 0,
        "signature": "c2ln",
        "text": entry["text"],
    }
    return entry["text"]


def k2_id(number: int) -> str:
    return f"functions.note:{number}"


CUSTOM = ENDPOINTS["custom"]
DIALECTS = {
    "reasoning_content, Moonshot's ids": Spoken(
        ENDPOINTS["moonshot"],
        K2,
        under("reasoning_content"),
        lambda message: message["reasoning_content"],
        lambda number, _: f"note:{number}",
        k2_id,
    ),
    "reasoning, an open engine's ids": Spoken(
        CUSTOM,
        K2,
        under("reasoning"),
        lambda message: message["reasoning"],
        lambda _, place: f"functions.note:{place}",
        k2_id,
    ),
    "reasoning_details, ids of a gateway": Spoken(
        ENDPOINTS["openrouter"],
        "moonshotai/kimi-k2-thinking",
        details,
        only_detail,
        lambda number, _: f"call_{number:08x}",
        k2_id,
    ),
    "thoughts between tags": Spoken(
        CUSTOM, K2, between_tags, in_tags, lambda _, place: f"functions.note:{place}", k2_id, {"content": ""}
    ),
    "another model, its ids kept": Spoken(
        CUSTOM,
        OTHER,
        under("reasoning_content"),
        lambda message: message["reasoning_content"],
        lambda number, _: f"call_{number:08x}",
        lambda number: f"call_{number:08x}",
    ),
    "content null": Spoken(
        replace(CUSTOM, dialect=Dialect(empty_content="null")),
        K2,
        under("reasoning_content"),
        lambda message: message["reasoning_content"],
        lambda number, _: f"note:{number}",
        k2_id,
        {"content": None},
    ),
}


def answers(spoken: Spoken, steps: list[Step]) -> list[Answer]:
    """The steps as the host streams them, and a last reply without a call."""
    found = [_answer(spoken, step) for step in steps]
    return [*found, _answer(spoken, Step("That is all.", "Done.", ()))]


def _answer(spoken: Spoken, step: Step) -> Answer:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *spoken.reasoning_deltas(step.thought)]
    if step.text:
        deltas.append({"content": step.text})
    for place, number in enumerate(step.numbers):
        function = {"name": "note", "arguments": ""}
        head = {"index": place, "id": spoken.host_id(number, place), "type": "function", "function": function}
        deltas.append({"tool_calls": [head]})
        deltas += [
            {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}
            for piece in ('{"number"', f": {number}}}")
        ]
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    finish = "tool_calls" if step.numbers else "stop"
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], "usage": usage})
    return raw(*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n")


def take_turn(spoken: Spoken, server: ModelServer) -> tuple[list[Event], StillView]:
    view = StillView()

    async def go() -> list[Event]:
        provider = connect(replace(spoken.endpoint, base_url=server.url), spoken.model, "key", session="s")
        conversation = Conversation([SystemMessage("You are a test.")])
        desk = Desk(provider, {"note": note}, cast("LiveView", view), conversation, Limits(steps=CALLS + 1))
        try:
            return [event async for event in run_turn(desk, "go")]
        finally:
            await provider.aclose()

    return asyncio.run(go()), view


def check_history(messages: list[dict[str, Any]], spoken: Spoken, steps: list[Step]) -> None:
    """Assert that these messages say exactly what happened in these steps, each call answered once and directly."""
    expected = iter(messages)
    assert [next(expected)["role"], next(expected)["role"]] == ["system", "user"]
    for step in steps:
        reply = next(expected)
        assert spoken.sent_reasoning(reply) == step.thought
        assert {key: reply[key] for key in ("content",) if key in reply} == (
            {"content": step.text} if step.text else spoken.empty
        )
        assert [(call["id"], json.loads(call["function"]["arguments"])) for call in reply["tool_calls"]] == [
            (spoken.sent_id(number), {"number": number}) for number in step.numbers
        ]
        for number in step.numbers:
            assert next(expected) == {
                "role": "tool",
                "tool_call_id": spoken.sent_id(number),
                "name": "note",
                "content": f"noted {number} — ✓\n",
            }
    assert next(expected, None) is None


@pytest.mark.parametrize("name", DIALECTS)
def test_three_hundred_calls_keep_an_exact_history(model_server: ModelServerFactory, name: str) -> None:
    spoken, steps = DIALECTS[name], script()
    server = model_server(answers(spoken, steps))
    events, view = take_turn(spoken, server)
    assert isinstance(events[-1], TurnFinished)
    assert (events[-1].reason, events[-1].text) == (TurnEnd.DONE, "Done.")
    assert view.noted == list(range(CALLS))
    assert not any(event.result.failed for event in events if isinstance(event, ToolCallFinished))
    bodies = [request.body for request in server.requests]
    assert len(bodies) == len(steps) + 1
    for before, now in pairwise(bodies):
        assert now.startswith(before[: before.rindex(b"]")])
    for done, request in enumerate(server.requests):
        check_history(request.json["messages"], spoken, steps[:done])


def test_ids_that_a_host_counts_anew_in_each_reply_are_told_apart(model_server: ModelServerFactory) -> None:
    spoken = replace(DIALECTS["another model, its ids kept"], host_id=lambda _, place: str(place))
    steps = script()
    server = model_server(answers(spoken, steps))
    _, view = take_turn(spoken, server)
    assert view.noted == list(range(CALLS))
    messages = server.requests[-1].json["messages"]
    calls = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert len(set(calls)) == CALLS
    assert [message["tool_call_id"] for message in messages if message["role"] == "tool"] == calls
