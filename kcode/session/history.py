"""All that happened in a session, in order, for showing it: its messages and, between them, what the log has of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.errors import SessionError
from kcode.events import (
    ContextCompacted,
    DraftChanged,
    HunksDecided,
    MessageTaken,
    ModelChosen,
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    ReplyInterrupted,
    TestsFinished,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnRedone,
    TurnStarted,
    TurnUndone,
)
from kcode.messages import AssistantMessage, ToolCall, ToolMessage
from kcode.results import CommandEnd, CommandResult, TestFailure, TestReport, ToolResult
from kcode.session.log import read_log
from kcode.session.records import decode_message, decode_usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.events import Event
    from kcode.messages import Message
    from kcode.session.store import Session

    Record = Mapping[str, Any]


def read_history(session: Session) -> tuple[Message | Event, ...]:
    """Every message of the session and what the log tells of events, over all epochs, in the order of the log.

    A reply or result comes as its message first, and then as the ReplyFinished or ToolCallFinished that tells its cost,
    time and outcome; a ReplyInterrupted and a TurnStarted come before the messages that belong to them. What was undone
    stays where it was, with a TurnUndone behind it. A TurnStarted holds the user's own words alone. What cannot be read
    of a damaged log, or was written by a newer kcode, is left out. SessionError when there is no log.
    """
    return history_of(read_log(session.log_path).records)


def history_of(records: Iterable[Record]) -> tuple[Message | Event, ...]:
    """The same of a log's records."""
    reader = _Reader()
    found: list[Message | Event] = []
    for record in records:
        try:
            entry = reader.read(record)
        except (SessionError, KeyError, TypeError, ValueError, AttributeError):
            continue
        if entry is not None:
            found.append(entry)
    return tuple(found)


class _Reader:
    """Reads records in order: what one says of a reply or a call leans on the messages before it."""

    def __init__(self) -> None:
        self._reply = AssistantMessage("")
        self._calls: dict[str, ToolCall] = {}
        self._answer: ToolMessage | None = None

    def read(self, record: Record) -> Message | Event | None:
        match record.get("type"):
            case "message":
                return self._message(record)
            case "usage":
                return self._paid(record)
            case "tool_result":
                return self._call_finished(record)
            case "turn_finished":
                text = str(record.get("text", self._reply.text))
                return TurnFinished(TurnEnd(record["reason"]), text, decode_usage(record["usage"]), record["steps"])
            case "epoch":
                return _step_back(record)
            case _:
                return _event(record)

    def _message(self, record: Record) -> Message:
        message = decode_message(record.get("message"))
        if isinstance(message, AssistantMessage):
            self._reply = message
            self._calls |= {call.id: call for call in message.tool_calls}
        elif isinstance(message, ToolMessage):
            self._answer = message
        return message

    def _paid(self, record: Record) -> Event:
        usage = decode_usage(record)
        if "discarded" in record:
            return ReplyDiscarded(str(record["discarded"]), usage)
        if "compaction" in record:
            about = record["compaction"]
            return ContextCompacted(
                about["before"], about["after"], str(about["reason"]), usage, str(about["transcript"])
            )
        return ReplyFinished(self._reply, usage, float(record.get("seconds", 0.0)), float(record.get("thinking", 0.0)))

    def _call_finished(self, record: Record) -> Event:
        identity, name = str(record["call_id"]), str(record["name"])
        call = self._calls.get(identity) or ToolCall(identity, name, "{}")
        answer = self._answer if self._answer is not None and self._answer.call_id == identity else None
        result = ToolResult(
            answer.text if answer else "",
            str(record["summary"]),
            bool(record["failed"]),
            went_well=bool(record.get("went_well", True)),
        )
        return ToolCallFinished(call, result, float(record["seconds"]))


def _event(record: Record) -> Event | None:
    match record.get("type"):
        case "turn":
            return TurnStarted(str(record["words"]), str(record["words"]))
        case "taken":
            return MessageTaken(str(record["words"]))
        case "interrupted":
            return ReplyInterrupted(str(record["text"]), str(record["reasoning"]))
        case "draft":
            return DraftChanged(tuple(map(str, record["paths"])))
        case "tests":
            return TestsFinished(_report(record))
        case "nudge":
            return ModelNudged(str(record["reason"]))
        case "model":
            return ModelChosen(str(record["model"]))
        case "decision":
            hunks = tuple(map(str, record.get("hunks", ())))
            return HunksDecided(str(record["decision"]), tuple(map(str, record["paths"])), hunks)
    return None


def _step_back(record: Record) -> Event | None:
    """What an epoch is where it is no compaction; that one has a record of its own."""
    if undone := record.get("undone"):
        return TurnUndone(str(undone["words"]), tuple(map(str, undone.get("applied", ()))))
    return TurnRedone(str(record["redone"]["words"])) if "redone" in record else None


def _report(record: Record) -> TestReport:
    """The report without what the tests printed. Older logs tell only whether they passed."""
    ok, failed_before = bool(record["ok"]), record.get("failed_before")
    end = CommandEnd(record.get("end", CommandEnd.EXITED.value))
    result = CommandResult(int(record.get("exit_code", not ok)), "", end, float(record.get("seconds", 0.0)))
    return TestReport(
        str(record["command"]),
        result,
        record["passed"],
        record["failed"],
        record["skipped"],
        tuple(TestFailure(str(name)) for name in record["failures"]),
        None if failed_before is None else tuple(map(str, failed_before)),
    )
