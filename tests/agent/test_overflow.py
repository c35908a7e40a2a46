"""An endpoint whose window is smaller than known, over real HTTP: it teaches that, and the work goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from kcode.agent.compaction import Compactor
from kcode.agent.conversation import Conversation
from kcode.agent.turn import Desk, LiveView, run_turn
from kcode.events import ContextCompacted, TurnEnd
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect
from tests.agent.turns import finish
from tests.agent.work import FRESH, SYSTEM, Shelf, StillGround, read
from tests.model_server import fault, reply

if TYPE_CHECKING:
    from kcode.events import Event
    from kcode.providers.openai_chat import OpenAIChat
    from tests.model_server import ModelServer, ModelServerFactory

NOTE = reply("I have read a and b.", reasoning="I remember.")
DONE = reply("It is all read.", reasoning="That was it.")


def reading(*names: str) -> dict[str, Any]:
    return reply(reasoning=f"I read {names}.", calls=[("read", {"path": f"src/{name}.py"}) for name in names])


def refusal(said: str) -> Any:
    return fault(400, {"error": {"message": said, "type": "invalid_request_error"}})


NUMBERLESS = refusal("Input token length too long")
NUMBERED = refusal("Invalid request: Your request exceeded model token limit: 16384 (requested: 20211)")


def take_turn(server: ModelServer) -> tuple[list[Event], OpenAIChat]:
    """A turn in which the results of one step have about 20,000 tokens together."""

    async def go() -> tuple[list[Event], OpenAIChat]:
        provider = connect(replace(ENDPOINTS["moonshot"], base_url=server.url), "kimi-k2-thinking", "key", session="s")
        desk = Desk(
            provider,
            {"read": read},
            cast("LiveView", Shelf(35_000, "")),
            Conversation([SYSTEM]),
            compactor=Compactor(StillGround()),
        )
        try:
            return [event async for event in run_turn(desk, "Read a and b.")], provider
        finally:
            await provider.aclose()

    return asyncio.run(go())


@pytest.mark.parametrize(("refused", "window", "kept"), [(NUMBERED, 16_384, 16_384), (NUMBERLESS, None, None)])
def test_an_overflow_teaches_the_window_and_the_work_goes_on(
    model_server: ModelServerFactory, refused: Any, window: int | None, kept: int | None
) -> None:
    server = model_server([reading("a", "b"), refused, NOTE, reading("c"), DONE])
    events, provider = take_turn(server)
    assert finish(events).reason is TurnEnd.DONE
    assert [event.reason for event in events if isinstance(event, ContextCompacted)] == [
        "the endpoint found the request too long"
    ]
    too_long = len(server.requests[1].body) // 3
    assert provider.window == (window or pytest.approx(too_long, rel=0.1))
    # What is only inferred is good for this run; the next one tries what the table says.
    assert provider.learned().window == kept
    over_transcript, first, second = (request.json for request in server.requests[2:])
    assert "tools" not in over_transcript
    assert "<transcript>\n=== user\nRead a and b.\n" in over_transcript["messages"][1]["content"]
    assert len(server.requests[2].body) < len(server.requests[1].body) // 2
    assert [message["role"] for message in first["messages"]] == ["system", "user", "user"]
    assert first["messages"][0]["content"] == FRESH.text
    assert "I have read a and b." in first["messages"][2]["content"]
    assert second["messages"][:3] == first["messages"]
    assert second["messages"][3]["reasoning_content"] == "I read ('c',)."


def test_ids_begin_anew_with_each_epoch(model_server: ModelServerFactory) -> None:
    server = model_server([reading("a", "b"), NUMBERED, NOTE, reading("c"), DONE])
    take_turn(server)
    sent = [
        [call["id"] for message in request.json["messages"] for call in message.get("tool_calls", ())]
        for request in server.requests
    ]
    assert sent == [[], ["functions.read:0", "functions.read:1"], [], [], ["functions.read:0"]]
    results = [message["tool_call_id"] for message in server.requests[-1].json["messages"] if message["role"] == "tool"]
    assert results == ["functions.read:0"]


def test_a_note_has_a_limit_of_its_own_and_the_steps_keep_theirs(model_server: ModelServerFactory) -> None:
    server = model_server([reading("a", "b"), NUMBERED, NOTE, DONE])
    take_turn(server)
    limits = [request.json["max_completion_tokens"] for request in server.requests]
    assert limits[0] == 65_536
    assert limits[2] == 4096
    assert limits[3] > 4096


def test_an_endpoint_that_takes_nothing_at_all_ends_the_turn_with_its_words(model_server: ModelServerFactory) -> None:
    server = model_server([reading("a", "b"), *[NUMBERLESS] * 12])
    events, _ = take_turn(server)
    assert finish(events).reason is TurnEnd.WINDOW_FULL
    assert "Input token length too long" in finish(events).text
    assert len(server.requests) <= 6
