"""Turns that are broken off: at each moment what had come is kept, in a form that endpoints accept."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.agent.conversation import CUT_OFF, Conversation
from kcode.agent.cutoff import ENDED_EARLY, untold_ending
from kcode.agent.owncommands import tell_command
from kcode.agent.turn import Limits, run_turn
from kcode.events import ReplyInterrupted, StepStarted, TurnEnd
from kcode.messages import KCODE_NOTE, AssistantMessage, SystemMessage, ToolMessage, Usage, UserMessage
from kcode.pricing import Billing, Price
from kcode.providers import ReasoningDelta, ReplyDelta, TextDelta, ToolCallDelta, UsageDelta
from kcode.results import CommandResult
from kcode.session.records import INTERRUPTED
from tests.agent.turns import all_calls_are_answered_once_and_directly_behind, call, collect, desk_with, finish

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from kcode.agent.turn import Desk
    from kcode.events import Event
    from kcode.messages import Message
    from kcode.providers import Delta
    from kcode.tooling import Tool

NOTE = call("note", 0, '{"text": "a"}')
# A first step with a call, then the reply that is broken off.
STEP: list[Delta] = [ReasoningDelta("I note."), ReplyDelta(AssistantMessage("", "I note.", (NOTE,)), "tool_calls")]
REPLY: list[Delta] = [
    ReasoningDelta("I think "),
    ReasoningDelta("of it."),
    TextDelta("It is "),
    TextDelta("this."),
    ToolCallDelta(0, "note", '{"te'),
    ToolCallDelta(0, "note", 'xt": "b"}'),
    UsageDelta(Usage(100, 10)),
    ReplyDelta(AssistantMessage("It is this.", "I think of it.", (call("note", 1, '{"text": "b"}'),)), "tool_calls"),
]


@dataclass
class StallingProvider:
    """Says these deltas of its last reply and then nothing more, until it is closed."""

    replies: list[list[Delta]]
    deltas: int
    window: int = 100_000
    billing: Billing = field(default_factory=lambda: Billing(Price(1.0, 10.0)))
    stalled: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def switch(self, *, model: str | None = None, key: str | None = None) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool], *, output_limit: int | None = None
    ) -> AsyncGenerator[Delta, None]:
        del messages, tools, output_limit
        reply = self.replies.pop(0)
        try:
            for delta in reply if self.replies else reply[: self.deltas]:
                yield delta
            if not self.replies:
                self.stalled.set()
                await asyncio.Event().wait()
        finally:
            self.closed = not self.replies


def stalling_desk(deltas: int, recorded: list[Event] | None = None, *, steps: int = 1) -> Desk:
    desk = desk_with()
    conversation = Conversation(
        [SystemMessage("You are a test.")], record_event=recorded.append if recorded is not None else None
    )
    provider = StallingProvider([STEP] * steps + [REPLY], deltas)
    return replace(desk, provider=provider, conversation=conversation)


def stalled(desk: Desk) -> asyncio.Event:
    assert isinstance(desk.provider, StallingProvider)
    return desk.provider.stalled


async def cancel_at_the_stall(desk: Desk) -> None:
    turn = asyncio.create_task(collect(desk))
    await stalled(desk).wait()
    turn.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await turn


async def close_at_the_event(desk: Desk, number: int) -> Event | None:
    """What a consumer does that has had enough: it closes the turn behind its event of this number."""
    last: Event | None = None
    async with aclosing(run_turn(desk, "go")) as events:
        for _ in range(number):
            last = await anext(events, None)
            if last is None:
                break
    return last


def kept(desk: Desk) -> list[Message]:
    """What the last step left behind the results of the first."""
    messages = list(desk.conversation.messages)
    last = max(at for at, message in enumerate(messages) if isinstance(message, ToolMessage))
    return messages[last + 1 :]


def test_before_the_first_byte_there_is_nothing_to_keep() -> None:
    recorded: list[Event] = []
    desk = stalling_desk(0, recorded)
    asyncio.run(cancel_at_the_stall(desk))
    assert (kept(desk), recorded) == ([], [])


def test_thoughts_alone_are_told_in_a_note() -> None:
    recorded: list[Event] = []
    desk = stalling_desk(2, recorded)
    asyncio.run(cancel_at_the_stall(desk))
    (note,) = kept(desk)
    assert isinstance(note, UserMessage)
    assert note.text.startswith("Note from kcode, not from the user: your reply was interrupted before")
    assert note.text.endswith("I think of it.")
    assert recorded == [ReplyInterrupted("", "I think of it.")]


@pytest.mark.parametrize(
    ("deltas", "text"), [(3, "It is "), (4, "It is this."), (5, "It is this."), (7, "It is this.")]
)
def test_text_stays_with_its_reasoning_and_half_a_call_is_dropped(deltas: int, text: str) -> None:
    recorded: list[Event] = []
    desk = stalling_desk(deltas, recorded)
    asyncio.run(cancel_at_the_stall(desk))
    assert kept(desk) == [AssistantMessage(text, "I think of it."), UserMessage(CUT_OFF)]
    assert recorded == [ReplyInterrupted(text, "I think of it.")]


def test_a_call_that_runs_is_answered_and_its_reply_stays() -> None:
    async def go() -> Desk:
        desk = desk_with(AssistantMessage("I wait.", "Let me.", (call("hang", 0), call("note", 1))))
        turn = asyncio.create_task(collect(desk))
        await desk.view.hanging.wait()  # type: ignore[attr-defined]
        turn.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turn
        return desk

    messages = asyncio.run(go()).conversation.messages
    assert [message.text for message in messages[-3:]] == ["I wait.", INTERRUPTED, INTERRUPTED]


def say_go_on(desk: Desk) -> list[str]:
    """What the conversation holds behind the first step once the user has said this, and the model answered."""
    again = replace(desk_with(AssistantMessage("Going on.")), conversation=desk.conversation)
    asyncio.run(collect(again, "go on"))
    return [message.text for message in kept(desk)]


def test_the_next_turn_tells_of_one_that_ended_before_anything_was_said() -> None:
    desk = stalling_desk(0)
    asyncio.run(cancel_at_the_stall(desk))
    before = list(desk.conversation.messages)
    assert say_go_on(desk) == [ENDED_EARLY, "go on", "Going on."]
    assert list(desk.conversation.messages[: len(before)]) == before


def test_what_is_told_already_is_told_once() -> None:
    desk = stalling_desk(2)
    asyncio.run(cancel_at_the_stall(desk))
    assert ENDED_EARLY not in say_go_on(desk)
    desk = stalling_desk(4)
    asyncio.run(cancel_at_the_stall(desk))
    assert ENDED_EARLY not in say_go_on(desk)
    assert ENDED_EARLY not in say_go_on(desk)


def test_a_command_of_the_users_hides_no_early_end() -> None:
    desk = stalling_desk(0)
    asyncio.run(cancel_at_the_stall(desk))
    desk.conversation.append(UserMessage(tell_command("ls", CommandResult(0, "a\n"))))
    assert ENDED_EARLY in say_go_on(desk)


def test_a_compacted_conversation_is_no_turn_that_ended_early() -> None:
    system, note = SystemMessage("You are a test."), UserMessage(f"{KCODE_NOTE} this is what was said so far.")
    assert untold_ending([system]) == ()
    assert untold_ending([system, UserMessage("fix it"), note]) == ()


def test_the_time_limit_keeps_what_came_too() -> None:
    desk = replace(stalling_desk(4), limits=Limits(seconds=0.05))
    events = asyncio.run(collect(desk))
    assert finish(events).reason is TurnEnd.TIME_LIMIT
    assert kept(desk) == [AssistantMessage("It is this.", "I think of it."), UserMessage(CUT_OFF)]


def test_after_an_interruption_the_conversation_goes_on() -> None:
    desk = stalling_desk(4)
    asyncio.run(cancel_at_the_stall(desk))
    done = desk_with(AssistantMessage("Going on."))
    again = replace(done, conversation=desk.conversation)
    asyncio.run(collect(again, "go on"))
    assert [message.text for message in desk.conversation.messages[-4:]] == [
        "It is this.",
        CUT_OFF,
        "go on",
        "Going on.",
    ]


@settings(max_examples=40)
@given(number=st.integers(0, 30), steps=st.integers(0, 2), deltas=st.integers(0, len(REPLY)))
def test_whenever_a_turn_is_closed_the_history_is_valid_and_nothing_is_there_twice(
    number: int, steps: int, deltas: int
) -> None:
    async def go() -> tuple[Desk, Event | None]:
        desk = stalling_desk(deltas, steps=steps)
        async with asyncio.timeout(5):
            closing = asyncio.create_task(close_at_the_event(desk, number))
            stall = asyncio.create_task(stalled(desk).wait())
            await asyncio.wait([closing, stall], return_when=asyncio.FIRST_COMPLETED)
            closing.cancel()
            stall.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                return desk, await closing
        return desk, None

    desk, last = asyncio.run(go())
    messages = desk.conversation.messages
    assert all_calls_are_answered_once_and_directly_behind(messages)
    assert all(
        message.text.strip() or message.tool_calls for message in messages if isinstance(message, AssistantMessage)
    )
    assert sum(isinstance(message, UserMessage) and message.text == "go" for message in messages) <= 1
    assert sum("It is" in message.text for message in messages) <= 1
    if isinstance(last, StepStarted):
        assert not isinstance(messages[-1], AssistantMessage)
