"""The review of a session's pending proposal, as the screen stands on it, and what a review of any patch shares with it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal

from kcode.agent.partial import open_partial_tests
from kcode.draft.journal import plan_redo, plan_undo, reverse
from kcode.sandbox import Rung
from kcode.tui.backgroundtests import BackgroundTests
from kcode.tui.reviewdesk import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from kcode.agent.place import Place
    from kcode.agent.reviewing import HunkFacts, PendingReview
    from kcode.draft.files import Proposal
    from kcode.draft.operations import Operation
    from kcode.draft.reversal import Reversal
    from kcode.draft.review import Review, Reviewed
    from kcode.draft.versions import Version
    from kcode.options import PlaceOptions
    from kcode.results import TestReport
    from kcode.session.steps import Step
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class JournalDesk:
    """Taking back what was written to a workspace, and doing it again."""

    workspace: Workspace
    journal: Path

    def plan(self, kind: Literal["undo", "redo"]) -> Reversal:
        return (plan_undo if kind == "undo" else plan_redo)(self.workspace, self.journal)

    def reverse(self, reversal: Reversal, allowed: Collection[str]) -> Operation:
        return reverse(self.workspace, self.journal, reversal, allowed=allowed)


def background_tests(
    place: Place,
    options: PlaceOptions,
    proposal: Proposal,
    keys: Collection[str],
    on_output: Callable[[str], None],
) -> BackgroundTests:
    """The tests over the workspace plus these hunks of a proposal."""

    async def work() -> TestReport:
        tests = await open_partial_tests(place, options)
        return await tests.run(proposal, keys, on_output=on_output)

    return BackgroundTests(work)


def tests_are_confined(place: Place, options: PlaceOptions) -> bool:
    """Whether tests run in a sandbox here; only where the user allowed that they may not, this is found out by trying."""
    if not options.no_sandbox:
        return True
    return asyncio.run(open_partial_tests(place, options)).sandbox.rung is not Rung.UNISOLATED


class PendingDesk:
    """The pending proposal of a session."""

    source, title = Source.PROPOSAL, ""

    def __init__(self, review: PendingReview, place: Place, options: PlaceOptions) -> None:
        self._review, self._place, self._options = review, place, options
        self._journal = JournalDesk(place.workspace, place.journal)
        # A look at a large proposal takes long, and decisions are made meanwhile.
        self._lock = Lock()

    def look(self, *, anew: bool = False) -> Reviewed:
        with self._lock:
            return self._review.look(anew=anew)

    def act(self, make: Callable[[Review], Review]) -> Reviewed:
        with self._lock:
            self._review.keep(make(self._review.review))
            return self._review.look()

    def acts(self) -> int:
        return len(self._review.review.acts)

    def facts(self, view: Reviewed, path: str) -> list[HunkFacts]:
        return self._review.facts(view, {path})

    def steps(self, facts: HunkFacts) -> Sequence[tuple[Version, Step | None]]:
        return self._review.steps(facts)

    def tested(self, view: Reviewed, keys: Collection[str]) -> bool | None:
        return self._review.tested(view, keys)

    def carry_out(self, *, apply: Collection[str], reject: Collection[str], allowed: Collection[str]) -> Proposal:
        with self._lock:
            return self._review.carry_out(apply=apply, reject=reject, allowed=allowed)

    def plan(self, kind: Literal["undo", "redo"]) -> Reversal:
        return self._journal.plan(kind)

    def reverse(self, reversal: Reversal, allowed: Collection[str]) -> Operation:
        return self._journal.reverse(reversal, allowed)

    def tests(self, keys: Collection[str], on_output: Callable[[str], None]) -> BackgroundTests:
        return background_tests(self._place, self._options, self.look().proposal, keys, on_output)

    def is_confined(self) -> bool:
        return tests_are_confined(self._place, self._options)

    def edit_outside(self, path: str, data: bytes) -> bytes | None:
        from kcode.editor import edit_text  # noqa: PLC0415 - few sessions ever need it

        return edit_text(self._review.folder, path, data, os.environ)
