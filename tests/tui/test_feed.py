# ruff: noqa: RUF001 - the signs on the screen are what is looked for

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.events import (
    CompactionStarted,
    ContextCompacted,
    HunksDecided,
    MessageTaken,
    ReasoningStreamed,
    ReplyDiscarded,
    RetryScheduled,
    RetryWaiting,
    StepStarted,
    TestsFinished,
    TextStreamed,
    ToolCallFinished,
    ToolCallOutput,
    ToolCallStarted,
    TurnEnd,
    TurnFinished,
    TurnStarted,
    UserWarned,
)
from kcode.messages import ToolCall, Usage
from kcode.results import ToolResult
from kcode.tui.blocks import ReasoningBlock, ToolBlock
from kcode.tui.lines import plain, width_of
from kcode.tui.viewport import Viewport
from tests.tui.happenings import Clock, call_of, failing_report, new_feed, reply_of, shown_lines

if TYPE_CHECKING:
    from kcode.events import Event


def test_what_the_user_sent_is_shown_once_though_the_turn_tells_it_again() -> None:
    feed = new_feed()
    feed.add_user("why?")
    feed.take(TurnStarted("note\n\nwhy?", "why?"))
    assert shown_lines(feed) == ["› why?"]
    feed.take(TurnStarted("from elsewhere"))
    assert shown_lines(feed) == ["› why?", "› from elsewhere"]


def test_thoughts_are_timed_and_fold_when_the_answer_begins() -> None:
    clock = Clock()
    feed = new_feed(clock)
    feed.take(ReasoningStreamed("I look "))
    clock.now += 12.4
    feed.take(ReasoningStreamed("into it."))
    assert shown_lines(feed) == ["  ▾ Thinking 12 s · 6 tokens · 0/s", "    I look into it."]
    feed.take(TextStreamed("Found."))
    assert shown_lines(feed) == ["  ▸ Thought 12 s · 6 tokens", "  Found."]
    feed.take(reply_of("Found.", "I look into it.", tokens=1840))
    assert shown_lines(feed) == ["  ▸ Thought 12 s · 1,840 tokens", "  Found."]


def test_thoughts_that_the_user_opened_stay_open() -> None:
    feed = new_feed()
    feed.take(ReasoningStreamed("one\ntwo\nthree\nfour\nfive"))
    assert shown_lines(feed)[1:] == ["    three", "    four", "    five"]
    feed.stack.blocks[0].open(is_open=True)
    assert shown_lines(feed)[1:] == ["    one", "    two", "    three", "    four", "    five"]
    feed.take(ReasoningStreamed(" more"))
    feed.take(TextStreamed("x"))
    assert shown_lines(feed)[-2:] == ["    five more", "  x"]


def test_a_call_shows_its_last_line_while_it_runs_and_settles_into_one() -> None:
    feed = new_feed()
    call = call_of("run_command", command="make")
    feed.take(ToolCallStarted(call))
    feed.take(ToolCallOutput(call.id, "compiling\n 10%\r 90%"))
    assert shown_lines(feed) == ["  ⋯ run_command make", "  └ 90%"]
    feed.take(ToolCallFinished(call, ToolResult("Exit code 0 after 3.1 s:\nok", "Exit code 0 after 3.1 s"), 3.1))
    assert shown_lines(feed) == ["  ✓ run_command make 3.1 s"]


def test_an_edit_tells_its_lines_and_a_failed_call_why() -> None:
    feed = new_feed()
    edit = call_of("edit_file", path="m.py", edits=[{"old": "a", "new": "b\nc"}])
    feed.take(ToolCallFinished(edit, ToolResult("Changed m.py", "m.py: 1 place"), 0.1))
    feed.take(ToolCallFinished(edit, ToolResult("`old` stands nowhere in m.py.\nMore", failed=True), 0.0))
    assert shown_lines(feed) == [
        "  ✓ edit_file m.py +2 -1 0.1 s",
        "  ✗ edit_file m.py `old` stands nowhere in m.py.",
    ]


def test_what_was_read_is_told_once() -> None:
    feed = new_feed()
    calls = (
        call_of("read_file", path="m.py", start=26),
        call_of("read_file", path="m.py", start=26, end=36),
        call_of("read_file", path="m.py"),
    )
    for call in calls:
        feed.take(ToolCallFinished(call, ToolResult("text", "m.py:26-36"), 0.0))
    assert shown_lines(feed) == ["  ✓ read_file m.py 26-36", "  ✓ read_file m.py:26-36", "  ✓ read_file m.py 26-36"]


def test_tests_tell_counts_and_names_and_are_told_once() -> None:
    feed = new_feed()
    call, report = call_of("run_tests"), failing_report()
    feed.take(ToolCallStarted(call))
    feed.take(ToolCallFinished(call, ToolResult("2 failed", tests=report), 3.2))
    feed.take(TestsFinished(report))
    assert shown_lines(feed) == ["  ✗ run_tests 2 failed, 10 passed: test_one, test_two 3.2 s"]
    feed.stack.blocks[0].open(is_open=True)
    opened = shown_lines(feed)
    assert "  │ ✗ tests/test_a.py::test_one" in opened
    assert "  │ ✗ tests/test_a.py::test_two  (failed before the changes too)" in opened


