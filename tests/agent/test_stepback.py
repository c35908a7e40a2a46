from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcode.agent.reviewing import review_of
from kcode.agent.stepback import redo_turn, turns_of, undo_turn
from kcode.draft.journal import undo
from kcode.draft.review import Decision, comment, decide
from kcode.errors import SessionError
from kcode.events import TurnRedone, TurnUndone
from kcode.headless.review import apply_words
from kcode.messages import UserMessage
from kcode.session.history import read_history
from kcode.session.store import load_conversation
from tests.agent.sittings import Sittings, begin_sittings, edit, write


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


FIRST = edit(0, "a.py", "one = 1", "one = 11")
SECOND = (edit(1, "a.py", "one = 11", "one = 111"), write(2, "c.py", "c = 3\n"))


def test_a_turn_is_taken_back_whole_and_comes_back_whole(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        before, drafted = sitting.messages, sitting.drafted()
        sitting.say("second", *SECOND)
        after, later = sitting.messages, sitting.drafted()
        assert later == {"a.py": "one = 111\n", "c.py": "c = 3\n"}
        assert undo_turn(sitting.bench) == TurnUndone("second")
        assert (sitting.messages, sitting.drafted()) == (before, drafted)
        assert redo_turn(sitting.bench) == TurnRedone("second")
        assert (sitting.messages, sitting.drafted()) == (after, later)
        assert redo_turn(sitting.bench) is None


def test_the_next_request_begins_with_what_was_there_before_the_undone_turn(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        begun = sitting.messages
        sitting.say("second", *SECOND)
        undo_turn(sitting.bench)
        (request,) = sitting.say("other words")
        assert all(one is other for one, other in zip(begun, request, strict=False))
        assert request[len(begun)].text == "other words"


def test_all_turns_can_be_undone_one_after_the_other_and_redone(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        states = [(sitting.messages, sitting.drafted())]
        for words, replies in (("first", (FIRST,)), ("second", SECOND), ("third", ())):
            sitting.say(words, *replies)
            states.append((sitting.messages, sitting.drafted()))
        for words, state in (("third", states[2]), ("second", states[1]), ("first", states[0])):
            assert undo_turn(sitting.bench) == TurnUndone(words)
            assert (sitting.messages, sitting.drafted()) == state
        assert undo_turn(sitting.bench) is None
        for words, state in (("first", states[1]), ("second", states[2]), ("third", states[3])):
            assert redo_turn(sitting.bench) == TurnRedone(words)
            assert (sitting.messages, sitting.drafted()) == state


def test_what_was_said_since_ends_what_can_be_redone(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        undo_turn(sitting.bench)
        sitting.say("other")
        assert redo_turn(sitting.bench) is None
        assert [(turn.words, turn.is_undone) for turn in turns_of(sitting.bench).all] == [
            ("first", True),
            ("other", False),
        ]
        assert undo_turn(sitting.bench) == TurnUndone("other")
        assert undo_turn(sitting.bench) is None


def test_it_holds_over_runs(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        before, drafted = sitting.messages, sitting.drafted()
        sitting.say("second", *SECOND)
    with sittings.sit(sitting.id) as again:
        undo_turn(again.bench)
    with sittings.sit(sitting.id) as later:
        assert (later.messages, later.drafted()) == (before, drafted)
        assert redo_turn(later.bench) == TurnRedone("second")
        assert later.drafted() == {"a.py": "one = 111\n", "c.py": "c = 3\n"}


def test_the_log_keeps_what_was_undone(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        sitting.say("second", *SECOND)
        undo_turn(sitting.bench)
        history = read_history(sitting.bench.session)
        assert history[-1] == TurnUndone("second")
        assert UserMessage("second") in history
        assert load_conversation(sitting.bench.session) == sitting.messages


def test_what_the_user_applied_stays_applied_and_is_named(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        sitting.say("second", *SECOND)
        review = review_of(sitting.bench)
        review.carry_out(apply=review.look().decisions, reject=frozenset())
        assert undo_turn(sitting.bench) == TurnUndone("second", ("a.py", "c.py"))
        assert sitting.drafted() == {}
        assert sittings.read("a.py") == "one = 111\n"
        assert sittings.read("c.py") == "c = 3\n"
        redo_turn(sitting.bench)
        assert sitting.drafted() == {}


def test_what_was_applied_and_undone_is_not_said_to_stay(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        sitting.say("second", *SECOND)
        review = review_of(sitting.bench)
        review.carry_out(apply=review.look().decisions, reject=frozenset())
        undo(sitting.bench.workspace, sitting.bench.place.journal)
        assert undo_turn(sitting.bench) == TurnUndone("second")
        assert sitting.drafted() == {"a.py": "one = 11\n"}
        assert sittings.read("a.py") == "one = 1\n"


def test_decisions_that_went_with_the_undone_message_are_still_told(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
        review = review_of(sitting.bench)
        (key,) = review.look().decisions
        review.keep(comment(decide(review.review, [key], Decision.REJECTED), key, "one stays one"))
        sitting.say("second", write(2, "c.py", "c = 3\n"))
        assert undo_turn(sitting.bench) == TurnUndone("second")
        assert sitting.drafted() == {}
        (request,) = sitting.say("third")
        told = [message.text for message in request if "one stays one" in message.text]
        assert len(told) == 1
        assert told[0].startswith("Note from kcode, not from the user: the user decided")


def test_a_steered_turn_is_one_turn(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        before = sitting.messages
        sitting.bench.waiting.put("and this")
        sitting.say("first", FIRST)
        assert [turn.words for turn in turns_of(sitting.bench).all] == ["first"]
        undo_turn(sitting.bench)
        assert sitting.messages == before


def test_a_turn_of_an_older_kcode_is_not_undone(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("first", FIRST)
    path = sitting.bench.session.log_path
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if b'{"type":"turn",' not in line]
    path.write_bytes(b"".join(lines))
    with sittings.sit(sitting.id) as again:
        assert [(turn.words, turn.draft) for turn in turns_of(again.bench).all] == [("first", None)]
        with pytest.raises(SessionError, match="older kcode"):
            undo_turn(again.bench)
        again.say("second", *SECOND)
        assert undo_turn(again.bench) == TurnUndone("second")
        assert again.drafted() == {"a.py": "one = 11\n"}


def test_what_another_process_applied_is_named_too(sittings: Sittings, monkeypatch: pytest.MonkeyPatch) -> None:
    with sittings.sit() as sitting, Path("/dev/null").open(encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        sitting.say("first", FIRST)
        assert apply_words(sittings.options, (), pick=False) == 0
        assert undo_turn(sitting.bench) == TurnUndone("first", ("a.py",))
    assert sittings.read("a.py") == "one = 11\n"


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(st.sampled_from(["say", "say", "undo", "redo", "reopen"]), max_size=8))
def test_whatever_is_said_undone_and_redone_nothing_is_mixed_up(sittings: Sittings, steps: list[str]) -> None:
    """Beside a plain model of it: a list of states, and a place in it."""
    with ExitStack() as stack:
        sitting = stack.enter_context(sittings.sit())
        states, at = [(sitting.messages, sitting.drafted())], 0
        for number, step in enumerate(steps):
            match step:
                case "say":
                    text = "".join(f"line {n}\n" for n in range(20))
                    before = sitting.drafted().get("notes.txt", text)
                    line = f"line {number}\n"
                    assert line in before
                    sitting.say(f"say {number}", edit(number, "notes.txt", line, f"LINE {number}\n"))
                    at += 1
                    states[at:] = [(sitting.messages, sitting.drafted())]
                case "undo":
                    assert (undo_turn(sitting.bench) is not None) == (at > 0)
                    at = max(at - 1, 0)
                case "redo":
                    assert (redo_turn(sitting.bench) is not None) == (at < len(states) - 1)
                    at = min(at + 1, len(states) - 1)
                case "reopen":
                    stack.close()
                    sitting = stack.enter_context(sittings.sit(sitting.id))
            assert (sitting.messages, sitting.drafted()) == states[at]
