from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.tui.lines import plain, width_of
from kcode.tui.texts import LANGUAGES, load_texts
from kcode.tui.widgets.activity import Activity, ActivityState, Phase, activity_line, clock
from kcode.tui.widgets.draftbar import DraftBar, DraftState, TestsState, draft_line
from kcode.tui.widgets.statusline import StatusLine, StatusState, short_number, status_line
from tests.tui.stage import Stage, shown

TEXTS = load_texts()
FULL = StatusState(
    endpoint="moonshot",
    model="kimi-k2-thinking",
    branch="feature/round-half-even",
    used=182_000,
    window=262_144,
    trigger=220_000,
    cost=0.4321,
    cached=0.93,
    background="indexing 40 %",
    vim="normal",
    help_key="F1",
    send_key="enter",
)
DRAFT = DraftState(3, 42, 7, "passed", passed=12, pending=4, accepted=2, rejected=1, conflicts=1, review_key="F2")
counts = st.integers(0, 10**7)


def test_the_status_line_tells_all_where_there_is_room_and_drops_the_rest_by_rank() -> None:
    wide = plain(status_line(FULL, 170, TEXTS))
    for part in (
        "NORMAL",
        "kimi-k2-thinking",
        "moonshot",
        "feature/round",
        "69%",
        "38k left",
        "$0.43",
        "93%",
        "indexing",
    ):
        assert part in wide
    narrow = plain(status_line(FULL, 80, TEXTS))
    for part in ("NORMAL", "kimi-k2-thinking", "69%", "$0.43"):
        assert part in narrow
    assert "93%" not in narrow
    assert "kimi-k2" in plain(status_line(FULL, 20, TEXTS))


@given(st.integers(40, 160), st.sampled_from(LANGUAGES), st.booleans())
def test_the_key_at_the_right_of_the_status_moves_nothing_at_the_left(width: int, language: str, vim: bool) -> None:
    texts = load_texts(language)
    state = replace(FULL, vim="normal" if vim else "")
    idle, typed = (status_line(replace(state, is_typed=is_typed), width, texts) for is_typed in (False, True))
    assert plain(typed).endswith(f" enter {texts('status.send')} ")
    assert plain(idle).endswith(f" F1 {texts('status.help')} ")
    assert plain(idle).rpartition("F1")[0].rstrip() == plain(typed).rpartition("enter")[0].rstrip()
    assert {span.action for span in typed[-3:-1]} == {"screen.in_composer('send')"}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (StatusState(model="m", is_spent=True), "price unknown"),
        (StatusState(model="m", cost=0.0), "$0.00"),
        (StatusState(model="m", cost=0.012), "$0.012"),
        (StatusState(model="a/b/m", is_confined=False, cost=0.0), "no sandbox"),
        (StatusState(model="m", used=5_000, window=262_144, cost=0.0), "2%"),
        (StatusState(model="m", branch="a\x1b[31m\nb", cost=0.0), "a␛[31m␊b"),
    ],
)
def test_the_status_line_says(state: StatusState, said: str) -> None:
    assert said in plain(status_line(state, 100, TEXTS))


def test_nothing_is_said_of_money_where_nobody_pays() -> None:
    assert "cost" not in plain(status_line(StatusState(model="m", is_free=True), 100, TEXTS))
    assert "$" not in plain(status_line(StatusState(model="m", is_free=True), 100, TEXTS))


@given(counts, counts, counts, st.integers(1, 160), st.sampled_from(LANGUAGES), st.booleans())
def test_every_line_has_just_the_width_of_the_screen(
    one: int, two: int, three: int, width: int, language: str, on: bool
) -> None:
    texts = load_texts(language)
    status = replace(FULL, used=one, window=two, trigger=three, branch="漢字" * (one % 9), background="x" * (two % 30))
    assert width_of(status_line(status, width, texts)) == width
    tests = get_args(TestsState)[one % 5]
    draft = DraftState(
        one % 50, two, three, tests, two, one, on, one % 7, two % 7, three % 7, one % 2, "F2" if on else ""
    )
    assert width_of(draft_line(draft, width, texts)) == width
    phase = get_args(Phase)[two % 7]
    state = ActivityState(phase, 0.0, one / 1e6, "run_tests 漢字", two, 3, 1, 8, three % 4)
    assert width_of(activity_line(state, one / 1e6 + three / 1e3, width, texts)) == width