def test_tests_that_no_call_ran_are_a_remark() -> None:
    feed = new_feed()
    feed.take(TestsFinished(failing_report()))
    assert shown_lines(feed)[0] == "  ✗ 2 failed, 10 passed: test_one, test_two"


def test_outputs_of_calls_that_run_side_by_side_stay_apart() -> None:
    feed = new_feed()
    one, two = call_of("run_command", "a", command="one"), call_of("run_command", "b", command="two")
    feed.take(ToolCallStarted(one))
    feed.take(ToolCallStarted(two))
    feed.take(ToolCallOutput("b", "of two"))
    feed.take(ToolCallOutput("a", "of one"))
    assert shown_lines(feed) == ["  ⋯ run_command one", "  └ of one", "  ⋯ run_command two", "  └ of two"]
    feed.take(ToolCallFinished(two, ToolResult("done", "done"), 0))
    feed.take(ToolCallOutput("b", "too late"))
    assert shown_lines(feed)[-1] == "  ✓ run_command two done"


def test_two_calls_with_the_same_id_are_settled_in_their_order() -> None:
    feed = new_feed()
    call = call_of("read_file", path="a.py")
    feed.take(ToolCallStarted(call))
    feed.take(ToolCallStarted(call))
    feed.take(ToolCallFinished(call, ToolResult("x", "a.py:1-2"), 0))
    assert [line[:14] for line in shown_lines(feed)] == ["  ✓ read_file ", "  ⋯ read_file "]


def test_a_reply_that_is_dropped_takes_back_what_was_streamed() -> None:
    feed = new_feed()
    feed.take(ReasoningStreamed("Hm."))
    feed.take(TextStreamed("Half an ans"))
    feed.take(ReplyDiscarded("it was empty", Usage()))
    assert shown_lines(feed) == ["  ! The reply was dropped: it was empty."]


def test_tries_count_down_in_one_place_and_what_failed_is_taken_back() -> None:
    feed = new_feed()
    feed.take(TextStreamed("Half"))
    feed.take(RetryScheduled("The endpoint is overloaded.", 3.0, 1, 8))
    feed.take(RetryWaiting(2, 1, 8))
    assert shown_lines(feed) == ["  ! The endpoint is overloaded. Trying again in 2 s (attempt 2 of 8)."]
    feed.take(RetryWaiting(0, 1, 8))
    feed.take(StepStarted(1))
    feed.take(RetryScheduled("It is still overloaded.", 6.0, 2, 8))
    assert shown_lines(feed) == ["  ! It is still overloaded. Trying again in 6 s (attempt 3 of 8)."]
    feed.take(TextStreamed("Whole"))
    assert shown_lines(feed) == ["  · It is still overloaded. Tried again, and went on.", "  Whole"]


def test_a_compaction_says_in_one_place_what_came_of_it() -> None:
    feed = new_feed()
    feed.take(CompactionStarted("the window is full"))
    feed.take(ContextCompacted(180_000, 12_000, "full", Usage(), "x"))
    assert shown_lines(feed) == ["  · Compacted: about 180,000 tokens became 12,000."]


def test_a_message_waits_below_all_else_until_the_turn_takes_it() -> None:
    feed = new_feed()
    feed.queue("and tests")
    feed.queue("and docs")
    feed.take(TextStreamed("Answer"))
    assert shown_lines(feed) == ["  Answer", "› and tests", "  (queued)", "› and docs", "  (queued)"]
    feed.unqueue("and docs")
    feed.take(MessageTaken("and tests"))
    feed.take(reply_of("Answer"))
    assert shown_lines(feed) == ["  Answer", "› and tests"]


def test_a_message_that_waited_for_its_own_turn_begins_it_as_it_was_shown() -> None:
    feed = new_feed()
    feed.add_user("one")
    feed.take(TurnStarted("one"))
    feed.queue("/init", "Write AGENTS.md.")
    feed.take(TurnFinished(TurnEnd.DONE, "", Usage(), 0))
    feed.take(TurnStarted("Write AGENTS.md.", "Write AGENTS.md."))
    assert shown_lines(feed) == ["› one", "› /init"]


def test_the_answer_is_what_the_reply_says_in_the_end_and_blank_ones_are_not_shown() -> None:
    feed = new_feed()
    feed.take(TextStreamed("\n\n"))
    assert shown_lines(feed) == []
    feed.take(reply_of("\n"))
    assert len(feed.stack.blocks) == 0
    feed.take(TextStreamed("Leaked <call>"))
    feed.take(reply_of("Leaked"))
    assert shown_lines(feed) == ["  Leaked"]


