"""What the review says before something is written that conflicts, does not parse, or was not tested."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kcode.draft.review import Cut, Decision, decide, divide
from kcode.results import CommandResult, TestReport
from tests.tui.reviewing import desk_of, live_desk_of, walking

if TYPE_CHECKING:
    from tests.headless.proposals import Proposed


def test_the_summary_says_what_speaks_against_it(proposed: Proposed) -> None:
    proposed.edit("invoice.py", ("round(sum(self.lines), 2)", "sum(\n            self.lines\n        )"))
    review = proposed.review()
    change = review.look().proposal.changes[0]
    review.keep(divide(review.review, change.hunks[0], Cut(1, 1)))
    keys = [hunk.id for hunk in review.look().proposal.changes[0].hunks]
    review.keep(decide(review.review, keys[:1], Decision.ACCEPTED))

    async def walk_through() -> None:
        async with walking(live_desk_of(proposed)) as walk:
            await walk.press("enter")
            await walk.see("invoice.py does not parse any more after this.", "The tests were not run over just this.")
            await walk.press("n", "ctrl+a")
            proposed.draft.versions.note_tests(TestReport("pytest", CommandResult(1, ""), 1, 1, 0))
            await walk.press("enter")
            await walk.see("Apply what was decided?", "Tests fail with this.")
            assert "parse any more" not in walk.text

    asyncio.run(walk_through())


def test_a_conflict_says_which_lines_it_is_about_and_ends_with_an_edit(proposed: Proposed) -> None:
    path = proposed.root / "notes.txt"
    path.write_text("one\nmine\nthree\nfour\n")

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("J")
            await walk.see("It would replace your line 2, where you changed something.")
            await walk.press("e")
            await walk.until(lambda: walk.screen.mode == "edit")
            walk.write("mine and zwei")
            await walk.press("ctrl+s")
            await walk.see("edited by you")
            assert "conflict" not in walk.text
            await walk.press("K", "J", "a")
            await walk.see("decided 1 of 5")
            await walk.press("enter")
            await walk.see("Apply what was decided?")
            await walk.press("y")
            await walk.see("Applied")

    asyncio.run(walk_through())
    assert path.read_text() == "one\nmine and zwei\nthree\nfour\n"


def test_saving_a_conflict_as_it_is_takes_it_over_the_users_lines(proposed: Proposed) -> None:
    path = proposed.root / "notes.txt"
    path.write_text("one\nmine\nthree\nfour\n")

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("J", "e")
            await walk.until(lambda: walk.screen.mode == "edit")
            await walk.press("ctrl+s")
            await walk.until(lambda: "conflict" not in walk.text)
            await walk.press("a")
            await walk.see("decided 1 of 5")

    asyncio.run(walk_through())


def test_lines_next_to_what_the_user_took_out_are_said_to_stand_there(proposed: Proposed) -> None:
    (proposed.root / "notes.txt").write_text("one\nthree\nfour\n")

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("J")
            await walk.see("You changed or took out lines next to your line 1", "1 conflict")

    asyncio.run(walk_through())
