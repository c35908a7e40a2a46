from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.errors import SessionError
from kcode.events import (
    KeyEntered,
    ModelChosen,
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    RetryScheduled,
    StepStarted,
    TestsFinished,
    TextStreamed,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
)
from kcode.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage
from kcode.results import CommandResult, TestFailure, TestReport, ToolResult
from kcode.session.records import INTERRUPTED, decode_message, encode_message, event_record, mend_history

TEXT = st.text(alphabet=st.characters(codec=None), max_size=20)
CALLS = st.builds(ToolCall, st.sampled_from(["a:0", "a:1", "b:2"]), TEXT, TEXT)
MESSAGES = st.one_of(
    st.builds(SystemMessage, TEXT),
    st.builds(UserMessage, TEXT),
    st.builds(
        AssistantMessage,
        TEXT,
        st.none() | TEXT,
        st.lists(CALLS, max_size=3).map(tuple),
        st.none() | st.just('[{"a":1}]'),
    ),
    st.builds(ToolMessage, st.sampled_from(["a:0", "a:1", "b:2"]), TEXT, TEXT),
)


def call(name: str) -> ToolCall:
    return ToolCall(name, "read_file", '{"path": "x.py"}')


def answer(name: str, text: str = "done") -> ToolMessage:
    return ToolMessage(name, "read_file", text)


@given(MESSAGES)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert decode_message(json.loads(json.dumps(encode_message(message)))) == message


def test_a_reply_without_reasoning_stays_apart_from_one_with_empty_reasoning() -> None:
    for reasoning in (None, ""):
        message = AssistantMessage("text", reasoning)
        assert decode_message(encode_message(message)) == message


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"role": "oracle", "text": "x"},
        {"role": "user"},
        {"role": "user", "text": 5},
        {"role": "assistant", "text": "x", "tool_calls": [{"id": "a"}]},
        {"role": "assistant", "text": "x", "tool_calls": ["a"]},
        {"role": "assistant", "text": "x", "reasoning": 1},
    ],
)
def test_a_message_that_cannot_be_read_is_an_error(record: object) -> None:
    with pytest.raises(SessionError):
        decode_message(record)


def test_events_leave_what_is_needed_to_show_them_again() -> None:
    usage = Usage(10, 5, 2, 0.01, 3, True)
    report = TestReport("pytest", CommandResult(1, "…"), 3, 1, 0, (TestFailure("test_x", "long"),))
    assert event_record(ReplyFinished(AssistantMessage("x"), usage)) == {
        "type": "usage", "prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 2, "cost": 0.01,
        "reasoning_tokens": 3, "cost_is_estimate": True,
    }  # fmt: skip
    assert event_record(ToolCallFinished(call("a"), ToolResult("text", "12 lines", failed=True), 0.12345)) == {
        "type": "tool_result", "call_id": "a", "name": "read_file", "summary": "12 lines", "failed": True,
        "went_well": True, "seconds": 0.123,
    }  # fmt: skip
    assert event_record(TestsFinished(report)) == {
        "type": "tests", "command": "pytest", "ok": False, "exit_code": 1, "end": "exited", "seconds": 0.0, "passed": 3,
        "failed": 1, "skipped": 0, "failures": ["test_x"], "failed_before": None,
    }  # fmt: skip
    assert event_record(RetryScheduled("busy", 2.0, 1, 8)) == {
        "type": "retry", "reason": "busy", "seconds": 2.0, "attempt": 1,
    }  # fmt: skip
    assert event_record(ReplyDiscarded("It was empty.", usage)) == {
        "type": "usage", "prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 2, "cost": 0.01,
        "reasoning_tokens": 3, "cost_is_estimate": True, "discarded": "It was empty.",
    }  # fmt: skip
    assert event_record(ModelNudged("It repeats itself.")) == {"type": "nudge", "reason": "It repeats itself."}
    assert event_record(ModelChosen("kimi-k3")) == {"type": "model", "model": "kimi-k3"}
    assert event_record(KeyEntered()) is None
    finished = event_record(TurnFinished(TurnEnd.STEP_LIMIT, "text", usage, 7))
    assert finished is not None
    assert (finished["type"], finished["reason"], finished["steps"]) == ("turn_finished", "step_limit", 7)
    assert event_record(TextStreamed("x")) is None
    assert event_record(StepStarted(1)) is None


def test_a_call_without_an_answer_gets_one() -> None:
    reply = AssistantMessage("", "think", (call("a"), call("b"), call("c")))
    assert mend_history([UserMessage("x"), reply, answer("b")]) == [
        UserMessage("x"),
        reply,
        answer("a", INTERRUPTED),
        answer("b"),
        answer("c", INTERRUPTED),
    ]


def test_an_answer_without_a_call_is_dropped() -> None:
    reply = AssistantMessage("", None, (call("a"),))
    assert mend_history(
        [answer("a"), reply, answer("a"), answer("a", "twice"), answer("b"), UserMessage("x"), answer("a")]
    ) == [
        reply,
        answer("a"),
        UserMessage("x"),
    ]


def test_two_calls_with_one_id_are_answered_in_order() -> None:
    reply = AssistantMessage("", None, (call("a"), call("a")))
    history: list[Message] = [reply, answer("a", "first"), answer("a", "second")]
    assert mend_history(history) == history
    assert mend_history(history[:2]) == [reply, answer("a", "first"), answer("a", INTERRUPTED)]


def test_the_system_message_stands_first_and_once() -> None:
    history: list[Message] = [SystemMessage("one"), UserMessage("x"), SystemMessage("two"), UserMessage("y")]
    assert mend_history(history) == [SystemMessage("one"), UserMessage("x"), UserMessage("y")]


@given(st.lists(MESSAGES, max_size=12))
def test_a_mended_history_is_always_valid(messages: list[Message]) -> None:
    mended = mend_history(messages)
    expected: list[str] = []
    for place, message in enumerate(mended):
        if isinstance(message, ToolMessage):
            assert expected.pop(0) == message.call_id
            continue
        assert expected == []
        assert place == 0 or not isinstance(message, SystemMessage)
        if isinstance(message, AssistantMessage):
            expected = [call.id for call in message.tool_calls]
    assert expected == []
    assert mend_history(mended) == mended
    spoken = [m for m in messages if isinstance(m, UserMessage | AssistantMessage)]
    assert [m for m in mended if isinstance(m, UserMessage | AssistantMessage)] == spoken