def test_a_turn_ends_with_what_it_took() -> None:
    clock = Clock()
    feed = new_feed(clock)
    feed.take(TurnStarted("x"))
    clock.now += 75
    feed.take(TurnFinished(TurnEnd.STEP_LIMIT, "The limit of 4 steps.", Usage(12_000, 800, 6_000, 0.0123), 4))
    assert shown_lines(feed)[1:] == [
        "  ! The limit of 4 steps.",
        "  4 steps · 12,000 tokens in (50% cached) · 800 out · $0.0123 · 1 min 15 s",
    ]


def test_what_a_broken_off_turn_left_running_is_marked_as_interrupted() -> None:
    feed = new_feed()
    feed.take(ToolCallStarted(call_of("run_command", command="sleep 9")))
    assert feed.is_streaming
    feed.stop()
    assert not feed.is_streaming
    assert shown_lines(feed) == ["  · run_command sleep 9 interrupted"]


def test_the_user_is_warned() -> None:
    feed = new_feed()
    feed.take(UserWarned("AGENTS.md is too long."))
    assert shown_lines(feed) == ["  ! AGENTS.md is too long."]


def test_decisions_are_told() -> None:
    feed = new_feed()
    feed.take(HunksDecided("applied", ("a.py", "b.py"), ("1", "2")))
    assert shown_lines(feed) == ["  · 2 hunks applied: a.py, b.py."]


def test_as_text_it_reads_in_order_and_holds_what_is_folded() -> None:
    feed = new_feed()
    feed.add_user("why?\x1b[2J")
    feed.take(TurnStarted("why?"))
    feed.take(ReasoningStreamed("Let me see."))
    feed.take(TextStreamed("**Because.**"))
    feed.take(reply_of("**Because.**", "Let me see."))
    call = call_of("run_command", command="ls")
    feed.take(ToolCallFinished(call, ToolResult("Exit code 0 after 0.0 s:\na.py", "Exit code 0 after 0.0 s"), 0))
    text = feed.as_text()
    assert text.split("\n\n") == [
        "You:\nwhy?␛[2J",
        "Thought · 5 tokens\nLet me see.",
        "kcode:\n**Because.**",
        "Tool: run_command ls (done)\n$ ls\nExit code 0 after 0.0 s:\na.py",
    ]


def test_of_a_very_long_message_the_beginning_is_shown() -> None:
    feed = new_feed()
    block = feed.add_user("\n".join(f"line {number}" for number in range(5_000)))
    assert shown_lines(feed)[-2:] == ["  line 29", "  ▸ about 4970 more lines"]
    block.open(is_open=True)
    assert shown_lines(feed)[-1] == "  line 4999"


nasty = st.text(st.sampled_from("ab *`[]()#|>-_\n\r\t\x1b\u202e漢😀"), max_size=30)
calls = st.builds(ToolCall, st.sampled_from("ab"), st.sampled_from(["edit_file", "run_tests", "x\x1b"]), nasty)
results = st.builds(ToolResult, nasty, nasty, st.booleans(), st.sampled_from([None, failing_report()]))
events = st.one_of(
    st.builds(TurnStarted, nasty),
    st.builds(MessageTaken, nasty),
    st.builds(ReasoningStreamed, nasty),
    st.builds(TextStreamed, nasty),
    st.builds(reply_of, nasty, st.none() | nasty),
    st.builds(ReplyDiscarded, nasty, st.just(Usage())),
    st.builds(RetryScheduled, nasty, st.just(2.0), st.just(1), st.just(8)),
    st.builds(ToolCallStarted, calls),
    st.builds(ToolCallOutput, st.sampled_from("ab"), nasty),
    st.builds(ToolCallFinished, calls, results, st.just(0.2)),
    st.builds(TestsFinished, st.just(failing_report())),
    st.builds(TurnFinished, st.sampled_from(TurnEnd), nasty, st.just(Usage(1, 1)), st.just(1)),
)


@settings(max_examples=60)
@given(st.lists(events, max_size=25), st.integers(12, 60), st.booleans())
def test_whatever_happens_rows_fit_and_nothing_in_them_steers_the_terminal(
    happened: list[Event], width: int, is_open: bool
) -> None:
    feed = new_feed()
    feed.stack.open_all(ReasoningBlock, is_open=is_open)
    feed.stack.open_all(ToolBlock, is_open=is_open)
    viewport = Viewport(feed.stack.blocks)
    viewport.resize(width, 10)
    for event in happened:
        feed.take(event)
        changed = feed.stack.take_changed()
        viewport.sync(len(feed.stack.blocks) if changed is None else changed)
        viewport.settle()
    for block in feed.stack.blocks:
        for line in block.lines(width):
            assert width_of(line) <= width
            assert not any(sign in plain(line) for sign in "\n\r\t\x1b\u202e")
    grown = [list(block.lines(width)) for block in feed.stack.blocks]
    feed.stop()
    for block in feed.stack.blocks:
        block.forget()
    assert len([block.lines(width) for block in feed.stack.blocks]) == len(grown)
    assert "\x1b" not in feed.as_text()
