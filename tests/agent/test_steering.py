from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kcode.agent.steering import WaitingMessages
from kcode.agent.turn import Limits, run_turn
from kcode.events import MessageTaken, ReplyFinished, StepStarted, ToolCallFinished, TurnEnd, TurnFinished
from kcode.messages import AssistantMessage, ToolMessage, UserMessage
from tests.agent.turns import (
    DONE,
    NOTE,
    ScriptedProvider,
    all_calls_are_answered_once_and_directly_behind,
    collect,
    desk_with,
    finish,
    run,
)

if TYPE_CHECKING:
    from kcode.agent.turn import Desk
    from kcode.events import Event
    from kcode.messages import Message


def with_inbox(desk: Desk, *words: str) -> tuple[Desk, WaitingMessages]:
    inbox = WaitingMessages()
    for text in words:
        inbox.put(text)
    return replace(desk, inbox=inbox), inbox


def requests(desk: Desk) -> list[list[Message]]:
    assert isinstance(desk.provider, ScriptedProvider)
    return desk.provider.seen


async def steer(desk: Desk, inbox: WaitingMessages, words: str, when: type[Event]) -> list[Event]:
    """Put the words in once the first event of this kind has come."""
    events: list[Event] = []
    async with aclosing(run_turn(desk, "go")) as turn:
        async for event in turn:
            if isinstance(event, when) and not any(isinstance(one, when) for one in events):
                inbox.put(words)
            events.append(event)
    return events


def test_a_message_goes_in_behind_the_results_before_the_next_request() -> None:
    desk, inbox = with_inbox(desk_with(NOTE, DONE))
    events = asyncio.run(steer(desk, inbox, "not that file", ToolCallFinished))
    assert [type(message) for message in requests(desk)[1][-3:]] == [ToolMessage, ToolMessage, UserMessage]
    assert requests(desk)[1][-1] == UserMessage("not that file")
    taken = events.index(MessageTaken("not that file"))
    assert isinstance(events[taken + 1], StepStarted)
    assert all_calls_are_answered_once_and_directly_behind(desk.conversation.messages)
    assert not inbox.waiting


def test_each_request_begins_with_the_one_before() -> None:
    desk, inbox = with_inbox(desk_with(NOTE, DONE, DONE))
    asyncio.run(steer(desk, inbox, "and this", ReplyFinished))
    first, *others = requests(desk)
    for request in others:
        assert request[: len(first)] == first
        first = request


def test_an_answer_that_comes_too_early_does_not_end_the_turn() -> None:
    desk, inbox = with_inbox(desk_with(DONE, AssistantMessage("That too.")))
    events = asyncio.run(steer(desk, inbox, "and that", ReplyFinished))
    assert finish(events) == TurnFinished(TurnEnd.DONE, "That too.", finish(events).usage, 2)
    assert [message.text for message in desk.conversation.messages[-3:]] == [DONE.text, "and that", "That too."]


def test_what_waits_before_the_turn_goes_in_with_it() -> None:
    desk, _ = with_inbox(desk_with(DONE), "one", "two")
    events = run(desk)
    assert [message.text for message in requests(desk)[0][-3:]] == ["go", "one", "two"]
    assert [event.text for event in events if isinstance(event, MessageTaken)] == ["one", "two"]


@pytest.mark.parametrize("limits", [Limits(steps=1), Limits(cost=0.01)])
def test_at_a_limit_a_message_waits_for_the_next_turn(limits: Limits) -> None:
    desk, inbox = with_inbox(desk_with(DONE, limits=limits))
    events = asyncio.run(steer(desk, inbox, "more", ReplyFinished))
    assert finish(events).reason is TurnEnd.DONE
    assert inbox.waiting == ("more",)
    assert desk.conversation.messages[-1] == DONE


def test_what_the_model_reads_may_say_more_than_the_words() -> None:
    desk, inbox = with_inbox(desk_with(NOTE, DONE))
    desk = replace(desk, address=lambda words: f"{words}\n\n<review>rejected</review>")
    events = asyncio.run(steer(desk, inbox, "no", ToolCallFinished))
    assert MessageTaken("no") in events
    assert requests(desk)[1][-1] == UserMessage("no\n\n<review>rejected</review>")


def test_the_last_message_can_be_taken_back_until_it_is_taken() -> None:
    inbox = WaitingMessages()
    inbox.put("one")
    inbox.put("two")
    assert (inbox.take_back(), inbox.waiting) == ("two", ("one",))
    assert list(inbox.take()) == ["one"]
    assert (inbox.take_back(), list(inbox.take())) == (None, [])


def test_without_an_inbox_nothing_changes() -> None:
    desk = desk_with(DONE)
    assert [type(event) for event in asyncio.run(collect(desk))] == [type(event) for event in run(desk_with(DONE))]
