from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kcode.events import MessageTaken, ModelChosen, ReplyFinished, TurnStarted
from kcode.messages import AssistantMessage, SystemMessage, Usage, UserMessage
from kcode.session.log import Log, repair_log
from kcode.session.store import Session, SessionLog, create_session
from kcode.session.summary import find_by_words, summarize, summarize_sessions

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def begin(folder: Path, now: datetime = NOW, workspace: str = "work") -> Session:
    return create_session(
        folder / "state", folder / workspace, now, version="0", command="chat", model="k2", endpoint="moonshot"
    )


def say(session: Session, words: str, at: datetime = NOW, cost: float | None = 0.25) -> None:
    with SessionLog(session, lambda: at) as log:
        log.append_event(TurnStarted(f"{words} and more", words), draft="")
        log.append_message(UserMessage(f"{words} and more"))
        reply = AssistantMessage("Yes.")
        log.append_message(reply)
        log.append_event(ReplyFinished(reply, Usage(10, 2, cost=cost)))


def test_a_session_is_told_in_a_few_words(tmp_path: Path) -> None:
    session = begin(tmp_path)
    with SessionLog(session, lambda: NOW) as log:
        log.append_message(SystemMessage("You are a test."))
    say(session, "Please\n  round it", NOW + timedelta(minutes=1))
    say(session, "and again", NOW + timedelta(minutes=2))
    found = summarize(session)
    assert (found.id, found.title, found.command) == (session.id, "Please round it", "chat")
    assert (found.started, found.last_used) == (NOW, NOW + timedelta(minutes=2))
    assert (found.model, found.endpoint) == ("k2", "moonshot")
    assert (found.turns, found.messages, found.cost, found.pending_files) == (2, 4, 0.5, 0)
    assert found.words == ("Please\n  round it", "and again")


def test_what_was_typed_is_the_title_of_what_was_piped_in_too(tmp_path: Path) -> None:
    session = begin(tmp_path)
    say(session, f"<stdin>\n{'x' * 9000}\n</stdin>\n\nWhat could break?")
    found = summarize(session)
    assert found.title == f"What could break? <stdin> {'x' * 53}…"


def test_a_name_takes_the_place_of_the_first_words(tmp_path: Path) -> None:
    session = begin(tmp_path)
    assert summarize(session).title == "(nothing said yet)"
    say(session, "x" * 200)
    assert summarize(session).title == "x" * 79 + "…"
    with SessionLog(session) as log:
        log.append_name("Rounding")
    found = summarize(session)
    assert (found.title, found.last_used) == ("Rounding", NOW)
    with SessionLog(session) as log:
        log.append_name("")
    assert summarize(session).title == "x" * 79 + "…"


def test_a_cost_that_is_not_known_makes_the_sum_unknown(tmp_path: Path) -> None:
    session = begin(tmp_path)
    say(session, "one")
    say(session, "two", cost=None)
    say(session, "three")
    assert summarize(session).cost is None


def test_the_model_is_the_one_that_was_used_last(tmp_path: Path) -> None:
    session = begin(tmp_path)
    with SessionLog(session) as log:
        log.append_event(ModelChosen("k3"))
        assert summarize(session).model == "k3"
        log.append_start(command="fix", model="k4", endpoint="openrouter")
    found = summarize(session)
    assert (found.model, found.endpoint, found.command) == ("k4", "openrouter", "fix")


def test_the_log_of_an_older_kcode_is_counted_by_its_messages(tmp_path: Path) -> None:
    session = begin(tmp_path)
    with SessionLog(session) as log:
        log.append_message(UserMessage("Note from kcode, not from the user: this is what kcode found."))
        log.append_message(UserMessage("the first"))
        log.append_message(AssistantMessage("Yes."))
    say(session, "the second")
    with SessionLog(session) as log:
        log.append_message(UserMessage("steered"))
        log.append_event(MessageTaken("steered"))
    found = summarize(session)
    assert (found.title, found.turns, found.words) == ("the first", 2, ("the first", "the second", "steered"))


def test_only_what_is_new_is_read_again_and_the_result_is_the_same(tmp_path: Path) -> None:
    session = begin(tmp_path)
    say(session, "one")
    assert summarize(session).turns == 1
    kept = json.loads((session.folder / "summary.json").read_bytes())
    assert kept["offset"] == session.log_path.stat().st_size
    say(session, "two")
    with session.log_path.open("ab") as log:
        log.write(b'{"type":"turn","words":"thr')
    grown = summarize(session)
    (session.folder / "summary.json").unlink()
    assert summarize(session) == grown
    assert grown.words == ("one", "two")


def test_a_log_that_was_repaired_is_counted_anew(tmp_path: Path) -> None:
    session = begin(tmp_path)
    say(session, "one")
    with session.log_path.open("ab") as log:
        log.write(b"damage\n")
    summarize(session)
    repair_log(session.log_path)
    with Log(session.log_path) as log:
        log.append({"type": "turn", "words": "two"})
    assert summarize(session).words == ("one", "two")


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"version": 1}', b'{"version": 9, "inode": 1, "offset": 0}'])
def test_a_damaged_cache_costs_nothing(tmp_path: Path, damage: bytes) -> None:
    session = begin(tmp_path)
    say(session, "one")
    found = summarize(session)
    (session.folder / "summary.json").write_bytes(damage)
    assert summarize(session) == found


def test_the_list_begins_with_what_was_used_last(tmp_path: Path) -> None:
    old, new = begin(tmp_path), begin(tmp_path, NOW + timedelta(hours=1))
    begin(tmp_path, workspace="elsewhere")
    say(new, "new", NOW + timedelta(hours=1))
    say(old, "old", NOW + timedelta(hours=2))
    broken = begin(tmp_path)
    broken.log_path.unlink()
    assert [one.id for one in summarize_sessions(tmp_path / "state", tmp_path / "work")] == [old.id, new.id]
    assert len(summarize_sessions(tmp_path / "state")) == 3


def test_words_are_found_in_titles_and_messages_in_any_case(tmp_path: Path) -> None:
    first, second = begin(tmp_path), begin(tmp_path)
    say(first, "Fix the Parser")
    say(first, "and the ÜBERLAUF")
    say(second, "explain the parser")
    found = summarize_sessions(tmp_path / "state")
    assert {one.id for one in find_by_words(found, ["parser"])} == {first.id, second.id}
    assert [one.id for one in find_by_words(found, ["PARSER", "überlauf"])] == [first.id]
    assert find_by_words(found, ["parser", "lexer"]) == []
