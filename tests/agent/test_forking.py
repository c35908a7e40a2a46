from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.agent.forking import fork_session
from kcode.agent.reviewing import review_of
from kcode.agent.sessions import list_sessions
from kcode.agent.stepback import redo_turn, turns_of, undo_turn
from kcode.draft.review import Decision, decide
from kcode.errors import DraftError, SessionError
from kcode.events import TurnUndone
from kcode.messages import AssistantMessage, ToolCall, UserMessage
from kcode.session.history import read_history
from tests.agent.sittings import Sittings, begin_sittings, edit, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


FIRST = edit(0, "a.py", "one = 1", "one = 11")
SECOND = (edit(1, "a.py", "one = 11", "one = 111"), write(2, "c.py", "c = 3\n"))


def test_a_fork_goes_on_from_the_present_and_the_original_stays(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first", FIRST)
        review = review_of(original.bench)
        review.keep(decide(review.review, review.look().decisions, Decision.ACCEPTED))
        fork = fork_session(sittings.place, original.id)
        with sittings.sit(fork.id) as forked:
            assert forked.messages == original.messages
            assert forked.drafted() == {"a.py": "one = 11\n"}
            assert set(review_of(forked.bench).look().decisions.values()) == {Decision.ACCEPTED}
            forked.say("elsewhere", *SECOND)
        assert original.drafted() == {"a.py": "one = 11\n"}
        assert len(original.messages) < len(forked.messages)


def test_at_a_message_the_fork_has_the_conversation_and_the_draft_from_before_it(sittings: Sittings) -> None:
    with sittings.sit() as original:
        states = []
        for words, replies in (("first", (FIRST,)), ("second", SECOND), ("third", ())):
            states.append((original.messages, original.drafted()))
            original.say(words, *replies)
    for at, state in enumerate(states, 1):
        with sittings.sit(fork_session(sittings.place, original.id, at).id) as forked:
            assert (forked.messages, forked.drafted()) == state
            (request,) = forked.say(f"other words {at}")
            assert request[len(state[0])] == UserMessage(f"other words {at}")


def test_a_fork_can_step_back_further_and_forth_again(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first", FIRST)
        before, drafted = original.messages, original.drafted()
        original.say("second", *SECOND)
        original.say("third")
    with sittings.sit(fork_session(sittings.place, original.id, 3).id) as forked:
        assert undo_turn(forked.bench) == TurnUndone("second")
        assert (forked.messages, forked.drafted()) == (before, drafted)
        assert redo_turn(forked.bench) is not None
        assert forked.drafted() == {"a.py": "one = 111\n", "c.py": "c = 3\n"}


def test_each_hunk_of_a_fork_still_tells_what_led_to_it(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first", FIRST)
        original.say("second")
    with sittings.sit(fork_session(sittings.place, original.id, 2).id) as forked:
        review = review_of(forked.bench)
        (facts,) = review.facts(review.look())
        ((version, step),) = review.steps(facts)
        assert version.by == "edit_file"
        assert step is not None
        assert step.reasoning == "I think of step 0."


def test_a_fork_costs_nothing_yet_and_shows_where_it_comes_from(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("Please change a", FIRST)
    fork = fork_session(sittings.place, original.id)
    first, second = list_sessions(sittings.place)
    assert (first.id, first.title, first.cost, first.turns) == (fork.id, "Please change a (fork)", 0.0, 1)
    assert second.title == "Please change a"
    assert second.cost == pytest.approx(0.02)
    with sittings.sit(fork.id) as forked:
        assert forked.bench.spent.usage.cost == 0.0
        forked.say("more")
        assert forked.bench.spent.steps == 1


def test_the_outputs_that_the_conversation_names_come_along(sittings: Sittings) -> None:
    call = ToolCall("functions.run_command:0", "run_command", '{"command": "seq 20000"}')
    with sittings.sit() as original:
        original.say("count", AssistantMessage("", "I look.", (call,)))
    fork = fork_session(sittings.place, original.id)
    outputs = {path.name: path.read_bytes() for path in fork.outputs_folder.glob("*.txt")}
    assert outputs
    assert outputs == {path.name: path.read_bytes() for path in original.bench.session.outputs_folder.glob("*.txt")}


def test_what_the_user_wrote_since_stays_and_is_merged(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first", edit(0, "notes.txt", "line 3\n", "LINE 3\n"))
        original.say("second")
    notes = sittings.root / "notes.txt"
    notes.write_text(notes.read_text().replace("line 15\n", "mine\n"))
    with sittings.sit(fork_session(sittings.place, original.id, 2).id) as forked:
        text = forked.drafted()["notes.txt"]
        assert "LINE 3\n" in text
        assert "mine\n" in text


def test_a_turn_that_is_not_there_is_an_error(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first")
    for at in (0, 2):
        with pytest.raises(SessionError, match="has 1 turn,"):
            fork_session(sittings.place, original.id, at)


def test_the_whole_history_is_in_the_fork(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first", FIRST)
        original.say("second", *SECOND)
        undo_turn(original.bench)
    fork = fork_session(sittings.place, original.id)
    assert read_history(fork) == read_history(original.bench.session)
    with sittings.sit(fork.id) as forked:
        assert forked.messages == original.messages
        assert [turn.is_undone for turn in turns_of(forked.bench).all] == [False, True]


def test_a_fork_that_fails_leaves_nothing_behind(sittings: Sittings) -> None:
    with sittings.sit() as original:
        original.say("first", FIRST)
        original.say("second", *SECOND)
    (turn,) = [turn for turn in turns_of(original.bench).all if turn.words == "second"]
    (original.bench.session.draft_folder / "base" / str(turn.draft)).unlink()
    before = sorted((sittings.place.state / "sessions").iterdir())
    with pytest.raises(DraftError, match="Nothing was done"):
        fork_session(sittings.place, original.id, 2)
    assert sorted((sittings.place.state / "sessions").iterdir()) == before
    with sittings.sit(fork_session(sittings.place, original.id).id) as forked:
        assert forked.drafted() == {"a.py": "one = 111\n", "c.py": "c = 3\n"}
