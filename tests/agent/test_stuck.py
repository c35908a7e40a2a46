"""What the loop does with a model that goes in circles or gives replies of no use."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from kcode.agent.repetition import LEAST
from kcode.agent.turn import GOING_IN_CIRCLES, OVER_LIMIT, RAN_ONCE, Limits
from kcode.errors import ProviderError
from kcode.events import (
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    RetryScheduled,
    StepStarted,
    ToolCallFinished,
    ToolCallStarted,
    TurnEnd,
)
from kcode.messages import AssistantMessage, Message, Usage, UserMessage
from kcode.questions import GoOn
from tests.agent.turns import (
    DONE,
    ScriptedProvider,
    StillView,
    all_calls_are_answered_once_and_directly_behind,
    answers,
    call,
    desk_with,
    finish,
    run,
)

if TYPE_CHECKING:
    from kcode.agent.turn import Desk
    from kcode.questions import Question

EMPTY = AssistantMessage("")
THOUGHT = AssistantMessage(" ", "Hmm.")


def again(number: int = 0) -> AssistantMessage:
    return AssistantMessage("", "I note.", (call("note", number, '{"text": "a"}'),))


def log(desk: Desk) -> list[str]:
    return [line for line in cast("StillView", desk.view).log if line != "ready"]


def seen(desk: Desk) -> list[list[Message]]:
    return cast("ScriptedProvider", desk.provider).seen


def test_a_model_that_repeats_itself_is_told_and_then_stopped() -> None:
    desk = desk_with(*(again(number) for number in range(12)), DONE)
    events = run(desk)
    end = finish(events)
    assert (end.reason, end.steps) == (TurnEnd.STUCK, 12)
    assert end.text.startswith('The model made the same call 12 times in a row: note {"text": "a"}. ')
    assert log(desk) == ["a"] * 11
    told = [text for _, text in answers(desk)]
    assert [number for number, text in enumerate(told, 1) if "Note from kcode: you made" in text] == [3, 5, 8]
    assert told[2].startswith("noted a\n\nNote from kcode: you made the same call 3 times")
    assert told[11] == GOING_IN_CIRCLES
    assert len([e for e in events if isinstance(e, ModelNudged)]) == 3
    assert all_calls_are_answered_once_and_directly_behind(desk.conversation.messages)


@pytest.mark.parametrize(("answer", "reason", "ran"), [("yes", TurnEnd.DONE, 13), (None, TurnEnd.STUCK, 11)])
def test_the_user_decides_whether_it_goes_on(answer: str | None, reason: TurnEnd, ran: int) -> None:
    asked: list[Question] = []

    async def ask(question: Question) -> str | None:
        asked.append(question)
        return answer

    desk = desk_with(*(again(number) for number in range(13)), DONE, ask=ask)
    assert finish(run(desk)).reason is reason
    assert asked == [GoOn('The model made the same call 12 times in a row: note {"text": "a"}.')]
    assert log(desk) == ["a"] * ran
    assert all_calls_are_answered_once_and_directly_behind(desk.conversation.messages)


def test_leaving_at_the_question_answers_every_call() -> None:
    async def ask(question: Question) -> str | None:
        del question
        raise KeyboardInterrupt

    desk = desk_with(*(again(number) for number in range(12)), ask=ask)
    with pytest.raises(KeyboardInterrupt):
        run(desk)
    assert all_calls_are_answered_once_and_directly_behind(desk.conversation.messages)


def test_300_different_calls_are_left_alone() -> None:
    def reply(number: int) -> AssistantMessage:
        return AssistantMessage("", "On I go.", (call("note", number, json.dumps({"text": str(number)})),))

    desk = desk_with(*(reply(number) for number in range(300)), DONE, limits=Limits(steps=400), window=10_000_000)
    events = run(desk)
    assert finish(events).reason is TurnEnd.DONE
    assert [text for _, text in answers(desk)] == [f"noted {number}" for number in range(300)]
    assert not [e for e in events if isinstance(e, ModelNudged)]


def test_a_loop_over_a_tool_that_does_not_exist_is_stopped() -> None:
    replies = [AssistantMessage("", None, (call("Read", n, json.dumps({"n": n})),)) for n in range(12)]
    desk = desk_with(*replies)
    end = finish(run(desk))
    assert end.reason is TurnEnd.STUCK
    assert "called tools that do not exist in 12 replies in a row: Read" in end.text


def test_a_call_that_stands_twice_in_a_reply_runs_once_and_is_answered_twice() -> None:
    twice = AssistantMessage("", None, (*again(0).tool_calls, *again(1).tool_calls, call("execute", 2)))
    desk = desk_with(twice, DONE)
    events = run(desk)
    assert log(desk) == ["a"]
    assert answers(desk) == [
        ("functions.note:0", "noted a"),
        ("functions.note:1", f"noted a\n\n{RAN_ONCE}"),
        ("functions.execute:2", "ran"),
    ]
    started = [e.call.id for e in events if isinstance(e, ToolCallStarted)]
    assert started == [e.call.id for e in events if isinstance(e, ToolCallFinished)] == [i for i, _ in answers(desk)]


def test_a_reply_of_no_use_is_asked_for_again_at_once_and_leaves_no_trace() -> None:
    desk = desk_with(again(), THOUGHT, DONE)
    events = run(desk)
    assert [e.reason for e in events if isinstance(e, ReplyDiscarded)] == ["The model's reply held thoughts alone."]
    assert not [e for e in events if isinstance(e, RetryScheduled)]
    assert seen(desk)[1] == seen(desk)[2]
    assert desk.conversation.messages[-1] is DONE
    assert THOUGHT not in desk.conversation.messages


def test_the_second_of_no_use_is_told_by_a_word_that_is_not_the_users() -> None:
    desk = desk_with(EMPTY, THOUGHT, DONE)
    run(desk)
    word = seen(desk)[2][-1]
    assert isinstance(word, UserMessage)
    assert word.text.startswith("Note from kcode, not from the user: your last reply held thoughts alone")
    assert seen(desk)[2][:-1] == seen(desk)[0]


@pytest.mark.parametrize("bad", [EMPTY, THOUGHT])
def test_the_third_of_no_use_ends_the_turn(bad: AssistantMessage) -> None:
    desk = desk_with(bad, bad, bad, DONE)
    events = run(desk)
    end = finish(events)
    assert (end.reason, end.steps) == (TurnEnd.STUCK, 3)
    assert "3rd reply in a row" in end.text
    assert not [e for e in events if isinstance(e, ReplyFinished)]


def test_after_the_third_the_user_may_let_it_try_again() -> None:
    async def ask(question: Question) -> str | None:
        assert isinstance(question, GoOn)
        return "yes"

    assert finish(run(desk_with(EMPTY, EMPTY, EMPTY, DONE, ask=ask))).reason is TurnEnd.DONE


def test_a_reply_that_holds_only_an_unreadable_call_is_of_no_use() -> None:
    desk = desk_with(EMPTY, DONE, finish={1: "malformed"})
    events = run(desk)
    assert [e.reason for e in events if isinstance(e, ReplyDiscarded)] == [
        "The model's reply held a call that cannot be read."
    ]


def test_an_empty_reply_that_was_filtered_is_not_asked_for_again() -> None:
    with pytest.raises(ProviderError, match="withheld"):
        run(desk_with(EMPTY, DONE, finish={1: "content_filter"}))


def test_replies_of_no_use_are_steps_and_are_paid_for() -> None:
    events = run(desk_with(EMPTY, again(), EMPTY, DONE))
    assert finish(events).usage == Usage(400, 40, 0, 0.04)
    assert finish(events).steps == 4
    assert [e.number for e in events if isinstance(e, StepStarted)] == [1, 2, 3, 4]


def test_limits_hold_with_replies_of_no_use() -> None:
    assert finish(run(desk_with(EMPTY, DONE, limits=Limits(steps=1)))).reason is TurnEnd.STEP_LIMIT
    assert finish(run(desk_with(EMPTY, DONE, limits=Limits(cost=0.01)))).reason is TurnEnd.COST_LIMIT

    async def never(question: Question) -> str | None:
        raise AssertionError(question)

    stuck = [again(number) for number in range(12)]
    desk = desk_with(*stuck, limits=Limits(cost=0.115), ask=never)
    assert finish(run(desk)).reason is TurnEnd.COST_LIMIT
    assert answers(desk)[-1][1] == OVER_LIMIT


def test_an_unanswered_question_ends_with_the_time_limit() -> None:
    async def ask(question: Question) -> str | None:
        del question
        await asyncio.Event().wait()
        return None

    desk = desk_with(EMPTY, EMPTY, EMPTY, ask=ask, limits=Limits(seconds=0.1))
    assert finish(run(desk)).reason is TurnEnd.TIME_LIMIT


def test_a_reply_that_repeats_one_passage_is_cut_off_and_paid_for() -> None:
    endless = AssistantMessage("", "Wait, let me check that again. " * 100_000)
    desk = desk_with(endless, DONE, pieces=50)
    events = run(desk)
    assert [e.reason for e in events if isinstance(e, ReplyDiscarded)] == [
        "The model repeated the same passage over and over."
    ]
    provider = cast("ScriptedProvider", desk.provider)
    assert provider.sent < 200_000
    spent = finish(events).usage
    assert spent.completion_tokens > LEAST // 4
    assert spent.cost is not None
    assert spent.cost > 0.01 + LEAST // 4 * 10.0 / 1_000_000


def test_the_answer_to_an_endpoints_own_tool_stays_exact_however_often_it_is_called() -> None:
    search = AssistantMessage(
        "", "Once more.", (call("$web_search", 0, '{"q": "x"}'), call("$web_search", 1, '{"q": "x"}'))
    )
    desk = desk_with(search, search, search, search, DONE)
    tool = replace(next(iter(desk.tools.values())), name="$web_search", declaration={"type": "builtin_function"})
    desk = replace(desk, tools={**desk.tools, tool.name: tool})
    assert finish(run(desk)).reason is TurnEnd.DONE
    assert {text for _, text in answers(desk)} == {'{"q": "x"}'}
