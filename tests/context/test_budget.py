from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.context.budget import budget_for, fit_result, keep_end, keep_start, triggers_above
from kcode.context.tokens import estimate_tokens

WINDOWS = [8_192, 32_768, 131_072, 262_144, 1_000_000]
TEXTS = st.lists(
    st.sampled_from(["def f(x):\n", "你好 ", "🎉", "0123456789", " " * 40, "lorem ipsum "]), max_size=80
).map("".join)


def test_a_full_window_is_shared_out_as_designed() -> None:
    budget = budget_for(262_144)
    assert (budget.soft, budget.hard, budget.room) == (131_072, 183_500, 262_144 - 16_384)
    assert (budget.target, budget.growth, budget.note) == (45_000, 25_000, 6_000)
    assert (budget.users_head, budget.users_tail, budget.outlines) == (2_000, 18_000, 6_000)


@pytest.mark.parametrize("window", WINDOWS)
def test_in_any_window_a_compacted_conversation_has_room_to_grow_before_the_next_compaction(window: int) -> None:
    budget = budget_for(window)
    assert budget.target + budget.growth < budget.soft < budget.hard < budget.room < window
    assert budget.note + budget.users_head + budget.users_tail < budget.target
    assert triggers_above(0, budget).soft == budget.soft


@given(st.sampled_from(WINDOWS), st.floats(0, 1.2))
def test_a_trigger_stands_well_above_what_no_compaction_can_shorten(window: int, share: float) -> None:
    budget, floor = budget_for(window), int(share * window)
    triggers = triggers_above(floor, budget)
    assert budget.soft <= triggers.soft <= triggers.hard <= budget.room
    assert triggers.soft >= min(floor + budget.growth, budget.room)


@given(TEXTS, st.integers(0, 300))
def test_a_kept_part_is_the_longest_that_fits(text: str, tokens: int) -> None:
    start, end = keep_start(text, tokens), keep_end(text, tokens)
    assert text.startswith(start)
    assert text.endswith(end)
    for part in (start, end):
        assert estimate_tokens(part) <= max(tokens, 1)
        assert len(part) == len(text) or estimate_tokens(part) >= tokens - 8


def test_a_result_that_fits_stays_as_it_is() -> None:
    text = "def f(x):\n    return x\n" * 500
    assert fit_result(text, 50_000, budget_for(262_144)) is text


def test_of_a_result_that_is_too_long_the_ends_stay_and_it_says_how_much_there_was() -> None:
    text = "".join(f"line {number} of the output\n" for number in range(40_000))
    cut = fit_result(text, 0, budget_for(262_144))
    assert estimate_tokens(cut) <= 25_200
    assert f"about {estimate_tokens(text):,} tokens" in cut
    assert "\nline 0 of the output\n" in cut
    assert cut.endswith("line 39999 of the output\n")


@settings(max_examples=25)
@given(st.sampled_from([8_192, 40_000]), st.lists(st.integers(0, 100), min_size=1, max_size=8), st.floats(0, 0.7))
def test_however_many_results_come_in_one_step_the_request_after_them_fits(
    window: int, sizes: list[int], filled: float
) -> None:
    budget = budget_for(window)
    used = int(filled * window)
    for size in sizes:
        used += estimate_tokens(fit_result("word of a log\n" * (size * 60), used, budget))
    assert used <= budget.room + 150 * len(sizes)
