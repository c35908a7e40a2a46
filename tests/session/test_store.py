from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING

import pytest

from kcode.agent.tally import Tally
from kcode.errors import SessionError
from kcode.events import ReplyFinished, TextStreamed, TurnEnd, TurnFinished
from kcode.folders import make_folder
from kcode.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, Usage, UserMessage
from kcode.session.log import Log, read_log
from kcode.session.records import INTERRUPTED
from kcode.session.store import (
    Session,
    SessionLog,
    create_session,
    find_session,
    last_session,
    list_sessions,
    load_conversation,
    load_usages,
    prune_sessions,
)

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.messages import Message

NOW = datetime(2026, 11, 23, 15, 4, 5, 250_000, tzinfo=UTC)
CALL = ToolCall("run_tests:0", "run_tests", "{}")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "kcode"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def begin(state: Path, workspace: Path, now: datetime = NOW, *, draft: bool = False, age: float = 0) -> Session:
    """A session that began at `now` and was last written to `age` days before it."""
    session = create_session(state, workspace, now, version="0.1.0", command="fix", model="k2", endpoint="moonshot")
    if draft:
        make_folder(session.draft_folder)
    written = (now - timedelta(days=age)).timestamp()
    for path in (session.log_path, session.folder):
        os.utime(path, (written, written))
    return session


