"""Proposals, and reviews of them as hypothesis makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from kcode.draft.files import REGULAR, Change, FileChange, FileState, Proposal
from kcode.draft.hunks import propose
from kcode.draft.linediff import split_lines
from kcode.draft.review import (
    Cut,
    Decision,
    Review,
    comment,
    decide,
    divide,
    edit,
    may_cut,
    reviewed,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from kcode.draft.files import Hunk
    from kcode.draft.review import Reviewed

ACCEPTED, REJECTED, PENDING = Decision.ACCEPTED, Decision.REJECTED, Decision.PENDING
LINES = [b"a", b"b", b"", b"\r", b"x\x0cy", b"\xff", "\u2028".encode(), b"-- a", b"+b"]
texts = st.builds(
    lambda parts, end: b"\n".join(parts) + end,
    st.lists(st.sampled_from(LINES), max_size=14),
    st.sampled_from([b"", b"\n"]),
)
own_lines = st.lists(st.sampled_from([b"mine\n", b"a\n", b"also mine\r\n"]), max_size=3)


def text(data: bytes, mode: int = REGULAR) -> FileState:
    return FileState(mode, data)


def proposal_of(**files: tuple[bytes, bytes]) -> Proposal:
    return propose([Change(path, text(before), text(after)) for path, (before, after) in files.items()])


def hunk_of(view: Reviewed, key: str) -> tuple[FileChange, Hunk]:
    return next((c, h) for c in view.proposal.changes for h in c.hunks if h.id == key)


def rule(change: FileChange, chosen: Collection[str]) -> bytes:
    """The proposed text with the old lines of every other hunk put back, from its end to its start."""
    assert change.after is not None
    lines = split_lines(change.after.data)
    for hunk in reversed(change.hunks):
        if hunk.id not in chosen:
            first = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
            assert tuple(lines[first : first + len(hunk.new_lines)]) == hunk.new_lines
            lines[first : first + len(hunk.new_lines)] = hunk.old_lines
    return b"".join(lines)


def act_on(proposal: Proposal, review: Review, data: st.DataObject) -> Review:
    """One thing that a user may do to the proposal as it now is."""
    view = reviewed(proposal, review)
    keys = sorted(view.decisions)
    if not keys:
        return review
    key = data.draw(st.sampled_from(keys))
    found = [(c, h) for c in view.proposal.changes for h in c.hunks if h.id == key]
    kind = data.draw(st.sampled_from(["decide", "split", "edit", "comment"])) if found else "decide"
    if kind == "decide":
        return decide(review, [key], data.draw(st.sampled_from(Decision)))
    if kind == "comment":
        return comment(review, key, data.draw(st.sampled_from(["why?", "no", ""])))
    change, hunk = found[0]
    if kind == "split":
        cut = Cut(data.draw(st.integers(0, len(hunk.old_lines))), data.draw(st.integers(0, len(hunk.new_lines))))
        return divide(review, hunk, cut) if may_cut(hunk, cut) and change.after else review
    return edit(review, change, hunk, data.draw(own_lines)) if change.after else review


def acted(proposal: Proposal, data: st.DataObject, most: int = 6) -> Review:
    review = Review()
    for _ in range(data.draw(st.integers(0, most))):
        review = act_on(proposal, review, data)
    return review


def numbered(count: int) -> list[bytes]:
    return [b"line %d\n" % i for i in range(count)]


def ten_lines() -> tuple[Proposal, list[str]]:
    before = numbered(40)
    after = [*before[:5], b"new 5\n", b"new 6\n", *before[7:20], b"in\n", *before[20:30], *before[32:]]
    proposal = proposal_of(f=(b"".join(before), b"".join(after)))
    return proposal, [hunk.id for hunk in proposal.changes[0].hunks]
