from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import cast

import pytest

from kcode.agent.conversation import Conversation
from kcode.agent.turn import OVER_LIMIT, Limits, run_turn
from kcode.errors import ProviderError
from kcode.events import (
    DraftChanged,
    ReasoningStreamed,
    RetryScheduled,
    TextStreamed,
    ToolCallFinished,
    ToolCallOutput,
    TurnEnd,
    TurnFinished,
)
from kcode.messages import AssistantMessage, Message, ToolCall, ToolMessage, Usage, UserMessage
from kcode.pricing import Billing
from kcode.results import Failure
from kcode.session.records import INTERRUPTED
from tests.agent.turns import (
    DONE,
    NOTE,
    ScriptedProvider,
    StillView,
    all_calls_are_answered_once_and_directly_behind,
    answers,
    call,
    collect,
    desk_with,
    finish,
    run,
)


def test_an_answer_without_calls_ends_the_turn() -> None:
    events = run(desk_with(DONE))
    assert ReasoningStreamed("I am finished.") in events
    assert TextStreamed("All done.") in events
    assert finish(events) == TurnFinished(TurnEnd.DONE, "All done.", Usage(100, 10, 0, 0.01), 1)


def test_calls_run_in_order_and_their_results_go_back_with_the_reasoning() -> None:
    desk = desk_with(NOTE, DONE)
    events = run(desk)
    assert cast("StillView", desk.view).log == ["ready", "a", "b"]
    assert answers(desk) == [("functions.note:0", "noted a"), ("functions.note:1", "noted b")]
    assert cast("ScriptedProvider", desk.provider).seen[1][2] is NOTE
    assert [e for e in events if isinstance(e, DraftChanged)] == [DraftChanged(("a",)), DraftChanged(("b",))]
    assert ToolCallOutput("functions.note:0", "noting a") in events


def test_each_request_extends_the_one_before() -> None:
    desk = desk_with(NOTE, NOTE, DONE)
    run(desk)
    seen = cast("ScriptedProvider", desk.provider).seen
    assert all(after[: len(before)] == before for before, after in pairwise(seen))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (call("nothing", 0), "no tool named 'nothing'. The tools are: note, hang, broken, refuse, execute"),
        (call("note", 0, '{"text"'), "not valid JSON"),
        (call("note", 0, '{"words": "a"}'), "'text' is a required property"),
        (call("note", 0, '["a"]'), "is not of type 'object'"),
        (call("broken", 0), "ZeroDivisionError"),
    ],
)
def test_a_bad_call_gets_a_result_that_says_what_is_wrong(bad: ToolCall, words: str) -> None:
    desk = desk_with(AssistantMessage("", None, (bad,)), DONE)
    events = run(desk)
    assert words in answers(desk)[0][1]
    assert [e.result.failed for e in events if isinstance(e, ToolCallFinished)] == [True]
    assert finish(events).reason is TurnEnd.DONE


def test_a_command_after_a_refused_edit_of_the_same_reply_is_told_so() -> None:
    calls = (call("execute", 0), call("refuse", 1, '{"path": "a.py"}'), call("execute", 2))
    desk = desk_with(AssistantMessage("", None, calls), DONE)
    run(desk)
    assert [text for _, text in answers(desk)] == [
        "ran",
        "refused",
        "Note: refuse a.py of this reply was refused; this ran without it.\nran",
    ]


def test_a_failed_stream_is_tried_again_and_nothing_of_it_stays() -> None:
    desk = desk_with(Failure("retry", "The connection broke.", 0.0), DONE)
    events = run(desk)
    assert [e.reason for e in events if isinstance(e, RetryScheduled)] == ["The connection broke."]
    assert desk.conversation.messages[2:] == [DONE]


def test_a_failure_that_cannot_be_mended_is_raised() -> None:
    desk = desk_with(Failure("key", "wrong key"))
    with pytest.raises(ProviderError, match="wrong key"):
        run(desk)
    assert desk.conversation.messages[1:] == [UserMessage("go")]


def test_the_step_limit_ends_the_turn_after_the_calls_ran() -> None:
    desk = desk_with(NOTE, NOTE, DONE, limits=Limits(steps=2))
    assert finish(run(desk)).reason is TurnEnd.STEP_LIMIT
    assert len(answers(desk)) == 4


