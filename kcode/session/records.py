"""What a session's log says: messages and events as JSON objects, and what is read back from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from kcode.errors import SessionError
from kcode.events import (
    ContextCompacted,
    DraftChanged,
    MessageTaken,
    ModelChosen,
    ModelNudged,
    ReplyDiscarded,
    ReplyFinished,
    ReplyInterrupted,
    RetryScheduled,
    TestsFinished,
    ToolCallFinished,
    TurnEnd,
    TurnFinished,
    TurnStarted,
)
from kcode.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.events import Event
    from kcode.messages import Message

INTERRUPTED = "This call was interrupted before it finished; what it would have given is unknown."

_ROLES: dict[type[Message], str] = {
    SystemMessage: "system",
    UserMessage: "user",
    AssistantMessage: "assistant",
    ToolMessage: "tool",
}


_USAGE_MEMBERS = tuple(member.name for member in fields(Usage))


def encode_message(message: Message) -> dict[str, Any]:
    """The message as a JSON object; texts keep lone surrogates, which the log's encoding escapes."""
    return {"role": _ROLES[type(message)]} | asdict(message)


def decode_message(record: Any) -> Message:
    """The message that `encode_message` was given; SessionError when a newer kcode wrote another kind."""
    try:
        match record["role"]:
            case "system":
                return SystemMessage(_text(record["text"]))
            case "user":
                return UserMessage(_text(record["text"]))
            case "tool":
                return ToolMessage(_text(record["call_id"]), _text(record["name"]), _text(record["text"]))
            case "assistant":
                return AssistantMessage(
                    text=_text(record["text"]),
                    reasoning=_text_or_none(record.get("reasoning")),
                    tool_calls=tuple(
                        ToolCall(_text(call["id"]), _text(call["name"]), _text(call["arguments"]))
                        for call in record.get("tool_calls", ())
                    ),
                    reasoning_details=_text_or_none(record.get("reasoning_details")),
                )
            case role:
                raise SessionError(f"The session holds a message of an unknown kind, {role!r}: a newer kcode wrote it.")
    except (KeyError, TypeError) as error:
        raise SessionError(f"The session holds a message that cannot be read: {error!r}.") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def decode_usage(record: Mapping[str, Any]) -> Usage:
    """What a record of type "usage" says; members that an older kcode did not write count as not known."""
    return Usage(**{name: record[name] for name in _USAGE_MEMBERS if name in record})


def event_record(event: Event) -> dict[str, Any] | None:
    """What the log keeps of an event beside the messages; None for what is only for the screen."""
    match event:
        case TurnStarted(prompt, words):
            return {"type": "turn", "words": words or prompt}  # the prompt itself is among the messages
        case MessageTaken(text):
            return {"type": "taken", "words": text}
        case ReplyFinished(_, usage, seconds, thinking):
            times = {"seconds": round(seconds, 3), "thinking": round(thinking, 3)} if seconds else {}
            return {"type": "usage"} | asdict(usage) | times
        case ReplyInterrupted(text, reasoning):
            return {"type": "interrupted", "text": text, "reasoning": reasoning}
        case DraftChanged(paths):
            return {"type": "draft", "paths": list(paths)}
        case ReplyDiscarded(reason, usage):
            # A reply that is paid for and not among the messages: summed like any other.
            return {"type": "usage"} | asdict(usage) | {"discarded": reason}
        case ContextCompacted(before, after, reason, usage, transcript):
            # What the note took is summed like a reply, and is none.
            about = {"before": before, "after": after, "reason": reason, "transcript": transcript}
            return {"type": "usage"} | asdict(usage) | {"compaction": about}
        case ModelNudged(reason):
            return {"type": "nudge", "reason": reason}
        case ToolCallFinished(call, result, seconds):
            return {
                "type": "tool_result",
                "call_id": call.id,
                "name": call.name,
                "summary": result.summary,
                "failed": result.failed,
                "went_well": result.went_well,
                "seconds": round(seconds, 3),
            }
        case TestsFinished(report):
            return {
                "type": "tests",
                "command": report.command,
                "ok": report.ok,
                "exit_code": report.result.exit_code,
                "end": report.result.end.value,
                "seconds": round(report.result.seconds, 3),
                "passed": report.passed,
                "failed": report.failed,
                "skipped": report.skipped,
                "failures": [failure.name for failure in report.failures],
                "failed_before": None if report.failed_before is None else list(report.failed_before),
            }
        case RetryScheduled(reason, seconds, attempt, _):
            return {"type": "retry", "reason": reason, "seconds": round(seconds, 3), "attempt": attempt}
        case ModelChosen(model):
            return {"type": "model", "model": model}
        case TurnFinished(reason, text, usage, steps):
            about = {"reason": reason.value, "steps": steps, "usage": asdict(usage)}
            # An answer is the last message; a reason to stop stands nowhere else.
            return {"type": "turn_finished"} | about | ({} if reason is TurnEnd.DONE else {"text": text})
        case _:
            return None


