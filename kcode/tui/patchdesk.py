"""The review of a patch from elsewhere: decisions live as long as the screen, and what can be written goes through the journal."""

from __future__ import annotations

import os
from threading import RLock
from typing import TYPE_CHECKING, Literal

from kcode.agent.reviewing import HunkFacts
from kcode.context.enclosing import enclosing
from kcode.draft.files import Proposal
from kcode.draft.hunks import choose, single_paths, split_change
from kcode.draft.journal import apply_changes
from kcode.draft.provenance import Tested
from kcode.draft.review import Review, comment, decide, reviewed
from kcode.errors import RefusedError
from kcode.tui.pendingdesk import JournalDesk, background_tests, tests_are_confined
from kcode.tui.reviewdesk import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from kcode.agent.place import Place
    from kcode.draft.operations import Operation
    from kcode.draft.reversal import Reversal
    from kcode.draft.review import Reviewed
    from kcode.draft.versions import Version
    from kcode.options import PlaceOptions
    from kcode.session.steps import Step
    from kcode.tui.backgroundtests import BackgroundTests


class PatchDesk:
    """`read` gives the patch as a proposal to the files as they are; it is asked anew after an undo."""

    def __init__(
        self,
        read: Callable[[], tuple[Proposal, Source]],
        place: Place,
        options: PlaceOptions,
        title: str,
    ) -> None:
        self._read, self._place, self._options = read, place, options
        self._journal = JournalDesk(place.workspace, place.journal)
        self._review = Review()
        self._lock = RLock()
        self._proposal, self._source = read()
        self._title = title

    @property
    def source(self) -> Source:
        return self._source

    @property
    def title(self) -> str:
        return self._title

    def look(self, *, anew: bool = False) -> Reviewed:  # noqa: ARG002 - the patch stays what it was
        with self._lock:
            return reviewed(self._proposal, self._review)

    def act(self, make: Callable[[Review], Review]) -> Reviewed:
        with self._lock:
            self._review = make(self._review)
            return self.look()

    def acts(self) -> int:
        return len(self._review.acts)

    def facts(self, view: Reviewed, path: str) -> list[HunkFacts]:
        change = next(change for change in view.proposal.changes if change.path == path)
        # The lines of a patch without its file would be read as what they are not.
        within = enclosing(change) if change.hunks and self.source is not Source.EXCERPT else None
        return [
            HunkFacts(
                change,
                hunk,
                view.decisions[key],
                view.comments.get(key, ""),
                key in view.edited,
                key in view.proposal.conflicts,
                within.get(key, ()) if within is not None else None,
                (),
                Tested(),
            )
            for hunk in (change.hunks or (None,))
            for key in (hunk.id if hunk else change.path,)
        ]

    def steps(self, facts: HunkFacts) -> Sequence[tuple[Version, Step | None]]:  # noqa: ARG002 - nobody recorded it
        return ()

    def tested(self, view: Reviewed, keys: Collection[str]) -> bool | None:  # noqa: ARG002 - the desk's signature
        return None

    def carry_out(self, *, apply: Collection[str], reject: Collection[str], allowed: Collection[str]) -> Proposal:  # noqa: ARG002 - what is rejected is not written, and that is all
        self._check_written()
        with self._lock:
            view = self.look()
            chosen = choose(view.proposal, apply)
            changes = single_paths(chosen)
            apply_changes(self._place.workspace, self._place.journal, changes, "apply a patch", allowed=allowed)
            rests = (split_change(change, frozenset(apply))[1] for change in view.proposal.changes)
            self._proposal = Proposal(tuple(rest for rest in rests if rest is not None))
            self._review = _carried_over(view, self._proposal)
            return chosen

    def plan(self, kind: Literal["undo", "redo"]) -> Reversal:
        return self._journal.plan(kind)

    def reverse(self, reversal: Reversal, allowed: Collection[str]) -> Operation:
        operation = self._journal.reverse(reversal, allowed)
        with self._lock:
            view = self.look()
            self._proposal, self._source = self._read()
            self._review = _carried_over(view, self._proposal)
        return operation

    def tests(self, keys: Collection[str], on_output: Callable[[str], None]) -> BackgroundTests:
        self._check_written()
        return background_tests(self._place, self._options, self.look().proposal, keys, on_output)

    def is_confined(self) -> bool:
        return tests_are_confined(self._place, self._options)

    def edit_outside(self, path: str, data: bytes) -> bytes | None:
        from kcode.editor import edit_text  # noqa: PLC0415 - few reviews ever need it
        from kcode.folders import make_folder, temporary_folder  # noqa: PLC0415

        with temporary_folder(make_folder(self._place.state / "reviews"), "edit") as folder:
            return edit_text(folder, path, data, os.environ)

    def _check_written(self) -> None:
        if not self._source.is_written:
            raise RefusedError(
                "These changes are not to be written: they stand in your files or in git already, or were made for other "
                "files. Nothing was done."
            )


def _carried_over(view: Reviewed, proposal: Proposal) -> Review:
    """The decisions and comments of what is still there."""
    left = {key for change in proposal.changes for key in ([hunk.id for hunk in change.hunks] or [change.path])}
    review = Review()
    for key, made in view.decisions.items():
        if key in left:
            review = decide(review, [key], made)
    for key, text in view.comments.items():
        if key in left:
            review = comment(review, key, text)
    return review