def test_the_draft_bar_tells_what_matters_and_how_to_see_more() -> None:
    line = plain(draft_line(DRAFT, 120, TEXTS))
    for part in (
        "draft 3 files +42 -7",
        "✓ 12 tests passed",
        "1 conflict",
        "2 accepted",
        "1 rejected",
        "4 to decide",
        "F2 review",
    ):
        assert part in line
    narrow = plain(draft_line(DRAFT, 60, TEXTS))
    assert "draft 3 files" in narrow
    assert "12 tests passed" in narrow
    assert "F2 review" in narrow
    assert "✗ 1 test failed (changed since)" in plain(
        draft_line(replace(DRAFT, tests="failed", failed=1, stale=True), 120, TEXTS)
    )
    some = replace(DRAFT, tests="failed", failed=13, before=13, is_chosen=True)
    assert "✗ 13 tests failed (some, 13 before too)" in plain(draft_line(some, 120, TEXTS))
    assert "✓ 12 tests passed (some)" in plain(draft_line(replace(DRAFT, is_chosen=True), 120, TEXTS))
    assert "no changes" in plain(draft_line(DraftState(), 80, TEXTS))


def test_the_activity_tells_phase_time_and_rate() -> None:
    state = ActivityState("thinking", began=0.0, since=10.0, tokens=920)
    line = plain(activity_line(state, 20.0, 100, TEXTS))
    for part in ("Thinking", "10s", "92 tokens/s", "turn 20s", "esc interrupts"):
        assert part in line
    retry = ActivityState("retrying", 0.0, 0.0, retry_in=7, attempt=1, attempts=8)
    assert "try 2 of 8 in 7s" in plain(activity_line(retry, 0.0, 100, TEXTS))
    assert "takes its time" in plain(activity_line(ActivityState("waiting", 0.0, 0.0), 30.0, 100, TEXTS))
    assert "⠋" not in plain(activity_line(state, 10.0, 100, TEXTS, still=True))


def test_numbers_and_times_are_short() -> None:
    assert [short_number(n) for n in (0, 999, 9_500, 131_072, 999_400, 1_200_000)] == [
        "0",
        "999",
        "9.5k",
        "131k",
        "999k",
        "1.2M",
    ]
    assert [clock(s) for s in (0.4, 59.9, 65, 3725)] == ["0s", "59s", "1:05", "1:02:05"]


@given(st.integers(0, 10**12))
def test_a_short_number_is_short(number: int) -> None:
    assert len(short_number(number)) <= 5


def test_the_activity_takes_a_line_only_while_a_turn_runs_and_leaves_no_timer() -> None:
    async def walk() -> None:
        now = 100.0
        activity = Activity(TEXTS, now=lambda: now)
        async with Stage(activity).run_test(size=(80, 5)) as pilot:
            assert not activity.display
            activity.begin()
            activity.phase("thinking")
            activity.count(500)
            now = 105.0
            activity.queue(2)
            await pilot.pause()
            text = shown(pilot.app)
            assert "Thinking" in text
            assert "100 tokens/s" in text
            assert "2 messages queued" in text
            activity.retry(4, 1, 8)
            assert activity.state is not None
            assert activity.state.retry_in == 4
            activity.phase("running", "run_tests")
            assert activity.state.retry_in is None
            activity.end()
            await pilot.pause()
            assert not activity.display
            assert "run_tests" not in shown(pilot.app)
            assert activity._timer is None

    asyncio.run(walk())


def test_of_a_price_nothing_is_said_before_anything_was_sent() -> None:
    assert plain(status_line(StatusState(model="m"), 80, load_texts())).strip() == "m"


def test_the_bars_show_what_they_are_given_and_a_click_asks_for_the_review() -> None:
    async def walk() -> None:
        pressed = []

        class Watching(Stage):
            def on_draft_bar_pressed(self) -> None:
                pressed.append(True)

        bar = DraftBar(TEXTS)
        async with Watching(bar).run_test(size=(80, 5)) as pilot:
            await pilot.click(DraftBar)
            assert not pressed
            assert not shown(pilot.app).strip()
            bar.know()
            await pilot.pause()
            assert "no changes proposed" in shown(pilot.app)
            bar.state = DRAFT
            await pilot.pause()
            assert "12 tests passed" in shown(pilot.app)
            await pilot.click(DraftBar)
            assert pressed
        status = StatusLine(TEXTS)
        async with Stage(status).run_test(size=(80, 5)) as pilot:
            status.state = FULL
            await pilot.pause()
            assert "kimi-k2-thinking" in shown(pilot.app)

    asyncio.run(walk())