def encode_epoch(messages: Iterable[Message]) -> dict[str, Any]:
    """The record of a compaction, or of a step back: these messages stand in the place of all before them in the log."""
    return {"type": "epoch", "messages": [encode_message(message) for message in messages]}


@dataclass(frozen=True, slots=True)
class Epoch:
    """These messages stand in the place of all before them."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """What a reply took: one of the conversation, one that was dropped, or the note for a compaction."""

    usage: Usage
    kind: Literal["reply", "dropped", "note"]


@dataclass(frozen=True, slots=True)
class Forked:
    """All before this was copied from another session, which paid for it."""


def read_entries(records: Iterable[Mapping[str, Any]]) -> list[Message | Epoch | Paid | Forked]:
    """What the records of a log tell of the conversation and of its cost, in order; a damaged usage is left out."""
    entries: list[Message | Epoch | Paid | Forked] = []
    for record in records:
        match record.get("type"):
            case "message":
                entries.append(decode_message(record.get("message")))
            case "epoch":
                kept = record.get("messages")
                if not isinstance(kept, list):
                    raise SessionError("The session holds a compaction that cannot be read.")
                entries.append(Epoch(tuple(decode_message(message) for message in kept)))
            case "usage":
                kind: Any = "dropped" if "discarded" in record else "note" if "compaction" in record else "reply"
                entries.append(Paid(decode_usage(record), kind))
            case "fork":
                entries.append(Forked())
    return entries


def conversation_of(entries: Iterable[Message | Epoch | Paid | Forked]) -> list[Message]:
    """The messages from the last compaction on, as an endpoint accepts them."""
    messages: list[Message] = []
    for entry in entries:
        if isinstance(entry, Epoch):
            messages = list(entry.messages)
        elif not isinstance(entry, Paid | Forked):
            messages.append(entry)
    return mend_history(messages)


def mend_history(messages: Iterable[Message]) -> list[Message]:
    """Make a history that an endpoint accepts of one that a crash or damage may have torn.

    Every call has exactly one answer, directly behind its reply and in the order of the calls; an answer without a
    call is dropped, and so is a system message behind the first message.
    """
    mended: list[Message] = []
    open_calls: list[ToolCall] = []
    answers: dict[int, ToolMessage] = {}

    def answer_all() -> None:
        for place, call in enumerate(open_calls):
            mended.append(answers.get(place) or ToolMessage(call.id, call.name, INTERRUPTED))
        open_calls.clear()
        answers.clear()

    for message in messages:
        if isinstance(message, ToolMessage):
            # Some endpoints give two calls of one reply the same id; their answers come in the order of the calls.
            places = [p for p, call in enumerate(open_calls) if call.id == message.call_id and p not in answers]
            if places:
                answers[places[0]] = message
            continue
        answer_all()
        if isinstance(message, SystemMessage) and mended:
            continue
        mended.append(message)
        if isinstance(message, AssistantMessage):
            open_calls.extend(message.tool_calls)
    answer_all()
    return mended
