"""The review: deciding hunk by hunk what is written, and taking it back after."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from kcode.draft.review import Decision
from kcode.errors import KcodeError, ReadOnlyError
from kcode.sanitize import sanitize_names
from kcode.tui.diff.summary import caution, count_hunks, describe_reversal, describe_size, summarize
from kcode.tui.diff.why import explain
from kcode.tui.dismissal import leave
from kcode.tui.lines import Role, Span
from kcode.tui.reviewdesk import Source
from kcode.tui.screens.confirm import ConfirmScreen
from kcode.tui.screens.reviewkeys import BINDINGS
from kcode.tui.screens.reviewlooking import ReviewOutcome
from kcode.tui.screens.reviewproving import ProvingScreen
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from textual.binding import BindingType

    from kcode.tui.lines import Line

Done = TypeVar("Done")


class ReviewScreen(ProvingScreen):
    """Leaves with what was applied and rejected, or None when nothing was.

    `refresh_proposal()` looks at the draft anew, as after DraftChanged.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*BINDINGS]

    ends_when_done = False
    """Whether it is left by itself once all is applied or out of the draft; who opened it says so then."""

    _applied = _rejected = 0

    async def action_why(self) -> None:
        """The reasoning and the calls that led to the hunk, beside it; they follow the cursor."""
        self.show_side("why", ())
        await self._show_why()

    async def _show_why(self) -> None:
        facts = self.state.facts if self.state else None
        if self._side != "why":
            return
        if facts is None:
            self.side.show([(Span(self.texts("review.reading"), Role.DIM),)])
            return
        steps = await self.asked(lambda: self.desk.steps(facts))
        if steps is not None and self._side == "why":
            self.side.show(explain(facts, steps, self.texts))

    def moved_on(self) -> None:
        super().moved_on()
        self.on_learned()

    def on_learned(self) -> None:
        if self._side == "why":
            run_beside(self, self._show_why, group="why", exclusive=True)

    def action_apply(self) -> None:
        if self.has_class("-listing"):
            self.action_list_files()
        elif not self.desk.source.is_written:
            self.say(self.texts(f"review.source_{self.desk.source.value}"), Role.WARNING)
        else:
            run_beside(self, self._apply, group="carry")

    async def _apply(self) -> None:
        """Say what will be done, and do it once the user agrees."""
        view = self.state.view if self.state else None
        if view is None:
            return
        accepted, rejected = view.keys(Decision.ACCEPTED), view.keys(Decision.REJECTED)
        if not accepted and not rejected:
            self.say(self.texts("review.nothing_decided"), Role.WARNING)
            return
        lines = summarize(view, self.texts, is_draft=self.desk.source is Source.PROPOSAL)
        tested = await self.asked(lambda: self.desk.tested(view, accepted))
        if self._verdict is not None and self._verdict[0] == accepted:
            tested = self._verdict[2] is Role.GOOD
        lines += caution(view, tested, self.texts)
        if not await self._agreed(self.texts("review.apply_title"), lines, self.texts("review.apply_yes")):
            self.say(self.texts("review.apply_declined"), Role.DIM)
            return
        # Taking rejected hunks out needs no consent about read-only files, and is not to be done twice.
        written = await self._with_consent(
            lambda allowed: self.desk.carry_out(apply=accepted, reject=rejected, allowed=allowed)
        )
        if written is None:
            self.refresh_proposal()
            return
        self._applied, self._rejected = self._applied + len(accepted), self._rejected + len(rejected)
        said = "review.applied" if written else "review.dropped"
        hunks = count_hunks(len(accepted) or len(rejected), self.texts)
        await self._look()
        if self.ends_when_done and self.state is not None and not self.state.view.proposal.changes:
            leave(self, ReviewOutcome(self._applied, self._rejected))
            return
        back = "screen.take_back('undo')" if written else ""
        self.say(self.texts(said, hunks=hunks, size=describe_size(written, self.texts)), Role.GOOD, back)

    async def action_take_back(self, kind: Literal["undo", "redo"]) -> None:
        """Take back what was applied last, or do it again, once it was shown what that writes."""
        run_beside(self, partial(self._take_back, kind), group="carry")

    async def _take_back(self, kind: Literal["undo", "redo"]) -> None:
        plan = await self.asked(lambda: self.desk.plan(kind))
        if plan is None:
            return
        lines = describe_reversal(plan, self.texts)
        if not await self._agreed(self.texts(f"review.{kind}_title"), lines, self.texts(f"review.{kind}_yes")):
            self.say(self.texts(f"review.{kind}_declined"), Role.DIM)
            return
        done = await self._with_consent(lambda allowed: self.desk.reverse(plan, allowed))
        if done is not None:
            await self._look()
            other = "redo" if kind == "undo" else "undo"
            said = self.texts(f"review.{kind}_done", names=sanitize_names(done.paths))
            self.say(said, Role.GOOD, f"screen.take_back('{other}')")

    async def _agreed(self, title: str, lines: Sequence[Line], yes: str) -> bool:
        answer = await self.app.push_screen_wait(ConfirmScreen(title, lines, self.texts, yes))
        return bool(answer)

    async def _with_consent(self, act: Callable[[Collection[str]], Done]) -> Done | None:
        """Do it in a thread, and once more with the read-only files in the way, if the user agrees; None: it failed.

        What is being written is written to its end: half of it would be worse than all or nothing.
        """
        self.mode = "busy"
        self.say(self.texts("review.writing"), Role.WARNING)
        try:
            return await asyncio.to_thread(act, ())
        except ReadOnlyError as error:
            paths = error.paths
            words = (Span(self.texts("review.read_only", names=sanitize_names(paths)), Role.WARNING),)
            if await self._agreed(self.texts("review.read_only_title"), [words], self.texts("review.read_only_yes")):
                return await self.asked(lambda: act(paths))
            self.say(self.texts("review.read_only_declined"), Role.DIM)
        except KcodeError as error:
            self.say(str(error), Role.BAD)
        finally:
            self.mode = "look"
        return None

    def action_close(self) -> None:
        """One step back: from the list of files, the filter, the pane beside the diff; then out."""
        if self.has_class("-listing"):
            self.action_list_files()
        elif self.drop_filter():
            return
        elif self._side:
            self.hide_side()
        elif self.mode == "busy":
            self.say(self.texts("review.writing_still"), Role.WARNING)
        elif self.mode == "look":
            done = self._applied + self._rejected
            leave(self, ReviewOutcome(self._applied, self._rejected) if done else None)
