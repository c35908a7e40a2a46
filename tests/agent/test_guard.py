from __future__ import annotations

import json
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.guard import REPETITION, Advice, Guard, find_fault, find_shared, fingerprint
from kcode.messages import AssistantMessage, ToolCall
from tests.agent.turns import execute, note, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

TOOLS = {tool.name: tool for tool in (note, refuse, execute)}
A, B, C, D = (ToolCall(f"{name}:0", "note", json.dumps({"text": name})) for name in "abcd")
TESTS = ToolCall("t:0", "execute", "{}")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def edit(number: int) -> ToolCall:
    return ToolCall("e:0", "refuse", json.dumps({"new": number}))


def advice_for(steps: Iterable[Iterable[ToolCall]], reasoning: str | None = None) -> list[Advice]:
    guard = Guard(TOOLS)
    return [guard.hear(AssistantMessage("", reasoning, tuple(calls))) for calls in steps]


def said(advice: Iterable[Advice]) -> dict[int, str]:
    """What was said after which step, counted from 1."""
    found = {number: one.stop or (one.nudge.text if one.nudge else "") for number, one in enumerate(advice, 1)}
    return {number: words for number, words in found.items() if words}


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def test_the_same_call_is_nudged_at_3_5_and_8_and_stopped_at_12() -> None:
    advice = advice_for([[A]] * 12)
    words = said(advice)
    assert list(words) == [3, 5, 8, 12]
    assert words[3].startswith('Note from kcode: you made the same call 3 times in a row: note {"text": "a"}. ')
    assert "After 12 times" in words[8]
    assert len({words[n].split(". ", 1)[1] for n in (3, 5, 8)}) == 3
    assert advice[11].stop == 'The model made the same call 12 times in a row: note {"text": "a"}.'


@pytest.mark.parametrize("around", [[A, B], [A, B, C], [A, A, B]])
def test_a_cycle_of_two_or_three_calls_counts_like_one_call(around: list[ToolCall]) -> None:
    period = len(around)
    words = said(advice_for([call] for call in islice(cycle(around), 12 * period)))
    assert list(words) == [3 * period, 5 * period, 8 * period, 12 * period]
    assert f"went through the same {period} calls 3 times in a row" in words[3 * period]


def test_a_cycle_within_replies_counts_as_well() -> None:
    assert list(said(advice_for([[A, B]] * 12))) == [3, 5, 8, 12]


def test_another_call_in_between_starts_the_count_anew() -> None:
    assert said(advice_for([[A], [A], [B], [A], [A], [C], [A], [A]])) == {}


@given(st.lists(json_values, unique_by=lambda v: json.dumps(v, sort_keys=True), max_size=20), st.data())
def test_calls_that_all_differ_are_never_nudged(values: list[Any], data: st.DataObject) -> None:
    calls = [ToolCall("x", "note", json.dumps({"text": value})) for value in values]
    steps = []
    while calls:
        count = data.draw(st.integers(1, 4))
        steps.append(calls[:count])
        calls = calls[count:]
    assert said(advice_for(steps, "I go on.")) == {}


def test_300_calls_that_all_differ_are_never_nudged() -> None:
    assert said(advice_for(([edit(number)] for number in range(300)), "I go on.")) == {}


def test_editing_and_testing_in_turn_is_no_circle() -> None:
    steps = [[call] for number in range(150) for call in (edit(number), TESTS)]
    assert said(advice_for(steps, "Let me run the tests.")) == {}


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_arguments_are_compared_as_json_values(arguments: dict[str, Any]) -> None:
    one = ToolCall("1", "note", json.dumps(arguments))
    other = ToolCall("2", "note", json.dumps(shuffled(arguments), indent=3, ensure_ascii=False))
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(ToolCall("1", "refuse", one.arguments))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", "{}", True),
        ("null", " ", True),
        ('{"a": 1', '{"a": 1', True),
        ('{"a": 1', '{"a": 1 ', False),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": "x\ny"}', '{"a": "x\\ny"}', True),
        ("[" * 100_000, "[" * 100_000, True),
        ("[" * 100_000, "[" * 99_999, False),
        ("\ud83d", "\ud83d", True),
        ("9" * 5000, "9" * 5000, True),
    ],
)
def test_malformed_arguments_count_as_they_stand(one: str, other: str, same: bool) -> None:
    assert (fingerprint(ToolCall("1", "note", one)) == fingerprint(ToolCall("2", "note", other))) is same


def test_the_same_thought_without_a_new_call_is_a_circle() -> None:
    # No cycle of up to three calls is in these, and none of the calls is new after the fourth step.
    calls = islice(cycle([A, B, C, D]), 40)
    words = said(advice_for(([call] for call in calls), " Let me\nlook  again. "))
    # The fifth step is the second with that thought and nothing new.
    assert list(words) == [6, 8, 11, 15, *range(16, 41)]
    assert "had the same thought 3 times in a row, without any new call" in words[6]


