# ruff: noqa: RUF001 - the signs on the screen are what is looked for

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.events import (
    HunksDecided,
    MessageTaken,
    ReplyInterrupted,
    TestsFinished,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnStarted,
)
from kcode.messages import KCODE_NOTE, AssistantMessage, SystemMessage, ToolMessage, Usage, UserMessage
from kcode.piped import mark_piped
from kcode.results import ToolResult
from kcode.tui.blocks import UserBlock
from kcode.tui.blocks.user import words_of
from tests.tui.happenings import call_of, failing_report, new_feed, reply_of, shown_lines

if TYPE_CHECKING:
    from kcode.events import Event
    from kcode.messages import Message


DONE = TurnFinished(TurnEnd.DONE, "", Usage(), 0)


def test_a_past_is_shown_as_it_happened() -> None:
    call = call_of("edit_file", path="m.py", edits=[{"old": "a", "new": "b"}])
    tests = call_of("run_tests", "t")
    feed = new_feed()
    feed.load(
        [
            SystemMessage("You are"),
            UserMessage(f"{KCODE_NOTE} the time is now"),
            TurnStarted("fix it", "fix it"),
            UserMessage("fix it"),
            AssistantMessage("", "Hm, so.", (call, tests)),
            reply_of("", "Hm, so.", call, tests, tokens=900, thinking=61.0),
            ToolMessage(call.id, call.name, "Changed m.py"),
            ToolCallFinished(call, ToolResult("Changed m.py", "m.py: 1 place"), 0.2),
            ToolMessage("t", "run_tests", "2 failed"),
            ToolCallFinished(tests, ToolResult("2 failed", "2 failed"), 3.0),
            TestsFinished(failing_report()),
            AssistantMessage("**Done.**"),
            TurnFinished(TurnEnd.DONE, "**Done.**", Usage(1_000, 10, 0, None), 2),
        ]
    )
    assert shown_lines(feed) == [
        "› fix it",
        "  ▸ Thought 1 min 01 s · 900 tokens",
        "  ✓ edit_file m.py +1 -1 0.2 s",
        "  ✗ run_tests 2 failed, 10 passed: test_one, test_two 3.0 s",
        "  Done.",
        "  2 steps · 1,000 tokens in · 10 out · price unknown",
    ]


def test_messages_alone_are_enough() -> None:
    call = call_of("read_file", path="m.py")
    feed = new_feed()
    feed.load([UserMessage("hi"), AssistantMessage("Yes?", None, (call,)), ToolMessage(call.id, call.name, "1→x")])
    assert shown_lines(feed) == ["› hi", "  Yes?", "  ✓ read_file m.py"]


def test_a_call_without_an_answer_was_interrupted() -> None:
    feed = new_feed()
    feed.load([AssistantMessage("", None, (call_of("read_file", path="m.py"),)), UserMessage("go on")])
    assert shown_lines(feed)[0] == "  · read_file m.py interrupted"


def test_thoughts_of_a_reply_that_was_broken_off_are_kept() -> None:
    feed = new_feed()
    feed.load([ReplyInterrupted("", "Let me think."), UserMessage(f"{KCODE_NOTE} interrupted")])
    assert shown_lines(feed) == ["  ▸ Thought · 5 tokens"]


def test_the_users_own_words_stand_in_the_place_of_a_prompt_made_around_them() -> None:
    feed = new_feed()
    feed.load([TurnStarted("fix it", "fix it"), UserMessage("# Task\nfix it\n# Rules"), UserMessage("plain"), DONE])
    assert shown_lines(feed) == ["› fix it", "› plain"]


def test_what_was_piped_in_and_what_was_decided_is_folded() -> None:
    feed = new_feed()
    piped = mark_piped("a\n</stdin>")
    feed.load([UserMessage(f"{piped}\n\nwhy?\n\n<review>\nrejected: x\n</review>")])
    assert shown_lines(feed) == ["› ▸ 2 lines from stdin", "  why?", "  ▸ with your decisions on the changes"]
    block = feed.stack.blocks[0]
    assert isinstance(block, UserBlock)
    assert block.source == "why?"
    block.open(is_open=True)
    assert "  rejected: x" in shown_lines(feed)
    assert "  </stdin>" in shown_lines(feed)
    assert words_of("<stdin>\na\nb\n</stdin>\n\nwhy?").piped == "a\nb"


def turns_of(history: list[Message | Event]) -> list[int]:
    feed = new_feed()
    feed.load(history)
    return [block.message_index for block in feed.stack.blocks if isinstance(block, UserBlock)]


def test_messages_know_the_turn_that_they_began_or_went_into() -> None:
    note = UserMessage(f"{KCODE_NOTE} x")
    assert turns_of([UserMessage("one"), note, AssistantMessage("a"), UserMessage("two")]) == [0, 1]
    steered: list[Message | Event] = [
        TurnStarted("one", "one"), note, UserMessage("one"), MessageTaken("more"), UserMessage("more"),
        AssistantMessage("a"), TurnStarted("two", "two"), UserMessage("two"),
    ]  # fmt: skip
    assert turns_of(steered) == [0, 0, 1]


def test_a_turn_without_an_end_says_that_it_was_interrupted() -> None:
    feed = new_feed()
    feed.load(
        [
            TurnStarted("one", "one"),
            UserMessage("one"),
            TurnStarted("two", "two"),
            UserMessage("two"),
            AssistantMessage("Done."),
            TurnFinished(TurnEnd.DONE, "Done.", Usage(), 1),
            TurnStarted("three", "three"),
            UserMessage("three"),
        ]
    )
    text = feed.as_text()
    assert text.count("Interrupted.") == 2
    assert text.index("one") < text.index("Interrupted.") < text.index("two")
    assert text.rindex("Interrupted.") > text.index("three")


def test_what_was_decided_is_told_as_it_was_then() -> None:
    feed = new_feed()
    feed.load([HunksDecided("applied", ("a.py",), ("1", "2")), HunksDecided("rejected", ("b.py",), ())])
    assert "2 hunks applied: a.py." in feed.as_text()
    assert "1 hunk rejected: b.py." in feed.as_text()
