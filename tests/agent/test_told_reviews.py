"""What the model is told of hunks that the user divided or edited: one status each, and which lines are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.agent.reviewing import review_of
from kcode.draft.review import Cut, comment, divide
from kcode.draft.review import edit as edit_hunk
from tests.agent.sittings import Sitting, Sittings, begin_sittings, edit

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.agent.reviewing import PendingReview


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


def divided(sitting: Sitting) -> tuple[PendingReview, list[str]]:
    """A review of one hunk with two lines, divided between them."""
    sitting.say("change it", edit(0, "notes.txt", "line 5\nline 6\n", "new 5\nnew 6\n"))
    review = review_of(sitting.bench)
    (hunk,) = review.look().proposal.changes[0].hunks
    review.keep(divide(review.review, hunk, Cut(1, 1)))
    return review, [one.id for one in review.look().proposal.changes[0].hunks]


def test_of_a_divided_hunk_it_is_told_which_lines_were_applied_and_which_are_open(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review, (first, second) = divided(sitting)
        review.carry_out(apply={first}, reject=())
        told = review.message()
    assert (
        f"hunk {first}: applied to the user's files; it is one part of a hunk that the user divided.\n"
        "This part's new lines:\n| new 5\nThey take the place of:\n| line 5\n"
    ) in told
    assert (
        f"hunk {second}: not applied, and not yet decided; it is one part of a hunk that the user divided.\n"
        "This part's new lines:\n| new 6\n"
    ) in told


def test_a_part_that_is_rejected_is_told_with_the_one_that_is_applied(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        review, (first, second) = divided(sitting)
        review.carry_out(apply={first}, reject={second})
        told = review.message()
    assert (
        "applied to the user's files; it is one part of a hunk that the user divided.\nThis part's new lines:\n| new 5\n"
        in told
    )
    assert f"hunk {second}: rejected by the user; it is one part" in told
    assert "You had proposed:\n| new 6\nThe file keeps:\n| line 6\n" in told


@pytest.mark.parametrize("applies", [True, False])
def test_an_edited_hunk_has_one_status(sittings: Sittings, applies: bool) -> None:
    with sittings.sit() as sitting:
        sitting.say("change it", edit(0, "notes.txt", "line 5\n", "new 5\n"))
        review = review_of(sitting.bench)
        change = review.look().proposal.changes[0]
        (hunk,) = change.hunks
        review.keep(comment(edit_hunk(review.review, change, hunk, [b"mine 5\n"]), hunk.id, "shorter"))
        review.carry_out(apply={hunk.id} if applies else (), reject=())
        if not applies:
            review.keep(comment(review.review, hunk.id, "much shorter"))
            (request,) = sitting.say("go on")
            told = request[-1].text
        else:
            told = review.message()
    assert told.count(f"hunk {hunk.id}") == 1
    status = "edited by the user and applied" if applies else "edited by the user, not applied yet"
    said = "shorter" if applies else "much shorter"
    assert (
        f"{status}.\nThe user's comment:\n> {said}\nYou had proposed:\n| new 5\nThe user's lines:\n| mine 5\n" in told
    )
    assert "Keep them unless the user asks for something else.\n" in told


def test_what_an_edit_of_a_changed_file_leaves_says_from_what_it_does_not_differ(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("change it", edit(0, "notes.txt", "line 5\n", "new 5\n"))
        path = sittings.root / "notes.txt"
        review = review_of(sitting.bench)
        review.carry_out(apply=review.look().decisions.keys(), reject=())
        path.write_text(path.read_text().replace("new 5\n", "new 5, and mine\n"))
        requests = sitting.say("again", edit(1, "notes.txt", "new 5, and mine\n", "newer 5\n"))
        answer = requests[-1][-1].text
    assert "Apart from the lines of your edit nothing differs from what you saw." in answer
