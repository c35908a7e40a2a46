"""Whatever is decided of conflicts: what the user has stays the base, and a conflict of which nothing is decided stays one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.files import Change
from kcode.draft.layout import old_index
from kcode.draft.rebase import rebase, settled_bases
from kcode.draft.review import Review, edit, reviewed
from kcode.draft.settlement import settle
from tests.draft.reviews import hunk_of, text

if TYPE_CHECKING:
    from kcode.draft.files import Hunk
    from kcode.draft.merge import Conflict

base_lines = [b"%d\n" % number for number in range(8)]


@st.composite
def sides(draw: st.DrawFn) -> bytes:
    made = []
    for line in base_lines:
        kind = draw(st.sampled_from(["keep", "keep", "keep", "change", "drop", "add"]))
        made += [] if kind == "drop" else [b"new\n" if kind == "change" else line]
        made += [draw(st.sampled_from([b"x\n", b"y\n"]))] if kind in {"add", "change"} else []
    return b"".join(made)


def touches(hunk: Hunk, span: Conflict) -> bool:
    start = old_index(hunk)
    return start <= span.yours_to and start + len(hunk.old_lines) >= span.yours_from


@settings(max_examples=150)
@given(sides(), sides(), st.data())
def test_decided_conflicts_end_and_the_others_stay(yours: bytes, theirs: bytes, data: st.DataObject) -> None:
    base, mine = text(b"".join(base_lines)), text(yours)
    found = rebase([Change("f", base, text(theirs))], lambda _: mine)
    keys = sorted(found.proposal.conflicts)
    if not keys:
        return
    rejected = frozenset(data.draw(st.sets(st.sampled_from(keys))))
    review = Review()
    for key in data.draw(st.sets(st.sampled_from(keys))) - rejected:
        change, hunk = hunk_of(reviewed(found.proposal, review), key)
        review = edit(review, change, hunk, [b"by hand\n"])
    view = reviewed(found.proposal, review)
    if not rejected and not view.edited:
        return
    done = settle(found.proposal, review, apply=frozenset(), reject=rejected)
    left = replace(view.proposal, conflicts=view.proposal.conflicts - rejected)
    drafted = done.draft[0].after if done.draft else text(theirs)
    bases = dict(settled_bases(found, left, {*rejected, *view.edited}))
    again = rebase([Change("f", bases.get("f", base), drafted)], lambda _: mine).proposal
    wanted = done.draft[0].after if done.draft else found.proposal.changes[0].after
    assert [(change.before, change.after) for change in again.changes] == ([(mine, wanted)] if wanted != mine else [])
    after = reviewed(again, done.review)
    for span in found.clashes["f"].merge.conflicts:
        touching = {hunk.id for hunk in found.proposal.changes[0].hunks if touches(hunk, span)}
        if touching.isdisjoint({*rejected, *view.edited}):
            assert touching & left.conflicts <= after.proposal.conflicts
    if not left.conflicts:
        assert not after.proposal.conflicts