def test_a_session_has_a_private_folder_with_a_log(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    assert session.id == "20261123-150405-4000"
    assert session.folder == state / "sessions" / session.id
    for path in (session.folder, session.outputs_folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(session.log_path.stat().st_mode) == 0o600
    assert not session.draft_folder.exists()
    (start,) = read_log(session.log_path).records
    assert start == {
        "type": "session", "format": 1, "id": session.id, "workspace": str(workspace), "version": "0.1.0", "command": "fix",
        "model": "k2", "endpoint": "moonshot", "time": start["time"],
    }  # fmt: skip
    assert datetime.fromisoformat(start["time"]) == NOW


def test_sessions_of_one_moment_sort_in_the_order_of_their_start(state: Path, workspace: Path) -> None:
    sessions = [begin(state, workspace) for _ in range(5)]
    assert list_sessions(state) == sessions[::-1]
    begin(state, workspace, NOW + timedelta(milliseconds=1))
    assert list_sessions(state)[1:] == sessions[::-1]


def test_an_id_sorts_by_time_wherever_the_clock_stands(state: Path, workspace: Path) -> None:
    first = begin(state, workspace, NOW)
    second = begin(state, workspace, (NOW + timedelta(hours=1)).astimezone())
    assert list_sessions(state) == [second, first]


def test_the_last_session_is_the_newest_one_here_with_a_draft(state: Path, workspace: Path, tmp_path: Path) -> None:
    assert last_session(state, workspace) is None
    begin(state, workspace, draft=True)
    wanted = begin(state, workspace, draft=True)
    begin(state, workspace)
    begin(state, tmp_path / "elsewhere", draft=True)
    assert last_session(state, workspace) == wanted
    assert last_session(state, tmp_path / "nowhere") is None
    assert len(list_sessions(state)) == 4
    assert len(list_sessions(state, workspace)) == 3


def test_a_workspace_whose_name_is_not_utf8_is_found_again(state: Path, tmp_path: Path) -> None:
    workspace = tmp_path / os.fsdecode(b"caf\xe9 \xe2\x98\x83")
    session = begin(state, workspace, draft=True)
    assert last_session(state, workspace) == session


def test_what_is_no_session_is_passed_over(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    (state / "sessions" / "notes").mkdir()
    (state / "sessions" / "20261123-150405-zzzz").mkdir()
    make_folder(state / "sessions" / "20261123-150406-0000")
    damaged = begin(state, workspace)
    damaged.log_path.write_bytes(b"\0" * 100)
    assert list_sessions(state) == [session]


def test_a_session_is_found_by_the_start_of_its_id(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    other = begin(state, workspace, NOW + timedelta(days=1))
    assert find_session(state, session.id) == session
    assert find_session(state, "20261124") == other
    with pytest.raises(SessionError, match="More than one session starts with '202611'"):
        find_session(state, "202611")
    for unknown in ("2025", "", "../sessions"):
        with pytest.raises(SessionError, match="There is no session"):
            find_session(state, unknown)


def test_a_conversation_is_read_back(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    said: list[Message] = [
        SystemMessage("You are Kimi."),
        UserMessage("fix \udcff"),
        AssistantMessage("", "Let me see.", (CALL,)),
        ToolMessage(CALL.id, CALL.name, "1 failed"),
        AssistantMessage("Done.", ""),
    ]
    with SessionLog(session, lambda: NOW) as log:
        for message in said:
            log.append_message(message)
        log.append_event(ReplyFinished(AssistantMessage("x"), Usage(10, 2)))
        log.append_event(TextStreamed("only for the screen"))
        log.append_event(TurnFinished(TurnEnd.DONE, "Done.", Usage(10, 2), 2))
        log.append_decision("applied", ["a.py"], ["h1"])
    assert load_conversation(session) == said
    kinds = [record["type"] for record in read_log(session.log_path).records]
    assert kinds == ["session", *["message"] * 5, "usage", "turn_finished", "decision"]


def test_what_a_session_took_is_read_back_also_from_an_older_log(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    first, second = Usage(100, 10, 64, 0.25, 5, True), Usage(200, 20, 128, 0.5, 15)
    with SessionLog(session) as log:
        log.append_event(ReplyFinished(AssistantMessage("x"), first))
        log.append_event(TurnFinished(TurnEnd.DONE, "Done.", first, 1))
        log.append_event(ReplyFinished(AssistantMessage("cut off in its turn"), second))
    assert load_usages(session) == [first, second]
    assert reduce(Tally.with_reply, load_usages(session), Tally()) == Tally(2, Usage(300, 30, 192, 0.75, 20, True))
    old = {"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 4, "cost": None}
    with Log(session.log_path) as lower:
        lower.append({"type": "usage"} | old | {"time": "2026-01-01"})
        lower.append({"type": "usage", "invented_later": 1} | old)
    assert load_usages(session)[2:] == [Usage(10, 2, 4)] * 2


def test_what_is_kept_is_cleaned_first_in_every_text_of_it(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    call = ToolCall("1", "write_file", '{"path": "a", "content": "sk-live"}')
    with SessionLog(session, clean=lambda text: text.replace("sk-live", "[redacted]")) as log:
        log.append_message(AssistantMessage("It is sk-live", "sk-live?", (call,)))
        log.append_message(ToolMessage(call.id, call.name, "wrote sk-live"))
        log.append_event(TurnFinished(TurnEnd.DONE, "sk-live", Usage(), 1))
    assert b"sk-live" not in session.log_path.read_bytes()
    reply = load_conversation(session)[0]
    assert isinstance(reply, AssistantMessage)
    assert reply.tool_calls[0].arguments == '{"path": "a", "content": "[redacted]"}'


def test_a_conversation_cut_anywhere_can_go_on(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    reply = AssistantMessage("", "Let me see.", (CALL,))
    with SessionLog(session) as log:
        for message in (UserMessage("fix it"), reply, ToolMessage(CALL.id, CALL.name, "1 failed")):
            log.append_message(message)
    whole = session.log_path.read_bytes()
    second_last = len(b"".join(whole.splitlines(keepends=True)[:3]))
    for length in range(second_last, len(whole)):
        session.log_path.write_bytes(whole[:length])
        conversation = load_conversation(session)
        assert conversation == [UserMessage("fix it"), reply, ToolMessage(CALL.id, CALL.name, INTERRUPTED)]
        with SessionLog(session) as log:
            log.append_message(UserMessage("go on"))
        assert load_conversation(session) == [*conversation, UserMessage("go on")]


def test_a_damaged_log_is_kept_beside_the_repaired_one(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    with SessionLog(session) as log:
        log.append_message(UserMessage("one"))
        log.append_message(UserMessage("two"))
    damaged = session.log_path.read_bytes().replace(b"one", b"0ne")
    session.log_path.write_bytes(damaged)
    assert load_conversation(session) == [UserMessage("two")]
    assert (session.folder / "log.damaged-1").read_bytes() == damaged
    assert read_log(session.log_path).damage == ()


def test_a_session_of_a_newer_kcode_is_an_error(state: Path, workspace: Path) -> None:
    session = begin(state, workspace)
    with Log(session.log_path) as log:
        log.append({"type": "a record from the future"})
        log.append({"type": "message", "message": {"role": "user", "text": "x"}})
    assert load_conversation(session) == [UserMessage("x")]
    with Log(session.log_path) as log:
        log.append({"type": "session", "format": 2})
    with pytest.raises(SessionError, match="written by a newer kcode"):
        load_conversation(session)


def test_a_session_that_was_deleted_meanwhile_is_an_error(state: Path, workspace: Path) -> None:
    session = Session("20261123-150405-0000", state / "sessions" / "20261123-150405-0000", workspace)
    with pytest.raises(SessionError, match="cannot be read"):
        load_conversation(session)
    with pytest.raises(SessionError, match="cannot be opened"):
        SessionLog(session)


def test_a_state_folder_that_cannot_serve_is_an_error(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SessionError, match="XDG_STATE_HOME"):
        begin(tmp_path / "file", workspace)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "sessions").touch()
    with pytest.raises(SessionError, match="is in the way"):
        begin(tmp_path / "state", workspace)
    with pytest.raises(SessionError, match="cannot be listed"):
        list_sessions(tmp_path / "state")
    assert list_sessions(tmp_path / "missing") == []


def test_old_sessions_are_pruned_but_what_is_needed_stays(state: Path, workspace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    last_elsewhere_with_a_draft = begin(state, elsewhere, NOW - timedelta(days=900), draft=True)
    last_elsewhere = begin(state, elsewhere, NOW - timedelta(days=800))
    old = [begin(state, workspace, NOW - timedelta(days=100 + n), draft=True) for n in range(3)]
    long_lived = begin(state, workspace, NOW - timedelta(days=90))
    os.utime(long_lived.log_path, (NOW.timestamp(), NOW.timestamp()))
    recent = [begin(state, workspace, NOW - timedelta(days=n, hours=1), draft=True) for n in range(40)]

    removed = prune_sessions(state, NOW)
    assert sorted(removed) == sorted(session.id for session in [*old, *recent[30:]])
    left = {session.id for session in list_sessions(state)}
    assert left == {s.id for s in [last_elsewhere_with_a_draft, last_elsewhere, long_lived, *recent[:30]]}
    assert prune_sessions(state, NOW) == []


def test_the_newest_sessions_stay_however_old_they_are(state: Path, workspace: Path) -> None:
    sessions = [begin(state, workspace, NOW - timedelta(days=365 + n)) for n in range(5)]
    assert prune_sessions(state, NOW, keep=3) == [sessions[3].id, sessions[4].id]


def test_only_folders_that_kcode_made_are_pruned(state: Path, workspace: Path, tmp_path: Path) -> None:
    begin(state, workspace)
    unmarked = state / "sessions" / "20200101-000000-0000"
    unmarked.mkdir()
    (tmp_path / "target").mkdir()
    link = state / "sessions" / "20200101-000000-0001"
    link.symlink_to(make_folder(tmp_path / "target"))
    abandoned = make_folder(state / "sessions" / "20200101-000000-0002")
    for path in (unmarked, abandoned, tmp_path / "target"):
        os.utime(path, (0, 0))
    assert prune_sessions(state, NOW, keep=0) == [abandoned.name]
    assert unmarked.is_dir()
    assert link.is_symlink()
    assert (tmp_path / "target").is_dir()
