"""A proposal over files that the user goes on changing: what fits is merged, and the rest is marked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.hunks import choose, propose, single_paths
from kcode.draft.merge import merge_files
from kcode.draft.rebase import all_keys, is_part_of, rebase, split_conflicts
from tests.draft.desk import text

LINES = [b"line %d\n" % i for i in range(1, 41)]


def with_lines(changed: dict[int, bytes]) -> FileState:
    return text(b"".join(changed.get(number, line) for number, line in enumerate(LINES, 1)))


BASE = with_lines({})
OURS = with_lines({5: b"model 5\n", 20: b"model 20\n"})


def test_what_the_user_changed_elsewhere_moves_the_hunks_and_they_keep_their_ids() -> None:
    before = propose([Change("f", BASE, OURS)])
    present = with_lines({1: b"user\nuser\n", 35: b""})
    found = rebase([Change("f", BASE, OURS)], {"f": present}.get)
    (change,) = found.proposal.changes
    assert change.before == present
    assert change.after == with_lines({1: b"user\nuser\n", 5: b"model 5\n", 20: b"model 20\n", 35: b""})
    assert [hunk.id for hunk in change.hunks] == [hunk.id for hunk in before.changes[0].hunks]
    assert [hunk.old_start for hunk in change.hunks] == [6, 21]
    assert found.moved == {"f"}
    assert not found.fresh
    assert not found.proposal.conflicts
    assert is_part_of(found.proposal, before)
    (move,) = found.moves
    assert (move.path, move.base, move.drafted, move.merged) == ("f", present, OURS, change.after)
    # Merged once, it is merged for good.
    assert rebase([Change("f", move.base, move.merged)], {"f": present}.get).proposal == found.proposal


def test_a_hunk_that_conflicts_is_marked_and_the_others_apply_without_it() -> None:
    present = with_lines({1: b"user\n", 21: b"user 21\n"})
    found = rebase([Change("f", BASE, OURS)], {"f": present}.get)
    (change,) = found.proposal.changes
    first, second = change.hunks
    assert found.proposal.conflicts == {second.id}
    assert not found.moves
    assert found.unsettled == {"f"}
    fitting, conflicting = split_conflicts(found.proposal)
    (written,) = single_paths(fitting)
    assert written.after == with_lines({1: b"user\n", 5: b"model 5\n", 21: b"user 21\n"})
    assert [hunk.id for hunk in fitting.changes[0].hunks] == [first.id]
    assert [hunk.id for hunk in conflicting.changes[0].hunks] == [second.id]
    # Once the rest is written, the conflict alone is left; once the user takes the line over, nothing is.
    again = rebase([Change("f", BASE, OURS)], {"f": written.after}.get)
    assert all_keys(again.proposal) == again.proposal.conflicts == {second.id}
    settled = with_lines({1: b"user\n", 5: b"model 5\n", 20: b"model 20\n"})
    assert not rebase([Change("f", BASE, OURS)], {"f": settled}.get).proposal


@pytest.mark.parametrize(
    ("before", "after", "present"),
    [
        (BASE, None, with_lines({3: b"user\n"})),
        (BASE, OURS, None),
        (None, OURS, text(b"the user's\n")),
        (text(b"\0a"), text(b"\0b"), text(b"\0c")),
        (BASE, FileState(LINK, b"to"), with_lines({3: b"user\n"})),
    ],
)
def test_what_cannot_be_merged_is_a_conflict_as_a_whole(before: Any, after: Any, present: Any) -> None:
    other = Change("other", None, text(b"new\n"))
    found = rebase([Change("f", before, after), other], {"f": present}.get)
    assert split_conflicts(found.proposal)[0] == propose([other])
    assert [change.path for change in split_conflicts(found.proposal)[1].changes] == ["f"]


def test_what_the_user_did_already_is_no_longer_proposed() -> None:
    changes = [Change("f", BASE, OURS), Change("gone", BASE, None), Change("new", None, OURS)]
    done: dict[str, Any] = {"f": OURS, "new": OURS}
    found = rebase(changes, done.get)
    assert (found.proposal, {move.path for move in found.moves}) == (propose([]), {"f", "gone", "new"})


def test_a_users_edit_follows_the_file_to_its_new_name() -> None:
    changes = [Change("old", BASE, None), Change("new", None, OURS)]
    present = with_lines({30: b"user\n"})
    found = rebase(changes, {"old": present}.get)
    (change,) = found.proposal.changes
    assert (change.path, change.old_path, found.proposal.conflicts) == ("new", "old", frozenset())
    assert change.after == with_lines({5: b"model 5\n", 20: b"model 20\n", 30: b"user\n"})
    assert [(move.path, move.base, move.merged) for move in found.moves] == [
        ("new", None, change.after),
        ("old", present, None),
    ]
    clash = rebase(changes, {"old": with_lines({20: b"user\n"})}.get)
    (change,) = clash.proposal.changes
    assert clash.proposal.conflicts == {change.hunks[1].id}
    assert not clash.moves
    assert clash.unsettled == {"new", "old"}
    assert split_conflicts(clash.proposal)[0].changes[0].after == with_lines({5: b"model 5\n", 20: b"user\n"})


def test_a_mode_that_one_side_changed_stays() -> None:
    found = rebase([Change("f", BASE, OURS)], {"f": FileState(EXECUTABLE, BASE.data)}.get)
    assert found.proposal.changes[0].after == FileState(EXECUTABLE, OURS.data)


@st.composite
def edited(draw: st.DrawFn, who: bytes) -> FileState | None:
    if draw(st.integers(0, 9)) == 0:
        return None
    numbers = draw(st.sets(st.integers(1, 40), max_size=6))
    lines = {number: draw(st.sampled_from([b"", b"%s %d\n" % (who, number), b"same\n"])) for number in numbers}
    state = with_lines(lines)
    return FileState(draw(st.sampled_from([REGULAR, REGULAR, EXECUTABLE])), state.data)


@settings(max_examples=200, deadline=None)
@given(edited(b"model"), edited(b"user"), st.data())
def test_any_choice_of_what_fits_keeps_every_line_of_the_users(
    ours: FileState | None, present: FileState | None, data: st.DataObject
) -> None:
    found = rebase([Change("f", BASE, ours)], {"f": present}.get)
    fitting, _ = split_conflicts(found.proposal)
    keys = sorted(all_keys(fitting))
    chosen = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
    for change in single_paths(choose(fitting, chosen)):
        assert change.before == present
        # Merging what the user did into what is written gives what is written: all of the user's is in it.
        merged = merge_files(BASE, change.after, present)
        assert (merged.state, merged.is_conflict) == (change.after, False)
