"""Which step a call belongs to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kcode.messages import AssistantMessage, ToolCall, UserMessage
from kcode.session.steps import find_step, load_steps
from kcode.session.store import Session, SessionLog

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def logged(folder: Path, *messages: AssistantMessage | UserMessage) -> Session:
    """A session with these messages, one a minute."""
    session = Session("20260501-120000-0000", folder, folder)
    for minute, message in enumerate(messages):
        with SessionLog(session, lambda minute=minute: START + timedelta(minutes=minute)) as log:  # type: ignore[misc]
            log.append_message(message)
    return session


def test_a_call_is_found_with_the_reasoning_and_text_of_its_reply(tmp_path: Path) -> None:
    call = ToolCall("functions.edit_file:1", "edit_file", '{"path": "a"}')
    session = logged(tmp_path, UserMessage("fix"), AssistantMessage("I edit.", "It truncates.", (call,)))
    step = find_step(load_steps(session), call.id, START.timestamp() + 61)
    assert step is not None
    assert (step.call, step.reasoning, step.text) == (call, "It truncates.", "I edit.")
    assert find_step(load_steps(session), "functions.edit_file:2", START.timestamp()) is None


def test_of_an_id_that_comes_again_the_call_of_that_time_is_found(tmp_path: Path) -> None:
    replies = [AssistantMessage("", text, (ToolCall("call_0", "edit_file", "{}"),)) for text in ("first", "second")]
    steps = load_steps(logged(tmp_path, *replies))
    found = [find_step(steps, "call_0", START.timestamp() + seconds) for seconds in (-5, 30, 90)]
    assert [step.reasoning if step else None for step in found] == ["first", "first", "second"]


def test_a_damaged_or_missing_log_has_the_steps_that_can_be_read(tmp_path: Path) -> None:
    session = logged(tmp_path, AssistantMessage("", "thought", (ToolCall("a", "edit_file", "{}"),)))
    with session.log_path.open("ab") as log:
        log.write(b"garbage\n")
    assert [step.reasoning for step in load_steps(session)] == ["thought"]
    session.log_path.unlink()
    assert load_steps(session) == ()