def test_past_the_cost_limit_calls_are_answered_but_not_run() -> None:
    desk = desk_with(NOTE, DONE, limits=Limits(cost=0.005))
    assert finish(run(desk)).reason is TurnEnd.COST_LIMIT
    assert [text for _, text in answers(desk)] == [OVER_LIMIT, OVER_LIMIT]


def test_a_request_that_would_pass_the_cost_limit_is_not_sent() -> None:
    desk = desk_with(DONE, limits=Limits(cost=0.005))
    desk.conversation.append(UserMessage("word " * 10_000))
    end = finish(run(desk))
    assert (end.reason, end.steps, end.usage.cost) == (TurnEnd.COST_LIMIT, 0, 0.0)
    assert "before any answer" in end.text
    assert cast("ScriptedProvider", desk.provider).seen == []


def test_where_a_reply_has_no_known_cost_no_other_is_paid_for() -> None:
    unknown = Usage(10, 1)
    desk = desk_with(NOTE, DONE, limits=Limits(cost=5.0), usage=unknown, billing=Billing(reports_cost=True))
    end = finish(run(desk))
    assert (end.reason, end.steps) == (TurnEnd.COST_LIMIT, 1)
    assert [text for _, text in answers(desk)] == [OVER_LIMIT, OVER_LIMIT]
    here = desk_with(NOTE, DONE, limits=Limits(cost=5.0), usage=unknown, billing=Billing(is_billed=False))
    assert finish(run(here)).reason is TurnEnd.DONE


def test_an_unknown_price_makes_the_cost_unknown() -> None:
    assert finish(run(desk_with(NOTE, DONE, usage=Usage(10, 1)))).usage.cost is None


def test_the_time_limit_stops_a_silent_endpoint() -> None:
    desk = desk_with(limits=Limits(seconds=0.05), stalls=True)
    assert finish(run(desk)).reason is TurnEnd.TIME_LIMIT


def test_the_time_limit_stops_a_running_tool_and_answers_its_call() -> None:
    desk = desk_with(AssistantMessage("", None, (call("hang", 0), call("note", 1))), limits=Limits(seconds=0.1))
    assert finish(run(desk)).reason is TurnEnd.TIME_LIMIT
    assert answers(desk) == [("functions.hang:0", INTERRUPTED), ("functions.note:1", INTERRUPTED)]


def test_a_request_that_would_not_fit_the_window_is_not_sent() -> None:
    desk = desk_with(DONE, window=20_000)
    desk.conversation.append(UserMessage("word " * 20_000))
    assert finish(run(desk)).reason is TurnEnd.WINDOW_FULL
    assert cast("ScriptedProvider", desk.provider).seen == []


def test_an_overflow_that_the_endpoint_reports_ends_the_turn_with_its_words() -> None:
    end = finish(run(desk_with(Failure("overflow", "too long by far"))))
    assert (end.reason, end.text) == (TurnEnd.WINDOW_FULL, "too long by far")


@pytest.mark.parametrize("stop_at", range(1, 14))
def test_wherever_the_consumer_leaves_every_call_is_answered_once(stop_at: int) -> None:
    desk = desk_with(NOTE, AssistantMessage("", None, (call("broken", 2),)), DONE)

    async def leave_early() -> None:
        events = run_turn(desk, "go")
        for _ in range(stop_at):
            if await anext(events, None) is None:
                break
        await events.aclose()

    asyncio.run(leave_early())
    assert all_calls_are_answered_once_and_directly_behind(desk.conversation.messages)


def test_cancelling_during_a_tool_answers_its_call_and_ends_the_tool() -> None:
    desk = desk_with(AssistantMessage("", None, (call("hang", 0),)))

    async def cancel_when_hanging() -> None:
        task = asyncio.create_task(collect(desk))
        await cast("StillView", desk.view).hanging.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_hanging())
    assert answers(desk) == [("functions.hang:0", INTERRUPTED)]


def test_a_conversation_records_each_message_before_it_counts() -> None:
    recorded: list[Message] = []
    conversation = Conversation(record=recorded.append)
    conversation.append(UserMessage("hello"))
    with conversation.hear(NOTE, Usage(500, 20)) as calls:
        calls.answer("noted")
    assert recorded == list(conversation.messages)
    assert [m.text for m in recorded if isinstance(m, ToolMessage)] == ["noted", INTERRUPTED]
    assert conversation.tokens() > 520
