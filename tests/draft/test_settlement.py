"""Carrying out a review: what is written, what the draft keeps, what the model is told, what is kept on the disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, Change, Proposal
from kcode.draft.hunks import propose, single_paths
from kcode.draft.outcome import tell_model
from kcode.draft.review import (
    Cut,
    Review,
    comment,
    divide,
    edit,
    reviewed,
)
from kcode.draft.reviewfile import load_review, save_review
from kcode.draft.selection import keys_of
from kcode.draft.settlement import settle, untold_comments, with_all_told
from tests.draft.reviews import (
    PENDING,
    act_on,
    acted,
    hunk_of,
    numbered,
    proposal_of,
    rule,
    ten_lines,
    text,
    texts,
)

if TYPE_CHECKING:
    from pathlib import Path


@given(texts, texts, st.data())
def test_what_is_settled_goes_and_the_rest_stays_with_its_ids(before: bytes, after: bytes, data: st.DataObject) -> None:
    """Over several rounds: the workspace gets the applied hunks, the draft loses the rejected ones."""
    workspace, drafted, review = before, after, Review()
    for _ in range(3):
        proposal = proposal_of(f=(workspace, drafted))
        for _ in range(data.draw(st.integers(0, 3))):
            review = act_on(proposal, review, data)
        view = reviewed(proposal, review)
        keys = sorted(view.decisions)
        fate = {key: data.draw(st.sampled_from(["apply", "reject", "stay"])) for key in keys}
        apply = {key for key in keys if fate[key] == "apply"}
        reject = {key for key in keys if fate[key] == "reject"}
        (change,) = view.proposal.changes or (None,)
        expected = (
            (rule(change, apply), rule(change, set(keys) - reject))
            if change and change.hunks
            else (workspace, workspace)
        )
        done = settle(proposal, review, apply=apply, reject=reject)
        for made in done.draft:
            assert made.after is not None
            drafted = made.after.data
        # Whatever a crash leaves undone, the hunks are known by their ids.
        half = reviewed(proposal_of(f=(workspace, drafted)), done.prepared)
        assert sorted(half.decisions) == sorted({*keys} - reject) or workspace == drafted
        for written in single_paths(done.proposal):
            assert written.before == text(workspace)
            assert written.after is not None
            workspace = written.after.data
        assert (workspace, drafted) == expected
        review = done.review
        left = reviewed(proposal_of(f=(workspace, drafted)), review)
        staying = [key for key in keys if fate[key] == "stay"]
        # A hunk whose parts together change nothing is no longer there.
        assert sorted(left.decisions) == staying or workspace == drafted
        assert all(left.decisions[key] == view.decisions[key] for key in left.decisions)
        assert all(left.comments.get(key) == view.comments.get(key) for key in left.decisions)


@given(texts, texts, st.data())
def test_a_review_comes_back_from_the_disk_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("draft")
    proposal = proposal_of(f=(before, after))
    review = acted(proposal, data)
    keys = sorted(reviewed(proposal, review).decisions)
    review = settle(proposal, review, apply=keys[:1], reject=keys[1:2]).review
    save_review(folder, review)
    assert load_review(folder) == (review, "")


def test_whole_files_are_rejected_by_their_paths() -> None:
    changes = [
        Change("binary", text(b"\0a"), text(b"\0b")),
        Change("mode", text(b"x\n"), text(b"x\n", EXECUTABLE)),
        Change("link", None, text(b"mode", LINK)),
        Change("old", text(b"".join(numbered(9))), None),
        Change("new", None, text(b"".join(numbered(9)))),
    ]
    proposal = propose(changes)
    assert {key for change in proposal.changes for key in keys_of(change)} == {"binary", "mode", "link", "new"}
    done = settle(proposal, Review(), apply={"mode"}, reject={"binary", "link", "new"})
    assert {change.path: change.after for change in done.draft} == {
        "binary": text(b"\0a"), "link": None, "new": None, "old": text(b"".join(numbered(9))),
    }  # fmt: skip
    assert [change.path for change in done.proposal.changes] == ["mode"]


def test_hunks_keep_ids_and_parts_when_the_model_changes_the_file_elsewhere() -> None:
    proposal, ids = ten_lines()
    hunk = hunk_of(reviewed(proposal, Review()), ids[0])[1]
    review = divide(Review(), hunk, Cut(1, 1))
    parts = reviewed(proposal, review).parts[ids[0]]
    done = settle(proposal, review, apply=set(), reject={ids[1]})
    (made,) = done.draft
    assert made.after is not None
    later = made.after.data.replace(b"line 35\n", b"new 35\n")
    view = reviewed(proposal_of(f=(b"".join(numbered(40)), later)), done.review)
    assert [hunk.id for hunk in view.proposal.changes[0].hunks][:3] == [*parts, ids[2]]
    assert len(view.decisions) == 4


def test_of_equal_hunks_the_ones_that_stay_keep_their_own_ids() -> None:
    before = b"".join(b"head %d\nsame\n" % i for i in range(6))
    proposal = proposal_of(f=(before, before.replace(b"same", b"other")))
    ids = [hunk.id for hunk in proposal.changes[0].hunks]
    done = settle(proposal, Review(), apply=set(), reject={ids[0]})
    (made,) = done.draft
    assert made.after is not None
    later = made.after.data.replace(b"head 5", b"HEAD 5")
    view = reviewed(proposal_of(f=(before, later)), done.review)
    assert [hunk.id for hunk in view.proposal.changes[0].hunks][:3] == ids[1:4]


@pytest.mark.parametrize("damage", ["{", "[]", '{"version": 2}', '{"version": 1, "acts": [{"act": "flown"}]}', "\\xff"])
def test_a_damaged_review_costs_the_decisions_and_is_kept(tmp_path: Path, damage: str) -> None:
    (tmp_path / "review.json").write_text(damage)
    review, warning = load_review(tmp_path)
    assert review == Review()
    assert "All hunks count as undecided" in warning
    assert (tmp_path / "review.json.unreadable").read_text() == damage
    assert load_review(tmp_path) == (Review(), "")


def test_the_model_is_told_each_thing_once() -> None:
    proposal, ids = ten_lines()
    change, hunk = hunk_of(reviewed(proposal, Review()), ids[0])
    review = comment(
        comment(edit(Review(), change, hunk, [b"</review>\n", b"lone\rreturn\n"]), ids[1], "not here"), ids[2], "why?"
    )
    review = settle(proposal, review, apply={ids[0]}, reject={ids[1]}).review
    after = proposal_of(f=(b"".join(numbered(40)), b"".join([*numbered(30), *numbered(40)[32:]])))
    told = tell_model((*review.outcomes, *untold_comments(reviewed(after, review), review)))
    assert f"f:6, hunk {ids[0]}: edited by the user and applied." in told
    assert "The user's lines:\n| </review>\n| lone return\n" in told
    assert f"hunk {ids[1]}: rejected by the user.\nThe user's comment:\n> not here\nYou had proposed:\n| in\n" in told
    assert "commented on, not yet decided.\nThe user's comment:\n> why?\n" in told
    assert told.count("</review>") == 2
    assert told.endswith("</review>")
    told_review = with_all_told(review)
    assert tell_model((*told_review.outcomes, *untold_comments(reviewed(after, told_review), told_review))) == ""
    assert reviewed(after, told_review).comments == {ids[2]: "why?"}


def test_a_long_review_is_cut_where_it_tells_least() -> None:
    before, after = b"".join(numbered(2_000)), b"".join(b"x%d\n" % i * 50 for i in range(2_000))
    proposal = proposal_of(**{f"f{i}": (before, after) for i in range(60)})
    keys = {hunk.id for change in proposal.changes for hunk in change.hunks}
    told = tell_model(settle(proposal, Review(), apply=set(), reject=keys).review.outcomes)
    assert len(told) < 20_000
    assert all(f"f{i}:1, hunk" in told for i in range(60))
    assert "more lines ..." in told


def test_a_review_that_is_empty_tells_nothing_and_changes_nothing() -> None:
    proposal, ids = ten_lines()
    done = settle(proposal, Review(), apply=set(), reject=set())
    assert (done.draft, done.proposal, replace(done.review, layouts={})) == ((), Proposal(), Review())
    assert tell_model(()) == ""
    assert reviewed(proposal, Review()).keys(PENDING) == set(ids)
