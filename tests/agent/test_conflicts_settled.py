"""Conflicts with what the user wrote meanwhile end once the user decided: rejected, edited, or proposed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.agent.reviewing import PendingReview, review_of
from kcode.draft.linediff import split_lines
from kcode.draft.review import edit as edit_hunk
from tests.agent.sittings import Sitting, Sittings, begin_sittings, edit
from tests.repositories import text_file

if TYPE_CHECKING:
    from pathlib import Path

LINES = [f"line {number}\n" for number in range(20)]


def notes(**changed: str) -> str:
    return "".join(changed.get(f"l{number}", line) for number, line in enumerate(LINES))


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


def begin_conflict(sitting: Sitting, sittings: Sittings, *numbers: int) -> PendingReview:
    """The model changes some lines and line 15, the user then the same lines and line 1."""
    replies = [edit(n, "notes.txt", f"line {n}\n", f"model {n}\n") for n in (*numbers, 15)]
    sitting.say("change them", *replies)
    mine = {f"l{n}": f"mine {n}\n" for n in (1, *numbers)}
    (sittings.root / "notes.txt").write_text(notes(**mine))
    review = review_of(sitting.bench)
    assert len(review.look().proposal.conflicts) == len(numbers)
    return review


def keys_with(review: PendingReview, text: str) -> frozenset[str]:
    hunks = [hunk for change in review.look(anew=True).proposal.changes for hunk in change.hunks]
    return frozenset(hunk.id for hunk in hunks if text in b"".join(hunk.new_lines).decode())


def edit_conflict(review: PendingReview, text: str, lines: str) -> str:
    """Have other lines for the hunk that proposes this text; its key."""
    (key,) = keys_with(review, text)
    change = review.look().proposal.changes[0]
    hunk = next(one for one in change.hunks if one.id == key)
    review.keep(edit_hunk(review.review, change, hunk, split_lines(lines.encode())))
    return key


def test_what_the_model_makes_of_the_users_lines_after_a_rejection_is_no_conflict(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review = begin_conflict(sitting, sittings, 5)
        review.carry_out(apply=(), reject=keys_with(review, "model 5"))
        sitting.say("again, from mine", edit(6, "notes.txt", "mine 5\n", "mine 5, better\n"))
        review = review_of(sitting.bench)
        view = review.look()
        assert not view.proposal.conflicts
        review.carry_out(apply=view.decisions.keys(), reject=())
        assert sittings.read("notes.txt") == notes(l1="mine 1\n", l5="mine 5, better\n", l15="model 15\n")


def test_once_a_conflict_is_rejected_the_user_may_change_the_line_again(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review = begin_conflict(sitting, sittings, 5)
        review.carry_out(apply=(), reject=keys_with(review, "model 5"))
        (sittings.root / "notes.txt").write_text(notes(l1="mine 1\n", l5="mine once more\n"))
        view = review.look(anew=True)
        assert not view.proposal.conflicts
        assert sitting.drafted() == {"notes.txt": notes(l1="mine 1\n", l5="mine once more\n", l15="model 15\n")}


def test_a_conflict_that_the_user_edited_is_one_no_more_and_is_written(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review = begin_conflict(sitting, sittings, 5)
        key = edit_conflict(review, "model 5", "both 5\n")
        assert not review.look().proposal.conflicts
        review.carry_out(apply={key}, reject=())
        assert sittings.read("notes.txt") == notes(l1="mine 1\n", l5="both 5\n")
        assert sitting.drafted() == {"notes.txt": notes(l1="mine 1\n", l5="both 5\n", l15="model 15\n")}
        assert not review.look(anew=True).proposal.conflicts


def test_an_edited_conflict_stays_settled_when_only_the_draft_takes_it(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review = begin_conflict(sitting, sittings, 5)
        edit_conflict(review, "model 5", "both 5\n")
        sitting.say("go on")
        review = review_of(sitting.bench)
        assert not review.look().proposal.conflicts
        review.carry_out(apply=review.look().decisions.keys(), reject=())
        assert sittings.read("notes.txt") == notes(l1="mine 1\n", l5="both 5\n", l15="model 15\n")


@pytest.mark.parametrize("rejects", [True, False])
def test_of_two_conflicts_one_is_settled_and_the_other_stays(sittings: Sittings, rejects: bool) -> None:
    with sittings.sit() as sitting:
        review = begin_conflict(sitting, sittings, 5, 9)
        if rejects:
            review.carry_out(apply=(), reject=keys_with(review, "model 5"))
            mine = notes(l1="mine 1\n", l5="mine 5\n", l9="mine 9\n")
        else:
            review.carry_out(apply={edit_conflict(review, "model 5", "both 5\n")}, reject=())
            mine = notes(l1="mine 1\n", l5="both 5\n", l9="mine 9\n")
        assert sittings.read("notes.txt") == mine
        assert review.look(anew=True).proposal.conflicts == keys_with(review, "model 9")
        assert len(review.look().decisions) == 2
        review.carry_out(apply={edit_conflict(review, "model 9", "both 9\n")}, reject=())
        assert sittings.read("notes.txt") == mine.replace("mine 9", "both 9")


def test_a_rejected_conflict_that_is_brought_back_is_one_again(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review = begin_conflict(sitting, sittings, 5)
        view = review.look()
        conflicts, keys = view.proposal.conflicts, view.decisions.keys()
        review.carry_out(apply=(), reject=keys_with(review, "model 5"))
        assert review.take_back_rejection() == ["notes.txt"]
        view = review.look(anew=True)
        assert (view.proposal.conflicts, view.decisions.keys()) == (conflicts, keys)
        assert sittings.read("notes.txt") == notes(l1="mine 1\n", l5="mine 5\n")


def test_what_the_model_edits_where_the_draft_is_as_the_users_file_is_no_conflict(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("change it", edit(5, "notes.txt", "line 5\n", "model 5\n"))
        (sittings.root / "notes.txt").write_text(notes(l5="model 5\n"))
        sitting.say("again", edit(6, "notes.txt", "model 5\n", "model 5, better\n"))
        assert not review_of(sitting.bench).look().proposal.conflicts
        assert not any(change.before == text_file(notes()) for change in sitting.bench.view.draft.changes())
