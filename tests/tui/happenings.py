"""What happens in a turn, put together for tests: short ways to events, and a feed with a clock that the test moves."""

from __future__ import annotations

import json

from kcode.events import ReplyFinished
from kcode.messages import AssistantMessage, ToolCall, Usage
from kcode.results import CommandResult, TestFailure, TestReport
from kcode.tui.feed import Feed
from kcode.tui.texts import load_texts

TEXTS = load_texts()


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def new_feed(clock: Clock | None = None) -> Feed:
    return Feed(TEXTS, clock or Clock())


def call_of(name: str, identity: str = "functions.x:0", **arguments: object) -> ToolCall:
    return ToolCall(identity, name, json.dumps(arguments))


def reply_of(
    text: str = "", reasoning: str | None = None, *calls: ToolCall, tokens: int | None = None, thinking: float = 0.0
) -> ReplyFinished:
    return ReplyFinished(AssistantMessage(text, reasoning, calls), Usage(reasoning_tokens=tokens), 1.0, thinking)


def failing_report() -> TestReport:
    failures = (TestFailure("tests/test_a.py::test_one", "E  assert 1 == 2"), TestFailure("tests/test_a.py::test_two"))
    return TestReport("pytest -q", CommandResult(1, ""), 10, 2, 0, failures, ("tests/test_a.py::test_two",))


def shown_lines(feed: Feed, width: int = 80) -> list[str]:
    """All rows of the feed as plain text, without the blank ones."""
    rows = [row for block in feed.stack.blocks for row in block.rows(width)]
    lines = ["".join(span.text for span in row.line).rstrip() for row in rows]
    return [line for line in lines if line]
