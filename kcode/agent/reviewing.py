"""The review of a draft's proposal, kept in its folder: what is known of each hunk, and carrying out what was decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.agent.workbench import open_pending
from kcode.context.enclosing import enclosing
from kcode.draft.baseline import digest
from kcode.draft.files import Change, Proposal
from kcode.draft.outcome import joined, tell_model
from kcode.draft.provenance import Provenance, Tested, trace
from kcode.draft.rebase import Move
from kcode.draft.review import Decision, Rejection, TakenOut, reviewed, without_rejected
from kcode.draft.reviewfile import load_review, save_review
from kcode.draft.settlement import outcomes_of, settle, untold_comments, with_all_told, without_rejection
from kcode.draft.versions import BY_USER, TestRun
from kcode.errors import DraftError, KcodeError, StaleError
from kcode.sanitize import sanitize_names
from kcode.session.steps import find_step, load_steps
from kcode.session.store import SessionLog, last_session

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kcode.agent.place import Place
    from kcode.agent.workbench import Workbench
    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.pending import Pending
    from kcode.draft.review import Review, Reviewed
    from kcode.draft.versions import Version
    from kcode.session.steps import Step
    from kcode.session.store import Session
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class HunkFacts:
    """What is known of one hunk; `hunk` is None for a file that is decided whole.

    `conflicts` says that it would undo what the user did since. `within` are the definitions around it, None where the
    language is not read here. `causes` are the changes of the draft that made it, the oldest first.
    """

    change: FileChange
    hunk: Hunk | None
    decision: Decision
    comment: str
    is_edited: bool
    conflicts: bool
    within: tuple[str, ...] | None
    causes: tuple[Version, ...]
    tested: Tested

    @property
    def key(self) -> str:
        return self.change.path if self.hunk is None else self.hunk.id


def open_review(place: Place) -> PendingReview | None:
    """The review of what the last session here proposes; None when there is no such session."""
    session = last_session(place.state, place.workspace.root)
    pending = open_pending(place)
    return PendingReview(pending, session) if pending and session else None


def review_of(bench: Workbench) -> PendingReview:
    """The review of what a conversation that is under way proposes. Its draft must be open."""
    return PendingReview(bench.pending, bench.session)


def with_review(bench: Workbench, prompt: str) -> str:
    """The user's message with what was decided about hunks since the last one; the draft is as decided from here on.

    To be called while no command runs.
    """
    if not bench.view.is_open:
        return prompt
    review = review_of(bench)
    if not review.review.acts and not review.review.outcomes:
        return prompt
    rejected = review.look().keys(Decision.REJECTED)
    if rejected or review.look().edited:
        review.carry_out(apply=frozenset(), reject=rejected)
    told = review.message()
    review.mark_told()
    return f"{prompt}\n\n{told}" if told else prompt


def with_review_if_possible(bench: Workbench, words: str) -> str:
    """The same in the middle of a turn, which nothing about hunks may end: what fails is told with the next message."""
    try:
        return with_review(bench, words)
    except KcodeError:
        return words


class PendingReview:
    """A proposal under review. What the user does is kept at once, so that a later process goes on from there."""

    def __init__(self, pending: Pending, session: Session) -> None:
        self._pending, self._session = pending, session
        self._review, self.warning = load_review(pending.draft.folder)
        self._seen: Proposal | None = None

    @property
    def folder(self) -> Path:
        """The session's folder, which is kcode's own."""
        return self._session.folder

    @property
    def workspace(self) -> Workspace:
        return self._pending.workspace

    @property
    def session_id(self) -> str:
        return self._session.id

    @property
    def review(self) -> Review:
        return self._review

    def keep(self, review: Review) -> None:
        """Go on from this review; it survives the end of the process. StaleError when another process kept one since."""
        if review == self._review:
            return
        if load_review(self._pending.draft.folder)[0] != self._review:
            raise StaleError(
                "Another kcode kept decisions about this proposal just now, so this one was not kept. Nothing was done; "
                "look at kcode diff --hunks, and start again."
            )
        self._save(review)

    def _save(self, review: Review) -> None:
        save_review(self._pending.draft.folder, review)
        self._review = review

    def look(self, *, anew: bool = False) -> Reviewed:
        """The proposal as the review leaves it; `anew` after the draft or the user's files may have changed."""
        if anew or self._seen is None:
            self._seen = self._pending.proposal()
        return reviewed(self._seen, self._review)

    def proposal(self) -> Proposal:
        """What is proposed and not rejected, with the user's edits."""
        return without_rejected(self.look())

    def facts(self, view: Reviewed, paths: Collection[str] | None = None) -> list[HunkFacts]:
        """What is known of each hunk, or of those of some files, in the order of the proposal."""
        versions = self._pending.draft.versions
        changes = [change for change in view.proposal.changes if paths is None or change.path in paths]
        causes = trace(Proposal(tuple(changes)), versions.records(), versions.image, view.edited.keys())
        return [
            _facts(view, change, hunk, within, causes)
            for change in changes
            for within in (enclosing(change) if change.hunks else None,)
            for hunk in (change.hunks or (None,))
        ]

    def steps(self, facts: HunkFacts) -> list[tuple[Version, Step | None]]:
        """Each cause of a hunk with the step of the session that it belongs to, None for what no call did."""
        steps = load_steps(self._session)
        return [(cause, find_step(steps, cause.call, cause.seconds) if cause.call else None) for cause in facts.causes]

    def tested(self, view: Reviewed, keys: Collection[str]) -> bool | None:
        """Whether the tests passed over the user's files with just these hunks, as far as the session's runs tell.

        None where they were not run over that: chosen hunks are another text than all of them.
        """
        draft = self._pending.draft
        records = draft.versions.records()
        last = records[-1] if records else None
        if not isinstance(last, TestRun) or view.edited or set(keys) != view.decisions.keys():
            return None
        return None if self._pending.rebased().moved else last.ok

    def carry_out(self, *, apply: Collection[str], reject: Collection[str], allowed: Collection[str] = ()) -> Proposal:
        """Take what is rejected out of the draft, then write what is to be applied; returns what was written.

        The user's edits get into the draft in any case. `allowed` are the read-only files that may be written.
        StaleError when a hunk is not there any more as it was seen, or conflicts with what the user did: then nothing
        is done. Any other error of writing leaves the user's files as they were, and what was rejected out of the draft.
        """
        view = self.look(anew=True)
        unknown = {*apply, *reject} - view.decisions.keys()
        if unknown:
            raise StaleError(
                f"{len(unknown)} of the chosen hunks changed since they were shown, so nothing was done. "
                "kcode diff shows what is proposed by now."
            )
        conflicts = view.proposal.conflicts.intersection(apply)
        if conflicts:
            raise StaleError(
                f"{sanitize_names(sorted({view.paths[key] for key in conflicts}))}: what is chosen there conflicts with "
                "what you changed since, so nothing was done. Edit it (kcode review), reject it, or choose other hunks."
            )
        if reject or view.edited:
            self._settle(apply=frozenset(), reject=reject)
        return self._settle(apply=apply, reject=frozenset(), allowed=allowed) if apply else Proposal()

    def _settle(self, *, apply: Collection[str], reject: Collection[str], allowed: Collection[str] = ()) -> Proposal:
        # What the user did meanwhile gets into the draft first: what is taken out of it below is counted from there.
        found = self._pending.merged()
        self._seen = found.proposal
        view = self.look()
        done = settle(self._seen, self._review, apply=apply, reject=reject)
        after = (
            replace(done.review, rejection=self._rejection(reject, done.draft, found.clashes))
            if reject
            else done.review
        )
        self.keep(done.prepared)
        self._pending.draft.change(done.draft, BY_USER)
        if found.clashes:
            left = replace(view.proposal, conflicts=view.proposal.conflicts - set(reject))
            self._pending.settle_conflicts(found, left, {*reject, *view.edited})
        if done.proposal:
            self._pending.apply(done.proposal, self._session.id, allowed=allowed)
        self._seen = None
        self._save(after)  # It is done, whatever another process decided meanwhile.
        self._log("rejected", view, reject)
        self._log("applied", view, apply)
        return done.proposal

    def _rejection(self, keys: Collection[str], changes: Collection[Change], clashes: Collection[str]) -> Rejection:
        """What brings the draft's files back as they are before these changes, which merged them with the user's."""
        draft = self._pending.draft
        files = [
            TakenOut(change.path, draft.versions.keep(draft.read(change.path)), digest(change.after))
            for change in changes
        ]
        bases = {
            change.path: draft.versions.keep(draft.before(change.path)) for change in changes if change.path in clashes
        }
        return Rejection(tuple(sorted(keys)), tuple(files), bases)

    def _log(self, decision: str, view: Reviewed, keys: Collection[str]) -> None:
        known = [key for key in keys if key in view.paths]
        if known:
            # Opened only now: who reviews may think for hours.
            with SessionLog(self._session) as log:
                log.append_decision(decision, sorted({view.paths[key] for key in known}), sorted(known))

    def take_back_rejection(self) -> list[str]:
        """Put what was rejected last back into the draft; the paths, none when nothing was rejected.

        DraftError when a file of the draft changed since: then nothing is done.
        """
        draft = self._pending.draft
        changes, moves = [], []
        rejection = self._review.rejection
        for taken in rejection.files if rejection else ():
            was, rest = draft.versions.state(taken.was), draft.read(taken.path)
            if digest(rest) != taken.became or digest(was) != taken.was:
                raise DraftError(
                    f"What was rejected of {taken.path} cannot be brought back: the draft's file changed since, or its "
                    "text was too large to be kept. Nothing was done."
                )
            changes.append(Change(taken.path, rest, was))
            if rejection and taken.path in rejection.bases:
                # Counted from what it was made from: what conflicted with the user's changes does so again.
                moves.append(Move(taken.path, draft.versions.state(rejection.bases[taken.path]), was, was))
        draft.change(changes, BY_USER)
        if moves:
            draft.rebase(moves)
        self._seen = None
        self.keep(without_rejection(self._review))
        return [change.path for change in changes]

    def note_applied(self, view: Reviewed, *, is_logged: bool = True) -> None:
        """Have the model told of what was in this view and stands in the user's files by now.

        `is_logged` says that the session's log has it already.
        """
        applied = view.decisions.keys() - self.look(anew=True).decisions.keys()
        self._save(
            replace(
                self._review,
                outcomes=outcomes_of(view, self._review, apply=applied, reject=()),
                parts=self._review.parts - applied,
            )
        )
        if not is_logged:
            self._log("applied", view, applied)

    def message(self) -> str:
        """What the model is to be told with the user's next message; "" for nothing."""
        return tell_model(joined(self._review.outcomes, untold_comments(self.look(), self._review)))

    def mark_told(self) -> None:
        """The model is told by now."""
        self.keep(with_all_told(self._review))


def _facts(
    view: Reviewed,
    change: FileChange,
    hunk: Hunk | None,
    within: dict[str, tuple[str, ...]] | None,
    causes: dict[str, Provenance],
) -> HunkFacts:
    key = hunk.id if hunk else change.path
    known = causes.get(key, Provenance())
    return HunkFacts(
        change,
        hunk,
        view.decisions[key],
        view.comments.get(key, ""),
        key in view.edited,
        key in view.proposal.conflicts,
        within.get(key, ()) if within is not None else None,
        known.causes,
        known.tested,
    )
