"""The step of a session that a tool call belongs to: what the model thought and said when it made the call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kcode.errors import SessionError
from kcode.messages import AssistantMessage, ToolCall
from kcode.session.log import read_log
from kcode.session.records import decode_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.session.store import Session


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call, and the reasoning (None where the endpoint sent none) and text of the reply that it stands in."""

    call: ToolCall
    reasoning: str | None
    text: str
    seconds: float


def load_steps(session: Session) -> tuple[Step, ...]:
    """Every call of the session in order; what cannot be read of a damaged log is left out."""
    try:
        records = read_log(session.log_path).records
    except SessionError:
        return ()
    return tuple(step for record in records if record.get("type") == "message" for step in _steps(record))


def find_step(steps: Iterable[Step], call_id: str, seconds: float) -> Step | None:
    """The call of this id that was made last at that time: some endpoints give the same id again in a later reply."""
    found = [step for step in steps if step.call.id == call_id]
    return next((step for step in reversed(found) if step.seconds <= seconds), found[0] if found else None)


def _steps(record: dict[str, Any]) -> Iterable[Step]:
    try:
        message = decode_message(record.get("message"))
        seconds = datetime.fromisoformat(record["time"]).timestamp()
    except (SessionError, KeyError, TypeError, ValueError):
        return
    if isinstance(message, AssistantMessage):
        for call in message.tool_calls:
            yield Step(call, message.reasoning, message.text, seconds)
