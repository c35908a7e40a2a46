"""Carrying out a review, as values: what the draft's files become, what is written, and what the review is after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.draft.files import Change
from kcode.draft.hunks import choose, single_paths, split_change
from kcode.draft.layout import old_index, remember
from kcode.draft.outcome import Outcome, joined
from kcode.draft.review import Commented, Decided, Divided, Edited, reviewed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kcode.draft.files import FileChange, Hunk, Proposal
    from kcode.draft.outcome import Fate
    from kcode.draft.review import Act, Review, Reviewed


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be done, in this order.

    `prepared` is the review to keep first: it knows the hunks of every state that a crash may leave. Then the draft's
    files become those of `draft`, `proposal` is written to the user's files, and `review` is kept.
    """

    prepared: Review
    draft: tuple[Change, ...]
    proposal: Proposal
    review: Review


def settle(proposal: Proposal, review: Review, *, apply: Collection[str], reject: Collection[str]) -> Settlement:
    """Write the hunks and files of `apply`, take those of `reject` out of the draft, and put the user's edits into it.

    The other hunks stay as they are, with their ids, decisions and comments.
    """
    view = reviewed(proposal, review)
    kept = choose(view.proposal, view.decisions.keys() - set(reject))
    draft = _draft_changes(proposal, kept)
    chosen = choose(kept, apply)
    touched = {change.path for change in draft} | {view.paths[key] for key in {*apply, *reject} if key in view.paths}
    layouts = dict(review.layouts)
    for change in kept.changes:
        if change.path in touched:
            layouts = remember(layouts, change)
            rest = split_change(change, frozenset(apply))[1]
            layouts = remember(layouts, rest) if rest is not None else layouts
    gone = frozenset({*apply, *reject})
    return Settlement(
        replace(review, layouts=layouts),
        draft,
        chosen,
        replace(
            review,
            acts=tuple(left for act in review.acts for left in _remaining(act, view, gone, touched)),
            layouts=layouts,
            outcomes=outcomes_of(view, review, apply=frozenset(apply), reject=frozenset(reject)),
            parts=_parts(view, review) - gone,
        ),
    )


def without_rejection(review: Review) -> Review:
    """The review once what was rejected last is back in the draft: the model is not told of it."""
    keys = review.rejection.keys if review.rejection else ()
    kept = tuple(one for one in review.outcomes if one.fate != "rejected" or one.id not in keys)
    return replace(review, outcomes=kept, rejection=None)


def untold_comments(view: Reviewed, review: Review) -> tuple[Outcome, ...]:
    """The comments on what is still open that the model has not read."""
    untold = {
        leaf for act in review.acts if isinstance(act, Commented) and not act.told for leaf in view.leaves(act.key)
    }
    return tuple(
        _outcome(view, change, hunk, "commented")
        for change, hunk in _hunks(view.proposal)
        if (key := hunk.id if hunk else change.path) in untold and key in view.comments
    )


def with_all_told(review: Review) -> Review:
    """The review once the model has been told of it."""
    acts = tuple(replace(act, told=True) if isinstance(act, Commented) else act for act in review.acts)
    return replace(review, acts=acts, outcomes=())


def _draft_changes(proposal: Proposal, kept: Proposal) -> tuple[Change, ...]:
    wanted = {change.path: change.after for change in single_paths(kept)}
    changes = []
    for change in single_paths(proposal):
        target = wanted.get(change.path, change.before)
        if target != change.after:
            changes.append(Change(change.path, change.after, target))
    return tuple(changes)


def _remaining(act: Act, view: Reviewed, gone: Collection[str], touched: Collection[str]) -> Iterator[Act]:
    """What is left of an act once some keys are settled and the files of `touched` have their hunks in a layout."""
    match act:
        case Divided(identity) | Edited(identity):
            if view.paths.get(identity) not in touched:
                yield act
        case Decided(keys):
            left = tuple(leaf for key in keys for leaf in _leaves(view, key, touched) if leaf not in gone)
            if left:
                yield replace(act, keys=left)
        case Commented(key):
            yield from (replace(act, key=leaf) for leaf in _leaves(view, key, touched) if leaf not in gone)


def _leaves(view: Reviewed, key: str, touched: Collection[str]) -> tuple[str, ...]:
    """Where the file has its parts in a layout, they are all that a later look at it knows."""
    return view.leaves(key) if view.paths.get(key) in touched else (key,)


def outcomes_of(
    view: Reviewed, review: Review, *, apply: Collection[str], reject: Collection[str]
) -> tuple[Outcome, ...]:
    """What the model was not told yet, with what becomes of hunks now: applied, rejected, or edited and neither.

    What is left open of a divided hunk is told as well, where a part of it is applied.
    """
    parts, found = _parts(view, review), []
    left = {hunk.id for run in _runs(view, parts) for hunk in _left(run, apply)}
    for change, hunk in _hunks(view.proposal):
        key = hunk.id if hunk else change.path
        fate: Fate | None = "rejected" if key in reject else "applied" if key in apply else None
        fate = fate or ("edited" if key in view.edited else "open" if key in left else None)
        if fate is not None:
            found.append(replace(_outcome(view, change, hunk, fate), is_part=key in parts))
    return joined(review.outcomes, found)


def _parts(view: Reviewed, review: Review) -> frozenset[str]:
    """The hunks that are there and were made by dividing one."""
    made = review.parts.union(*view.parts.values())
    return made & view.decisions.keys()


def _runs(view: Reviewed, parts: Collection[str]) -> Iterator[list[Hunk]]:
    """Parts with no line of the file between them: those of one hunk."""
    for change in view.proposal.changes:
        run: list[Hunk] = []
        for hunk in change.hunks:
            if hunk.id not in parts:
                continue
            if run and old_index(run[-1]) + len(run[-1].old_lines) != old_index(hunk):
                yield run
                run = []
            run.append(hunk)
        yield run


def _left(run: list[Hunk], apply: Collection[str]) -> list[Hunk]:
    """Those that are not applied, where others are."""
    left = [hunk for hunk in run if hunk.id not in apply]
    return left if len(left) < len(run) else []


def _hunks(proposal: Proposal) -> Iterator[tuple[FileChange, Hunk | None]]:
    """Every hunk, and None for a file that is decided whole."""
    for change in proposal.changes:
        if change.hunks:
            yield from ((change, hunk) for hunk in change.hunks)
        else:
            yield change, None


def _outcome(view: Reviewed, change: FileChange, hunk: Hunk | None, fate: Fate) -> Outcome:
    if hunk is None:
        return Outcome(fate, change.path, change.path, 0, comment=view.comments.get(change.path, ""))
    proposed = view.edited.get(hunk.id, hunk.new_lines)
    edited = hunk.new_lines if hunk.id in view.edited else None
    comment = view.comments.get(hunk.id, "")
    return Outcome(fate, change.path, hunk.id, max(hunk.old_start, 1), hunk.old_lines, proposed, edited, comment)
