from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.length import RequestLength, tokens_of
from kcode.context.tokenizer import load_counter
from kcode.context.tokens import estimate_tokens
from kcode.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage
from tests.context.samples import samples

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = samples()
TOOLS = '[{"type":"function","function":{"name":"read_file","parameters":{}}}]' * 20
START: list[Message] = [SystemMessage("You are Kimi. " * 100), UserMessage("Fix the bug in cents(). " * 30)]
CALL = AssistantMessage("", "I look.", (ToolCall("functions.read_file:0", "read_file", '{"path": "a.py"}'),))
DONE = AssistantMessage("It is done.", "All is well.")
RESULT = ToolMessage("functions.read_file:0", "read_file", "def cents(amount):\n    return int(amount * 100)\n" * 200)


def estimated(*messages: Message) -> int:
    return sum(tokens_of(message, estimate_tokens) for message in messages)


def counter(seen: list[str]) -> Callable[[], Callable[[str], int]]:
    def count(text: str) -> int:
        seen.append(text)
        return len(text)

    return lambda: count


def test_before_the_first_answer_all_is_estimated_tools_included() -> None:
    assert RequestLength(TOOLS).of(START) == estimate_tokens(TOOLS) + estimated(*START)
    assert RequestLength().of([]) == 0


def test_what_the_endpoint_counted_includes_the_tools() -> None:
    length = RequestLength(TOOLS)
    length.learn(START, CALL, Usage(5000, 40))
    assert length.known == length.of([*START, CALL]) == 5040


def test_without_a_count_the_reply_is_estimated_too() -> None:
    length = RequestLength(TOOLS)
    length.learn(START, CALL, Usage())
    assert length.of([*START, CALL]) == estimate_tokens(TOOLS) + estimated(*START, CALL)
    length.learn([*START, CALL, RESULT], DONE, Usage(prompt_tokens=4000))
    assert length.of([*START, CALL, RESULT, DONE]) == 4000 + estimated(DONE)


@pytest.mark.parametrize(("factor", "learned"), [(1.0, 1.0), (1.3, 1.3), (0.8, 0.8), (9.0, 2.0), (0.01, 0.5)])
def test_later_estimates_are_corrected_by_what_was_counted_within_bounds(factor: float, learned: float) -> None:
    length = RequestLength(TOOLS)
    counted = round(factor * length.of(START))
    length.learn(START, CALL, Usage(counted, 40))
    fresh = length.of([*START, CALL, RESULT]) - counted - 40
    assert fresh == pytest.approx(learned * estimated(RESULT), rel=0.02)


def test_the_results_of_a_turn_correct_the_estimate_further() -> None:
    length = RequestLength()
    first = length.of(START)
    length.learn(START, CALL, Usage(first, 40))
    length.learn([*START, CALL, RESULT], CALL, Usage(first + 40 + 2 * estimated(RESULT), 40))
    history = [*START, CALL, RESULT, CALL]
    expected = (first + 2 * estimated(RESULT)) / (first + estimated(RESULT))
    known = length.of(history)
    assert length.of([*history, RESULT]) - known == pytest.approx(expected * estimated(RESULT), rel=0.01)


def test_a_count_that_fell_since_reasoning_was_left_out_teaches_nothing() -> None:
    length = RequestLength()
    first = length.of(START)
    length.learn(START, DONE, Usage(first, 5000))
    history = [*START, DONE, UserMessage("And now? " * 50)]
    length.learn(history, CALL, Usage(first + 100, 40))
    history.append(CALL)
    assert length.of(history) == first + 140
    assert length.of([*history, RESULT]) - first - 140 == estimated(RESULT)


def test_only_near_the_mark_is_it_counted_exactly() -> None:
    seen: list[str] = []
    length = RequestLength(TOOLS, counter(seen))
    about = length.of(START)
    assert length.of(START, near=3 * about) == length.of(START, near=about // 3) == about
    assert seen == []
    assert length.of(START, near=about) == len(TOOLS) + sum(tokens_of(message, len) for message in START)
    assert seen[0] == TOOLS
    length.learn(START, CALL, Usage(about, 40))
    seen.clear()
    assert length.of([*START, CALL, RESULT], near=4 * about) == about + 40 + tokens_of(RESULT, len)
    assert seen == [RESULT.text]


def test_where_no_exact_count_is_to_be_had_the_estimate_stands() -> None:
    length = RequestLength(TOOLS, lambda: None)
    assert length.of(START, near=length.of(START)) == length.of(START)


KINDS = ("Python", "TypeScript", "diff", "JSON", "minified JSON", "Chinese", "npm lock", "pip lock", "listing")


@pytest.mark.parametrize("kind", [*KINDS, "all of them in turn"])
def test_after_the_third_answer_an_estimate_is_within_three_percent_of_the_window(kind: str) -> None:
    exact = load_counter("kimi-k2-thinking")
    if exact is None:
        pytest.skip("the extra kcode[tokenizer] is not installed")
    texts = [SAMPLES[name] for name in (KINDS if kind not in SAMPLES else (kind,))]
    length, history = RequestLength(TOOLS), list(START)
    counted = exact(TOOLS) + sum(tokens_of(message, exact) for message in history)
    for step in range(20):
        if step >= 3:
            assert abs(length.of(history) - counted) <= 0.03 * 262_144
        length.learn(history, CALL, Usage(counted, tokens_of(CALL, exact)))
        # Five results of the longest that a tool gives, which is far more than most steps bring.
        results = [ToolMessage("", "read_file", (texts[(step + n) % len(texts)] * 9)[:16_000]) for n in range(5)]
        fresh: list[Message] = [CALL, *results]
        history += fresh
        counted += sum(tokens_of(message, exact) for message in fresh)


@given(st.lists(st.tuples(st.sampled_from([RESULT, UserMessage("go on"), DONE, CALL]), st.integers(-1, 10**6))))
def test_whatever_an_endpoint_counts_a_longer_request_is_no_shorter(steps: list[tuple[Message, int]]) -> None:
    length, history = RequestLength(TOOLS), list(START)
    for message, count in steps:
        before = length.of(history)
        if isinstance(message, AssistantMessage):
            length.learn(history, message, Usage(max(count, 0), 1))
            history.append(message)
            assert count <= 0 or length.of(history) == length.known == count + 1
        else:
            history.append(message)
            assert length.of(history) > before
