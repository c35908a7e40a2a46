"""Deciding about hunks: accept, reject, leave open, and undoing that. Nothing is written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.review import Decision, decide, subjects, undo_last
from kcode.tui.diff.summary import count_hunks
from kcode.tui.lines import Role
from kcode.tui.reviewstate import ordered_keys
from kcode.tui.screens.reviewarranging import ArrangingScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kcode.draft.review import Review


class DecidingScreen(ArrangingScreen):
    """Every decision is kept at once, so that a later process goes on from there."""

    async def act(self, make: Callable[[Review], Review]) -> bool:
        """Do something to the review and show it; False when that is not possible, which is said."""
        view = await self.asked(lambda: self.desk.act(make))
        if view is None or self.state is None:
            return False
        self.state.update(view)
        self.paint()
        return True

    async def action_accept(self, which: str) -> None:
        await self._decide(which, Decision.ACCEPTED)

    async def action_reject(self, which: str) -> None:
        await self._decide(which, Decision.REJECTED)

    async def action_leave_open(self, which: str) -> None:
        await self._decide(which, Decision.PENDING)

    async def action_toggle(self, which: str) -> None:
        """Accept a hunk, or leave it open again."""
        if self.state is not None:
            key = self.state.key if which == "*" else self.key_of(which)
            is_open = self.state.view.decisions.get(key) is Decision.PENDING
            # The sign that was clicked is what changes, so the cursor does not go on.
            await self._decide(which, Decision.ACCEPTED if is_open else Decision.PENDING, stay=True)

    async def _decide(self, which: str, decision: Decision, *, stay: bool = False) -> None:
        state = self.state
        if state is None:
            return
        key = state.key if which == "*" else self.key_of(which)
        if key not in state.view.decisions:
            return
        if decision is Decision.ACCEPTED and key in state.view.proposal.conflicts and self.desk.source.is_written:
            self.say(self.texts("review.conflict_refused"), Role.WARNING)
            return
        state.go(key)
        if not await self.act(lambda review: decide(review, [key], decision)):
            return
        self.say("")
        if which == "*" and not stay and decision is not Decision.PENDING:
            state.go(state.next_pending())
            self.paint()

    async def action_decide_file(self, accept: bool) -> None:
        """Decide all of the file that is not decided yet."""
        change = self.state.change if self.state else None
        if change is not None:
            await self._decide_all(ordered_keys(change), accept=accept)

    async def action_accept_all(self) -> None:
        """Accept all that is not decided yet, of what the filter leaves."""
        if self.state is not None:
            await self._decide_all(self.state.order(), accept=True)

    async def _decide_all(self, keys: Sequence[str], *, accept: bool) -> None:
        state = self.state
        if state is None:
            return
        pending = [key for key in keys if state.view.decisions.get(key) is Decision.PENDING]
        fitting = [key for key in pending if not accept or key not in state.view.proposal.conflicts]
        decision = Decision.ACCEPTED if accept else Decision.REJECTED
        if not fitting or not await self.act(lambda review: decide(review, fitting, decision)):
            return
        left = len(pending) - len(fitting)
        self.say(self.texts("review.conflicts_left", hunks=count_hunks(left, self.texts)) if left else "", Role.WARNING)

    async def action_undo_decision(self) -> None:
        """Take back the last thing that was done to the review, and go to where that was."""
        if self.desk.acts() == 0:
            self.say(self.texts("review.nothing_to_undo"), Role.DIM)
            return
        undone: list[str] = []

        def undo(review: Review) -> Review:
            undone.extend(subjects(review.acts[-1]) if review.acts else ())
            return undo_last(review)

        if await self.act(undo) and self.state is not None:
            view = self.state.view
            leaves = [leaf for key in undone for leaf in view.leaves(key)]
            self.state.go(next((key for key in self.state.order() if key in leaves), self.state.key))
            self.paint()
