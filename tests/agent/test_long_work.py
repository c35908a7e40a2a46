"""Work far beyond the window: nothing overflows, nothing that matters is lost, and the endpoint's cache keeps hitting."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.events import ContextCompacted, ToolCallFinished, TurnEnd
from kcode.messages import KCODE_NOTE, ToolMessage, UserMessage
from tests.agent.turns import all_calls_are_answered_once_and_directly_behind, finish
from tests.agent.work import FACT, FRESH, Worker, desk_of, ground_of, is_asking, texts_of, work

if TYPE_CHECKING:
    from tests.agent.work import Shelf

WINDOW = 262_144
PROMPT = "Read all parts. FACT<never touch vendor/>\n\n  Keep this line as it stands: café — ✓  "
FOUND = "FACT<src/billing/rounding.py:118> FACT<make check PYTEST='-k cents'>\n"
BLOCK = 4 * 256
"""Bytes of 256 tokens, about."""


def test_two_million_tokens_of_output_never_overflow_the_window_and_lose_no_fact() -> None:
    worker = Worker(steps=250, size=16_000, calls=2, window=WINDOW)
    desk = desk_of(worker, facts=FOUND)
    events = work(desk, PROMPT)
    assert finish(events).reason is TurnEnd.DONE
    results = [event.result.text for event in events if isinstance(event, ToolCallFinished)]
    assert len(results) == 500
    assert worker.length_of([ToolMessage("", "", text) for text in results]) > 2_000_000
    assert worker.refused == []
    assert max(worker.lengths) < WINDOW - 16_384
    last = texts_of(worker.seen[-1])
    assert all(fact in last for fact in FACT.findall(PROMPT + FOUND))
    assert worker.seen[-1][1] == UserMessage(PROMPT)
    compacted = [event for event in events if isinstance(event, ContextCompacted)]
    assert 10 <= len(compacted) <= 20
    assert all(event.after <= 45_000 and event.before >= 0.7 * WINDOW for event in compacted)
    assert all(all_calls_are_answered_once_and_directly_behind(messages) for messages in worker.seen)


def test_within_an_epoch_each_request_begins_with_the_bytes_of_the_one_before_also_the_request_for_the_note() -> None:
    worker = Worker(steps=300, size=3000, window=80_000, keeps_bodies=True)
    work(desk_of(worker), PROMPT)
    epochs = 0
    for (before, now), (first, second) in zip(pairwise(worker.bodies), pairwise(worker.seen), strict=True):
        if is_asking(first):
            epochs += 1
            assert second[0] == FRESH
            assert not any(isinstance(message, ToolMessage) for message in second)
            continue
        assert now.startswith(before[: before.rindex(b"]")])
    assert epochs >= 3


@pytest.mark.parametrize(("turns", "size", "compactions"), [(1, 3000, 1), (10, 3000, 1), (30, 1000, 0)])
def test_nineteen_in_twenty_bytes_of_three_hundred_requests_are_in_the_endpoints_cache(
    turns: int, size: int, compactions: int
) -> None:
    worker = Worker(steps=0, size=size, window=WINDOW, keeps_bodies=True)
    desk = desk_of(worker)
    for turn in range(turns):
        worker.steps += 300 // turns
        # What the user saved meanwhile comes with the next words, never into what was said.
        saved = f"\n\n[Saved meanwhile: src/part{turn}.py, {turn} lines]"
        assert finish(work(desk, f"Turn {turn}: {PROMPT}{saved}")).reason is TurnEnd.DONE
    assert len(ground_of(desk).transcripts) == compactions
    hit = sum(_common(before, now) // BLOCK * BLOCK for before, now in pairwise(worker.bodies))
    assert len(worker.bodies) > 300
    assert hit / sum(map(len, worker.bodies)) >= 0.95


def _common(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def test_many_turns_of_one_conversation_keep_the_users_words_in_their_order() -> None:
    worker = Worker(steps=6, size=3000, window=30_000)
    desk = desk_of(worker)
    prompts = [f"Question {number}: what of café {number}?" for number in range(1, 9)]
    for prompt in prompts:
        worker.done = 0
        assert finish(work(desk, prompt)).reason is TurnEnd.DONE
    assert len(ground_of(desk).transcripts) >= 2
    own = [
        message.text
        for message in worker.seen[-1]
        if isinstance(message, UserMessage) and not message.text.startswith(KCODE_NOTE)
    ]
    assert own == prompts
    whole = "\n".join(ground_of(desk).transcripts)
    assert all(f"=== user\n{prompt}" in whole for prompt in prompts[:-2])


def test_one_result_larger_than_the_window_is_cut_and_the_work_goes_on() -> None:
    worker = Worker(steps=4, size=400_000, calls=5, window=60_000)
    assert finish(work(desk_of(worker))).reason is TurnEnd.DONE
    assert worker.refused == []
    assert max(worker.lengths) <= 60_000 - 15_000
    cut = [m.text for messages in worker.seen for m in messages if isinstance(m, ToolMessage)]
    assert all(text.startswith("[Cut by kcode to fit the window: this has about ") for text in cut)


@settings(max_examples=8)
@given(
    window=st.sampled_from([12_000, 40_000, 131_072]),
    sizes=st.lists(st.sampled_from([10, 3_000, 16_000, 120_000]), min_size=1, max_size=8),
    calls=st.integers(1, 6),
    counts=st.floats(0.85, 1.1),
    prompts=st.lists(st.sampled_from(["Go on.", "word " * 5_000]), min_size=1, max_size=3),
)
def test_whatever_comes_no_request_is_over_the_window_and_every_call_is_answered(
    window: int, sizes: list[int], calls: int, counts: float, prompts: list[str]
) -> None:
    worker = Worker(steps=0, calls=calls, window=window, counts=counts)
    desk = desk_of(worker)
    for prompt in prompts:
        for size in sizes:
            cast("Shelf", desk.view).size = size
            worker.steps += 1
            end = finish(work(desk, prompt))
            assert end.reason is TurnEnd.DONE or (end.reason is TurnEnd.WINDOW_FULL and len(prompt) > 1_000)
    assert worker.refused == []
    assert all(all_calls_are_answered_once_and_directly_behind(messages) for messages in worker.seen)
