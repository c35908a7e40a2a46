"""A turn for programs: one JSON object a line on stdout. The format is described in README.md, under *JSON events*."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from kcode.events import (
    ContextCompacted,
    DraftChanged,
    ModelNudged,
    ReasoningStreamed,
    ReplyDiscarded,
    ReplyFinished,
    RetryScheduled,
    TestsFinished,
    ToolCallFinished,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
    UserWarned,
)

if TYPE_CHECKING:
    from kcode.draft.files import FileChange, Hunk
    from kcode.events import Event
    from kcode.messages import Usage
    from kcode.results import TestReport

VERSION = 1


def write_line(kind: str, /, **fields: Any) -> None:
    """Write one event, in UTF-8 whatever the locale; bytes that are no text become `?`."""
    line = json.dumps({"type": kind, **fields}, ensure_ascii=False)
    sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def write_event(event: Event) -> None:
    """Write the line that belongs to the event; streamed pieces wait for the whole item."""
    match event:
        case TurnStarted():
            write_line("turn.started")
        case ReplyFinished(message, usage):
            if message.reasoning:
                write_line("item.completed", item={"type": "reasoning", "text": message.reasoning})
            if message.text:
                write_line("item.completed", item={"type": "agent_message", "text": message.text})
            write_line("step.completed", usage=usage_fields(usage))
        case ReplyDiscarded(reason, usage):
            write_line("reply.discarded", reason=reason)
            write_line("step.completed", usage=usage_fields(usage))
        case ModelNudged(reason):
            write_line("model.nudged", reason=reason)
        case ToolCallStarted(call):
            write_line(
                "item.started",
                item={"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments},
            )
        case ToolCallFinished(call, result, seconds):
            item = {
                "type": "tool_call",
                "id": call.id,
                "name": call.name,
                "output": result.text,
                "failed": result.failed,
            }
            write_line("item.completed", item=item, seconds=round(seconds, 3))
        case DraftChanged(paths):
            write_line("draft.changed", paths=[_text(path) for path in paths])
        case TestsFinished(report):
            write_line("tests.finished", **tests_fields(report))
        case ContextCompacted(before, after, reason, usage, transcript):
            about = {"before_tokens": before, "after_tokens": after, "reason": reason, "transcript": transcript}
            write_line("context.compacted", **about, usage=usage_fields(usage))
        case RetryScheduled(reason, seconds, attempt, attempts):
            write_line("retry.scheduled", reason=reason, seconds=round(seconds, 3), attempt=attempt, attempts=attempts)
        case UserWarned(text):
            write_line("warning", text=text)
        case TurnFinished(reason, text, usage, steps):
            write_line("turn.completed", reason=reason.value, text=text, steps=steps, usage=usage_fields(usage))
        case ReasoningStreamed() | _:
            pass


def place_fields(change: FileChange) -> dict[str, Any]:
    """What a proposal does to a file, as JSON fields."""
    kind = (
        "added"
        if change.before is None
        else "deleted"
        if change.after is None
        else "renamed"
        if change.old_path
        else "changed"
    )
    return {
        "path": _text(change.path),
        "old_path": None if change.old_path is None else _text(change.old_path),
        "kind": kind,
        "mode": f"{change.after.mode:o}" if change.after else None,
        "by": change.by,
    }


def hunk_fields(hunk: Hunk) -> dict[str, Any]:
    """A hunk as JSON fields; bytes that are no text become U+FFFD."""
    return {
        "id": hunk.id,
        "old_start": hunk.old_start,
        "old_lines": [line.decode("utf-8", "replace") for line in hunk.old_lines],
        "new_start": hunk.new_start,
        "new_lines": [line.decode("utf-8", "replace") for line in hunk.new_lines],
    }


def tests_fields(report: TestReport) -> dict[str, Any]:
    """A test run as JSON fields; counts that the runner does not tell are null."""
    return {
        "ok": report.ok,
        "command": report.command,
        "exit_code": report.result.exit_code,
        "passed": report.passed,
        "failed": report.failed,
        "skipped": report.skipped,
        "failures": [failure.name for failure in report.failures],
    }


def usage_fields(usage: Usage) -> dict[str, Any]:
    """Tokens and cost as JSON fields; a cost that is not known is null, and so is reasoning that was not counted."""
    return {
        "input_tokens": usage.prompt_tokens,
        "cached_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "reasoning_output_tokens": usage.reasoning_tokens,
        "cost_usd": usage.cost,
        "cost_is_estimate": usage.cost_is_estimate,
    }


def _text(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