def test_other_thoughts_or_none_are_no_circle() -> None:
    guard = Guard(TOOLS)
    steps = list(islice(cycle([A, B, C, D]), 40))
    for number, call in enumerate(steps):
        assert said([guard.hear(AssistantMessage("", f"Thought {number % 2}", (call,)))]) == {}
    assert said(advice_for([call] for call in steps)) == {}
    assert said(advice_for(([call] for call in steps), "")) == {}


def test_tools_that_do_not_exist_are_counted_by_replies() -> None:
    def unknown(number: int) -> list[ToolCall]:
        return [ToolCall("x", "Read", json.dumps({"n": number, "m": m})) for m in range(20)]

    words = said(advice_for(unknown(number) for number in range(12)))
    assert list(words) == [3, 5, 8, 12]
    assert "called tools that do not exist in 3 replies in a row: Read" in words[3]
    assert said(advice_for([*(unknown(n) for n in range(2)), [A], *(unknown(n) for n in range(2, 4))])) == {}


def test_after_a_reset_all_is_forgotten() -> None:
    guard = Guard(TOOLS)
    again = AssistantMessage("", "Again.", (A,))
    assert [guard.hear(again) for _ in range(12)][-1].stop
    guard.reset()
    assert list(said(guard.hear(again) for _ in range(12))) == [3, 5, 8, 12]


@pytest.mark.parametrize(
    ("calls", "shares"),
    [
        ([A, B, A], {2: 0}),
        ([A, A, A], {1: 0, 2: 0}),
        ([A, edit(1), A], {}),
        ([edit(1), edit(1)], {1: 0}),
        ([edit(1), A, edit(1)], {2: 0}),
        ([edit(1), TESTS, edit(1)], {}),
        ([TESTS, TESTS], {1: 0}),
        ([A, TESTS, A, A], {3: 2}),
    ],
)
def test_a_call_twice_in_a_reply_shares_its_result_unless_something_may_have_changed(
    calls: list[ToolCall], shares: dict[int, int]
) -> None:
    assert advice_for([calls])[0].shares == shares


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.booleans()), max_size=20))
def test_a_shared_result_is_that_of_the_first_equal_call_that_runs(calls: list[tuple[bytes, bool]]) -> None:
    prints, reads = [mark for mark, _ in calls], [only for _, only in calls]
    shares = find_shared(prints, reads)
    for place, first in shares.items():
        assert first < place
        assert prints[first] == prints[place]
        assert first not in shares
        assert all(reads[between] or between in shares for between in range(first + 1, place))


def test_a_call_that_shares_a_result_counts_once() -> None:
    assert said(advice_for([[A] * 12, [A] * 12])) == {}


@pytest.mark.parametrize(
    ("message", "finish", "lack"),
    [
        (AssistantMessage(""), "stop", "was empty"),
        (AssistantMessage(" \n", " "), "stop", "was empty"),
        (AssistantMessage("", "Hmm."), "stop", "thoughts alone"),
        (AssistantMessage("", "Hmm."), "length", "output limit"),
        (AssistantMessage("", "Hmm."), "malformed", "cannot be read"),
        (AssistantMessage("half"), REPETITION, "over and over"),
    ],
)
def test_a_reply_of_no_use_says_what_it_lacks(message: AssistantMessage, finish: str, lack: str) -> None:
    fault = find_fault(message, finish)
    assert fault is not None
    assert lack in fault.lack


@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls"])
def test_an_answer_or_a_call_is_of_use(finish: str) -> None:
    assert find_fault(AssistantMessage("Yes."), finish) is None
    assert find_fault(AssistantMessage("", None, (A,)), finish) is None


def test_replies_of_no_use_are_asked_for_again_then_told_then_stopped() -> None:
    fault = find_fault(AssistantMessage(""), "stop")
    assert fault
    guard = Guard(TOOLS)
    first, second, third = (guard.drop(fault) for _ in range(3))
    assert (first.message, first.stop) == (None, None)
    assert second.message
    assert second.message.startswith("Note from kcode, not from the user: your last reply was empty, and was dropped. ")
    assert third.stop == "The model's reply was empty. It was the 3rd reply in a row that is of no use."
    guard = Guard(TOOLS)
    for _ in range(10):
        assert guard.drop(fault).message is None
        guard.hear(AssistantMessage("", None, (A,)))


def test_after_thinking_up_to_the_output_limit_the_model_is_told_at_once() -> None:
    fault = find_fault(AssistantMessage("", "Hmm."), "length")
    assert fault
    guard = Guard(TOOLS)
    assert [bool(guard.drop(fault).message) for _ in range(3)] == [True, False, False]
