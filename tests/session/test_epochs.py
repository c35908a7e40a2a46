from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from kcode.errors import SessionError
from kcode.events import ContextCompacted, ReplyFinished
from kcode.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage
from kcode.session.log import Log, read_log
from kcode.session.records import INTERRUPTED
from kcode.session.store import SessionLog, create_session, load_conversation, load_usages

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.session.store import Session

CALL = ToolCall("functions.read_file:0", "read_file", '{"path": "a.py"}')
OLD: list[Message] = [
    SystemMessage("You are Kimi."),
    UserMessage("fix \udcff"),
    AssistantMessage("", "Let me see.", (CALL,)),
    ToolMessage(CALL.id, CALL.name, "def cents()"),
]
EPOCH: list[Message] = [SystemMessage("You are Kimi, anew."), UserMessage("fix \udcff"), UserMessage("Note: go on.")]
LATER: list[Message] = [
    AssistantMessage("", "Again.", (CALL,)),
    ToolMessage(CALL.id, CALL.name, "def cents(x)"),
    UserMessage("thanks"),
]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return create_session(tmp_path / "state", tmp_path, datetime(2026, 11, 27, tzinfo=UTC), version="0", command="fix")


def write(session: Session, *epochs: list[Message]) -> None:
    with SessionLog(session) as log:
        for number, messages in enumerate(epochs):
            if number:
                log.append_epoch(messages[:3])
            for message in messages[3 * bool(number) :]:
                log.append_message(message)


def test_a_session_goes_on_from_its_last_compaction_and_keeps_all_that_was_said(session: Session) -> None:
    write(session, OLD, EPOCH + LATER, EPOCH + LATER[:2])
    assert load_conversation(session) == EPOCH + LATER[:2]
    log = session.log_path.read_text(encoding="ascii")
    assert log.count("Let me see.") == 1
    assert log.count('"thanks"') == 1


def test_a_session_cut_anywhere_is_in_one_epoch_or_the_other(session: Session) -> None:
    write(session, OLD)
    start = session.log_path.stat().st_size
    write(session, OLD[:0], EPOCH + LATER[:1])
    whole = session.log_path.read_bytes()
    epoch_end = start + whole[start:].index(b"\n")
    for length in (
        *range(start, epoch_end, 41),
        *range(epoch_end - 3, epoch_end + 3),
        *range(epoch_end + 3, len(whole), 41),
    ):
        session.log_path.write_bytes(whole[:length])
        found = load_conversation(session)
        assert found == (OLD if length <= epoch_end else EPOCH), length
    session.log_path.write_bytes(whole)
    assert load_conversation(session) == [*EPOCH, LATER[0], ToolMessage(CALL.id, CALL.name, INTERRUPTED)]


@pytest.mark.parametrize("messages", [None, {}, [5], [{"role": "oracle"}]])
def test_a_compaction_that_cannot_be_read_is_an_error(session: Session, messages: object) -> None:
    with Log(session.log_path) as log:
        log.append({"type": "epoch", "messages": messages})
    with pytest.raises(SessionError, match=r"cannot be read|unknown kind"):
        load_conversation(session)


def test_what_a_compaction_took_is_among_the_usages(session: Session) -> None:
    usage = Usage(9000, 700, 8960, 0.004)
    with SessionLog(session) as log:
        log.append_event(ReplyFinished(AssistantMessage("x"), Usage(10, 2)))
        log.append_event(ContextCompacted(9000, 800, "it filled 71% of the window", usage, "/tmp/t-1.txt"))
    assert load_usages(session) == [Usage(10, 2), usage]
    (*_, record) = read_log(session.log_path).records
    about = {"before": 9000, "after": 800, "reason": "it filled 71% of the window", "transcript": "/tmp/t-1.txt"}
    assert record["compaction"] == about


def test_transcripts_are_kept_one_beside_the_other_for_the_user_alone_and_without_the_key(session: Session) -> None:
    with SessionLog(session, clean=lambda text: text.replace("sk-live", "[redacted]")) as log:
        names = [log.keep_transcript(text) for text in ("the key is sk-live", "half of a pair: \udcff")]
    assert names == ["transcript-1.txt", "transcript-2.txt"]
    files = [session.outputs_folder / name for name in names]
    assert [file.read_text(encoding="utf-8") for file in files] == ["the key is [redacted]", "half of a pair: ?"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
