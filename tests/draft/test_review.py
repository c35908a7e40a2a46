"""What a review makes of a proposal: any text, any splits, edits and decisions, in any order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, Change, FileState
from kcode.draft.hunks import choose, propose, single_paths
from kcode.draft.linediff import split_lines
from kcode.draft.patch import render_patch
from kcode.draft.review import (
    Cut,
    Decision,
    Review,
    accepted,
    comment,
    cut_behind,
    decide,
    divide,
    edit,
    may_cut,
    reviewed,
    undo_last,
    without_rejected,
)
from kcode.errors import UsageError
from tests.draft.reviews import (
    ACCEPTED,
    REJECTED,
    acted,
    hunk_of,
    numbered,
    proposal_of,
    rule,
    ten_lines,
    text,
    texts,
)
from tests.draft.trees import changes as changes_between
from tests.draft.trees import edits, fits, git, put


@given(texts, texts, st.data())
def test_any_subset_of_reviewed_hunks_gives_exactly_their_text(
    before: bytes, after: bytes, data: st.DataObject
) -> None:
    proposal = proposal_of(f=(before, after))
    view = reviewed(proposal, acted(proposal, data))
    for change in view.proposal.changes:
        ids = [hunk.id for hunk in change.hunks]
        assert len(set(ids)) == len(ids)
        chosen = data.draw(st.sets(st.sampled_from(ids))) if ids else {change.path}
        part = choose(view.proposal, chosen)
        result = part.changes[0].after if part else change.before
        assert result is not None
        assert result.data == (rule(change, chosen) if ids else change.after and change.after.data)
        # No line was glued to another.
        sizes = sum(len(h.new_lines if h.id in chosen else h.old_lines) - len(h.old_lines) for h in change.hunks)
        assert len(split_lines(result.data)) == len(split_lines(before)) + sizes


@settings(max_examples=60)
@given(edits(), st.data())
def test_git_applies_every_patch_of_a_reviewed_proposal(
    tmp_path_factory: pytest.TempPathFactory,
    pair: tuple[dict[str, FileState], dict[str, FileState]],
    data: st.DataObject,
) -> None:
    before, after = pair
    if not fits(before) or not fits(after) or not fits(before | after):
        return
    proposal = propose(changes_between(before, after))
    view = reviewed(proposal, acted(proposal, data))
    chosen = data.draw(st.sets(st.sampled_from(sorted(view.decisions)))) if view.decisions else set()
    part = choose(view.proposal, chosen)
    patch = render_patch(part)
    if not patch:
        return
    root = tmp_path_factory.mktemp("tree") / "root"
    put(root, before)
    git(root, "apply", "--whitespace=nowarn", data=patch)
    for change in single_paths(part):
        place = root / change.path
        if change.after is None:
            assert not place.is_symlink()
            assert not place.exists() or place.is_dir()
        elif change.after.mode != LINK:
            assert place.read_bytes() == change.after.data
            assert bool(place.stat().st_mode & 0o100) == (change.after.mode == EXECUTABLE)


@given(texts, texts, st.data())
def test_the_order_of_decisions_does_not_matter(before: bytes, after: bytes, data: st.DataObject) -> None:
    proposal = proposal_of(f=(before, after), g=(after, before))
    one = other = acted(proposal, data)
    keys = sorted(reviewed(proposal, one).decisions)
    made = {key: data.draw(st.sampled_from(Decision)) for key in keys}
    for key in keys:
        one = decide(one, [key], made[key])
    for key in data.draw(st.permutations(keys)):
        other = decide(other, [key], made[key])
    assert reviewed(proposal, one) == reviewed(proposal, other)
    assert reviewed(proposal, one).decisions == made


@given(texts, texts, st.data())
def test_ids_stay_whatever_is_done_to_other_hunks(before: bytes, after: bytes, data: st.DataObject) -> None:
    proposal = proposal_of(f=(before, after))
    ids = [hunk.id for change in proposal.changes for hunk in change.hunks]
    review = acted(proposal, data)
    view = reviewed(proposal, review)
    for identity in ids:
        for leaf in view.leaves(identity):
            assert leaf in view.decisions or leaf in view.paths
    untouched = [i for i in ids if i not in view.parts and i not in view.edited]
    if view.proposal:
        shown = [hunk.id for change in view.proposal.changes for hunk in change.hunks]
        assert [i for i in shown if i in untouched] == untouched


def test_a_split_hunk_becomes_two_that_are_decided_alone() -> None:
    proposal, ids = ten_lines()
    (_, hunk) = hunk_of(reviewed(proposal, Review()), ids[0])
    review = divide(Review(), hunk, Cut(1, 1))
    view = reviewed(proposal, review)
    first, second = view.leaves(ids[0])
    assert hunk_of(view, first)[1].new_lines == (b"new 5\n",)
    assert hunk_of(view, second)[1].old_lines == (b"line 6\n",)
    view = reviewed(proposal, decide(decide(review, [first], ACCEPTED), [second], REJECTED))
    assert accepted(view).changes[0].after == text(b"".join(numbered(40)).replace(b"line 5\n", b"new 5\n"))
    kept = without_rejected(view).changes[0].after
    assert kept is not None
    assert b"new 6" not in kept.data
    assert b"new 5" in kept.data
    assert b"in\n" in kept.data


def test_a_decision_about_a_hunk_holds_for_its_parts_also_when_it_is_split_later() -> None:
    proposal, ids = ten_lines()
    hunk = hunk_of(reviewed(proposal, Review()), ids[0])[1]
    before = divide(decide(comment(Review(), ids[0], "hm"), [ids[0]], ACCEPTED), hunk, Cut(1, 1))
    after = comment(decide(divide(Review(), hunk, Cut(1, 1)), [ids[0]], ACCEPTED), ids[0], "hm")
    parts = reviewed(proposal, before).parts[ids[0]]
    assert {reviewed(proposal, before).decisions[part] for part in parts} == {ACCEPTED}
    assert {reviewed(proposal, after).decisions[part] for part in parts} == {ACCEPTED}
    assert reviewed(proposal, before).comments == dict.fromkeys(parts, "hm")


def test_a_cut_is_counted_over_the_lines_as_they_are_shown() -> None:
    proposal, ids = ten_lines()
    hunk = hunk_of(reviewed(proposal, Review()), ids[0])[1]
    assert [cut_behind(hunk, line) for line in (1, 2, 3)] == [Cut(1, 0), Cut(2, 0), Cut(2, 1)]
    for cut in (Cut(0, 0), Cut(2, 2), Cut(3, 0)):
        with pytest.raises(
            UsageError, match=r"cannot be split .* it has 2 - and 2 \+ lines, and each part needs a line\."
        ):
            divide(Review(), hunk, cut)


def test_a_last_line_without_an_end_is_never_followed_by_another() -> None:
    proposal = proposal_of(f=(b"a\nold", b"a\nnew\nlast"))
    (hunk,) = proposal.changes[0].hunks
    assert not may_cut(hunk, Cut(1, 0))
    assert not may_cut(hunk, Cut(1, 1))
    assert may_cut(hunk, Cut(0, 1))


def test_undo_takes_back_the_last_thing_that_was_done_whatever_it_was() -> None:
    proposal, ids = ten_lines()
    change, hunk = hunk_of(reviewed(proposal, Review()), ids[0])
    states = [Review()]
    states.append(decide(states[-1], ids, ACCEPTED))
    states.append(comment(states[-1], ids[1], "why?"))
    states.append(edit(states[-1], change, hunk, [b"mine\n"]))
    states.append(divide(states[-1], hunk_of(reviewed(proposal, states[-1]), ids[0])[1], Cut(1, 0)))
    review = states[-1]
    for state in reversed(states[:-1]):
        review = undo_last(review)
        assert reviewed(proposal, review) == reviewed(proposal, state)
    assert undo_last(review) == Review()


def test_an_edited_hunk_keeps_its_id_and_a_missing_end_is_put_to_its_last_line() -> None:
    proposal, ids = ten_lines()
    change, hunk = hunk_of(reviewed(proposal, Review()), ids[0])
    view = reviewed(proposal, edit(Review(), change, hunk, [b"mine"]))
    assert hunk_of(view, ids[0])[1].new_lines == (b"mine\n",)
    assert view.edited == {ids[0]: hunk.new_lines}
    assert [h.id for h in view.proposal.changes[0].hunks] == ids


def test_an_edit_that_leaves_the_old_lines_is_a_rejection() -> None:
    proposal, ids = ten_lines()
    change, hunk = hunk_of(reviewed(proposal, Review()), ids[0])
    assert edit(Review(), change, hunk, hunk.old_lines) == decide(Review(), [ids[0]], REJECTED)
    without_end = [*hunk.old_lines[:-1], hunk.old_lines[-1].rstrip(b"\n")]
    assert reviewed(proposal, edit(Review(), change, hunk, without_end)).decisions[ids[0]] is REJECTED


def test_a_deleted_file_is_decided_whole() -> None:
    proposal = propose([Change("gone", text(b"1\n2\n"), None)])
    (change,) = proposal.changes
    (hunk,) = change.hunks
    with pytest.raises(UsageError, match="to be deleted"):
        edit(Review(), change, hunk, [b"x\n"])
    assert reviewed(proposal, divide(Review(), hunk, Cut(1, 0))).proposal == proposal
