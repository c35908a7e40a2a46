from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from kcode.agent.reviewing import open_review, review_of
from kcode.draft.review import Decision, comment, decide
from kcode.errors import SessionError
from kcode.messages import AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from kcode.session.log import read_log
from kcode.session.records import INTERRUPTED, encode_message
from kcode.session.store import SessionLog, load_conversation
from tests.agent.sittings import begin_sittings, edit, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.agent.sittings import Sittings


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


def test_a_conversation_goes_on_where_it_ended(sittings: Sittings) -> None:
    with sittings.sit() as first:
        requests = first.say("change a", edit(0, "a.py", "one = 1", "one = 11"))
    with sittings.sit(first.id) as second:
        assert second.id == first.id
        assert second.messages == first.messages
        again = second.say("and b")
    assert again[0][: len(requests[-1])] == requests[-1]
    assert again[0][-1] == UserMessage("and b")
    assert [message.reasoning for message in again[0] if isinstance(message, AssistantMessage)] == [
        "I think of step 0.",
        "That was all.",
    ]
    assert load_conversation(second.bench.session) == second.messages


def test_what_is_pending_is_there_again_with_its_decisions_and_comments(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("change both", edit(0, "a.py", "one = 1", "one = 11"), edit(1, "b.py", "two = 2", "two = 22"))
        review = review_of(first.bench)
        keys = list(review.look().decisions)
        review.keep(comment(decide(review.review, [keys[1]], Decision.REJECTED), keys[1], "two is two"))
    with sittings.sit(first.id) as second:
        assert second.drafted() == {"a.py": "one = 11\n", "b.py": "two = 22\n"}
        view = review_of(second.bench).look()
        assert view.decisions == {keys[0]: Decision.PENDING, keys[1]: Decision.REJECTED}
        (request,) = second.say("go on")
        assert isinstance(request[-1], UserMessage)
        assert "two is two" in request[-1].text
        assert second.drafted() == {"a.py": "one = 11\n"}
    assert sittings.read("a.py") == "one = 1\n"


def test_a_draft_that_is_only_looked_at_stays(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("change a", edit(0, "a.py", "one = 1", "one = 11"))
    for _ in range(2):
        with sittings.sit(first.id) as again:
            assert again.drafted() == {"a.py": "one = 11\n"}
    assert again.bench.session.draft_folder.is_dir()


def test_commands_and_edits_go_on_in_the_same_draft(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("make c", write(0, "c.py", "c = 3\n"))
    with sittings.sit(first.id) as second:
        second.say("change c", edit(1, "c.py", "c = 3", "c = 33"))
        assert second.drafted() == {"c.py": "c = 33\n"}


def test_what_was_paid_is_summed_over_all_runs(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("one", edit(0, "a.py", "one = 1", "one = 11"))
        assert first.bench.spent.steps == 2
    with sittings.sit(first.id) as second:
        assert second.bench.spent == first.bench.spent
        second.say("two")
        assert second.bench.spent.steps == 3
        cost = second.bench.spent.usage.cost
    assert cost == pytest.approx(0.03)
    with sittings.sit(first.id) as third:
        assert third.bench.account().spent == second.bench.spent


def test_the_model_is_told_what_changed_since(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("hello")
    (sittings.root / "b.py").write_text("two = 'changed'\n")
    with sittings.sit(first.id) as second:
        (request,) = second.say("and now?")
    note = request[-2].text
    assert "What changed in the workspace meanwhile" in note
    assert "- b.py: changed" in note
    with sittings.sit(first.id) as third:
        (request,) = third.say("again?")
    assert "b.py" not in request[-2].text


def test_a_call_that_a_crash_left_open_is_answered_once_and_for_all(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("hello")
    torn = AssistantMessage("", "I read.", (ToolCall("functions.read_file:0", "read_file", "{}"),))
    with SessionLog(first.bench.session) as log:
        log.append_message(torn)
    for _ in range(2):
        with sittings.sit(first.id) as again:
            assert again.messages[-2:] == [torn, ToolMessage(torn.tool_calls[0].id, "read_file", INTERRUPTED)]
    kept = [record["message"] for record in read_log(first.bench.session.log_path).records if "message" in record]
    assert kept.count(encode_message(again.messages[-1])) == 1


def test_a_damaged_tail_costs_the_tail(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("hello")
    with first.bench.session.log_path.open("ab") as log:
        log.write(b'{"type":"message","mess')
    with sittings.sit(first.id) as second:
        assert second.messages == first.messages
        second.say("still there?")
    with sittings.sit(first.id) as third:
        assert third.messages == second.messages


def test_a_log_that_lost_its_first_message_begins_with_a_new_one(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("hello")
    path = first.bench.session.log_path
    path.write_bytes(path.read_bytes().replace(b'"role":"system"', b'"role":"sYstem"'))
    with sittings.sit(first.id) as second:
        assert isinstance(second.messages[0], SystemMessage)
        assert second.messages[1:] == first.messages[1:]
    assert load_conversation(first.bench.session) == second.messages


def test_a_session_that_is_open_is_refused_and_free_again_afterwards(sittings: Sittings) -> None:
    with sittings.sit() as first, pytest.raises(SessionError, match=r"open in another kcode.*sessions fork"):
        sittings.sit(first.id).__enter__()
    with sittings.sit(first.id) as second:
        assert second.id == first.id


def test_a_session_is_free_after_a_start_that_failed(sittings: Sittings) -> None:
    with sittings.sit() as first:
        pass
    script, sittings.model = sittings.model, type(sittings.model)(endpoint="nowhere")
    with pytest.raises(Exception, match="no endpoint 'nowhere'"):
        sittings.sit(first.id).__enter__()
    sittings.model = script
    with sittings.sit(first.id):
        pass


def test_another_model_goes_on_and_the_user_is_told(sittings: Sittings) -> None:
    with sittings.sit(model="kimi-k2-thinking") as first:
        first.say("hello", edit(0, "a.py", "one = 1", "one = 11"))
    with sittings.sit(first.id, model="kimi-k3") as second:
        assert any(
            "last used kimi-k2-thinking at moonshot; it goes on with kimi-k3" in one for one in second.bench.warnings
        )
        assert second.messages == first.messages
    with sittings.sit(first.id, model="kimi-k3") as third:
        assert not any("last used" in one for one in third.bench.warnings)


def test_a_draft_that_is_gone_is_told_and_the_conversation_goes_on(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("change a", edit(0, "a.py", "one = 1", "one = 11"))
    shutil.rmtree(first.bench.session.draft_folder)
    with sittings.sit(first.id) as second:
        assert any("draft of this session is gone" in warning for warning in second.bench.warnings)
        second.say("change it again", edit(1, "a.py", "one = 1", "one = 111"))
        assert second.drafted() == {"a.py": "one = 111\n"}


def test_a_draft_that_cannot_be_read_is_put_aside(sittings: Sittings) -> None:
    with sittings.sit() as first:
        first.say("change a", edit(0, "a.py", "one = 1", "one = 11"))
    (first.bench.session.draft_folder / "draft.json").write_text("{")
    with sittings.sit(first.id) as second:
        assert any("draft.unreadable" in warning for warning in second.bench.warnings)
        second.say("again", edit(1, "b.py", "two = 2", "two = 22"))
        assert second.drafted() == {"b.py": "two = 22\n"}


def test_a_session_of_another_folder_is_refused(
    sittings: Sittings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sittings.sit() as first:
        pass
    elsewhere = begin_sittings(tmp_path / "elsewhere", monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(SessionError, match=f"kcode -C {sittings.root} -r {first.id}"):
        elsewhere.sit(first.id).__enter__()


def test_the_last_session_is_the_one_that_was_used_last(sittings: Sittings) -> None:
    with sittings.sit() as old:
        old.say("change a", edit(0, "a.py", "one = 1", "one = 11"))
    with sittings.sit() as new:
        new.say("change b", edit(0, "b.py", "two = 2", "two = 22"))
    with sittings.sit(old.id):
        pass
    review = open_review(sittings.place)
    assert review is not None
    assert review.session_id == old.id


def test_outputs_of_an_earlier_run_are_not_written_over(sittings: Sittings) -> None:
    long = AssistantMessage(
        "", "I look.", (ToolCall("functions.run_command:0", "run_command", '{"command": "seq 20000"}'),)
    )
    with sittings.sit() as first:
        first.say("count", long)
    outputs = first.bench.session.outputs_folder
    kept = {path.name: path.read_bytes() for path in outputs.iterdir()}
    with sittings.sit(first.id) as second:
        second.say("count again", long)
    assert {name: (outputs / name).read_bytes() for name in kept} == kept
    assert len(list(outputs.iterdir())) > len(kept)
