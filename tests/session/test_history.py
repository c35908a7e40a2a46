from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from kcode.events import (
    ContextCompacted,
    DraftChanged,
    HunksDecided,
    KeyEntered,
    MessageTaken,
    ModelChosen,
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    ReplyInterrupted,
    RetryScheduled,
    StepStarted,
    TestsFinished,
    TextStreamed,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnRedone,
    TurnStarted,
    TurnUndone,
)
from kcode.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage
from kcode.results import CommandEnd, CommandResult, TestFailure, TestReport, ToolResult
from kcode.session.history import history_of, read_history
from kcode.session.log import encode_record, read_log
from kcode.session.store import SessionLog, create_session

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.events import Event
    from kcode.messages import Message
    from kcode.session.store import Session

USAGE = Usage(10, 5, 2, 0.01, 3, cost_is_estimate=True)
CALL = ToolCall("functions.read_file:0", "read_file", '{"path": "a"}')
REPLY = AssistantMessage("Let me see.", "I read.", (CALL,))
RESULT = ToolResult("text", "12 lines", failed=True, went_well=False)
REPORT = TestReport(
    "pytest", CommandResult(1, "", CommandEnd.TIMEOUT, 2.5), 3, 1, 0, (TestFailure("test_x"),), ("test_x",)
)
DONE = AssistantMessage("Done.", "That was all.")
# In the order in which a session with everything in it keeps them.
ENTRIES: list[Message | Event] = [
    SystemMessage("You are a test."),
    TurnStarted("fix \udcff it", "fix \udcff it"),
    UserMessage("Note from kcode, not from the user: this is what kcode found."),
    UserMessage("fix \udcff it"),
    REPLY,
    ReplyFinished(REPLY, USAGE),
    ToolMessage(CALL.id, CALL.name, "text"),
    ToolCallFinished(CALL, RESULT, 0.125),
    DraftChanged(("a.py", "b\udcff.py")),
    TestsFinished(REPORT),
    UserMessage("and that"),
    MessageTaken("and that"),
    ReplyDiscarded("It was empty.", USAGE),
    ModelNudged("It repeats itself."),
    ModelChosen("kimi-k3"),
    DONE,
    ReplyFinished(DONE, USAGE),
    TurnFinished(TurnEnd.DONE, "Done.", USAGE, 3),
    HunksDecided("applied", ("a.py",), ("3fa2",)),
    TurnFinished(TurnEnd.STEP_LIMIT, "The limit of 3 steps was reached.", USAGE, 3),
    ReplyInterrupted("half a", "I was about to"),
]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return create_session(tmp_path / "state", tmp_path, datetime(2026, 11, 27, tzinfo=UTC), version="0", command="fix")


def keep(session: Session, entries: list[Message | Event]) -> None:
    with SessionLog(session) as log:
        for entry in entries:
            match entry:
                case SystemMessage() | UserMessage() | AssistantMessage() | ToolMessage():
                    log.append_message(entry)
                case HunksDecided(decision, paths, hunks):
                    log.append_decision(decision, paths, hunks)
                case _:
                    log.append_event(entry)


def test_all_that_the_log_keeps_comes_back_in_order(session: Session) -> None:
    keep(session, ENTRIES)
    assert list(read_history(session)) == ENTRIES


def test_times_come_back(session: Session) -> None:
    keep(session, [DONE, ReplyFinished(DONE, USAGE, 12.3456, 7.0)])
    finished = read_history(session)[-1]
    assert isinstance(finished, ReplyFinished)
    assert (finished.seconds, finished.thinking) == (12.346, 7.0)


def test_what_is_only_for_the_screen_of_the_moment_is_not_kept(session: Session) -> None:
    keep(session, [StepStarted(1), TextStreamed("x"), RetryScheduled("busy", 2.0, 1, 8), KeyEntered()])
    assert read_history(session) == ()


def test_it_spans_all_epochs_without_saying_anything_twice(session: Session) -> None:
    compacted = ContextCompacted(9000, 1000, "it filled 70% of the window", USAGE, "/tmp/kcode-output/transcript-1.txt")
    keep(session, ENTRIES[:4])
    with SessionLog(session) as log:
        log.append_epoch([SystemMessage("anew"), UserMessage("fix \udcff it")])
        log.append_event(compacted)
    keep(session, [DONE])
    with SessionLog(session) as log:
        log.append_epoch([SystemMessage("anew")], undone={"turn": 1, "words": "fix", "applied": ["a.py"], "draft": ""})
        log.append_epoch([SystemMessage("anew"), DONE], redone={"turn": 1, "words": "fix"})
    assert list(read_history(session)) == [
        *ENTRIES[:4],
        compacted,
        DONE,
        TurnUndone("fix", ("a.py",)),
        TurnRedone("fix"),
    ]


def test_a_log_of_an_older_kcode_is_read() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    result = {"call_id": CALL.id, "name": CALL.name, "summary": "12 lines", "failed": False, "seconds": 0.1}
    tests = {"command": "pytest", "ok": False, "passed": 3, "failed": 1, "skipped": None, "failures": ["test_x"]}
    found = history_of(
        [
            {"type": "session", "format": 1},
            {"type": "message", "message": {"role": "assistant", "text": "", "tool_calls": [{"id": CALL.id, "name": CALL.name, "arguments": "{}"}]}},
            {"type": "usage", **usage},
            {"type": "message", "message": {"role": "tool", "call_id": CALL.id, "name": CALL.name, "text": "a"}},
            {"type": "tool_result", **result},
            {"type": "tests", **tests},
            {"type": "turn_finished", "reason": "step_limit", "steps": 7, "usage": usage},
        ]
    )  # fmt: skip
    reply, finished, answer, called, tested, end = found
    assert isinstance(reply, AssistantMessage)
    assert finished == ReplyFinished(reply, Usage(10, 5))
    assert isinstance(answer, ToolMessage)
    assert called == ToolCallFinished(ToolCall(CALL.id, CALL.name, "{}"), ToolResult("a", "12 lines"), 0.1)
    assert isinstance(tested, TestsFinished)
    assert not tested.report.ok
    assert end == TurnFinished(TurnEnd.STEP_LIMIT, "", Usage(10, 5), 7)


def test_what_cannot_be_read_is_left_out(session: Session) -> None:
    keep(session, ENTRIES)
    with session.log_path.open("ab") as log:
        log.write(encode_record({"type": "message", "message": {"role": "oracle", "text": "x"}}))
        log.write(encode_record({"type": "tests"}))
        log.write(encode_record({"type": "dream"}))
        log.write(b'{"type":"message","mess')
    assert list(read_history(session)) == ENTRIES
    assert len(read_log(session.log_path).damage) == 1
