from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING

import pytest

from kcode.agent.place import open_place
from kcode.draft.review import Decision, comment, decide
from kcode.tui.pendingdesk import PendingDesk
from kcode.tui.screens.reviewlooking import ReviewOutcome
from tests.headless.proposals import INVOICE, Proposed
from tests.tui.reviewing import desk_of, live_desk_of, walking

if TYPE_CHECKING:
    from collections.abc import Collection

    from kcode.draft.files import Proposal

ROUNDED = INVOICE.replace("sum(self.lines)", "round(sum(self.lines), 2)")
SENT = ROUNDED.replace("Invoice().send()", "Invoice().send()\n    print('sent')")


@pytest.mark.parametrize("size", [(80, 24), (150, 45)])
def test_a_review_from_the_first_look_to_undo_and_redo(proposed: Proposed, size: tuple[int, int]) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), size) as walk:
            await walk.see("3 files", "decided 0 of 5", "class Invoice, def total")
            await walk.press("a", "c")
            walk.write("the rate is 20 %")
            await walk.press("enter")
            await walk.see("# the rate is 20 %")
            await walk.press("x", "a")
            await walk.see("notes.txt", "decided 3 of 5")
            await walk.press("s", "enter")
            await walk.see("decided 3 of 6", "hunk 1 of 2")
            await walk.press("e")
            walk.write("deux")
            await walk.press("ctrl+s")
            await walk.see("+ deux", "edited by you")
            await walk.press("a", "x", "enter")
            await walk.see("Written to your files: 3 hunks in 2 files, +3 -2", "Taken out of the draft: 2 hunks")
            await walk.press("y")
            await walk.see("Applied: 3 hunks in 2 files, +3 -2.")
            assert proposed.read("invoice.py") == SENT
            assert proposed.read("notes.txt") == "one\ndeux\nthree\nfour\n"
            await walk.press("ctrl+z")
            await walk.see("Take back what was applied last?", "M invoice.py", "M notes.txt")
            await walk.press("y")
            await walk.see("Taken back: invoice.py, notes.txt.")
            assert proposed.read("invoice.py") == INVOICE
            await walk.press("ctrl+y")
            await walk.see("Apply again")
            await walk.press("y")
            await walk.see("Applied again")
            assert proposed.read("invoice.py") == SENT
            await walk.press("q")
            assert walk.app.left == [ReviewOutcome(3, 2)]

    asyncio.run(walk_through())
    told = proposed.review().message()
    assert "> the rate is 20 %\n" in told
    assert "hunk" in told


def test_a_click_beside_the_open_box_leaves_the_keys_there(proposed: Proposed) -> None:
    async def go() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("e")
            await walk.see("The new lines of this hunk")
            await walk.click("invoice.py")
            await walk.click("class Invoice")
            await walk.press("Q", "escape")
            await walk.until(lambda: "The new lines of this hunk" not in walk.text)

    asyncio.run(go())


def test_the_same_by_mouse_alone(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), (150, 45)) as walk:
            await walk.click("accept · reject")
            await walk.click("accept · ")
            await walk.see("[✓] class Invoice, def total")
            await walk.click("[ ] class Invoice, def tax"[:3])
            await walk.see("[✓] class Invoice, def tax", "decided 2 of 5")
            await walk.click("[✓]", 1)
            await walk.see("[ ] class Invoice, def tax", "decided 1 of 5")
            await walk.click("notes.txt")
            await walk.see("+ zwei", "file 2 of 3")
            await walk.click("x reject")
            await walk.see("decided 2 of 5")
            await walk.click("enter apply")
            await walk.see("Apply what was decided?")
            await walk.click("y do it")
            await walk.see("Applied: 1 hunk in 1 file")
            assert proposed.read("invoice.py") == ROUNDED
            await walk.click("esc back")
            assert walk.app.left == [ReviewOutcome(1, 1)]

    asyncio.run(walk_through())


def test_nothing_is_written_without_a_yes_to_the_summary(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("enter")
            await walk.see("Nothing is accepted or rejected yet")
            await walk.press("ctrl+a", "enter")
            await walk.see("Written to your files: 5 hunks in 3 files", "Nothing stays pending")
            await walk.press("enter", "n")
            await walk.see("Nothing was written. Your decisions are kept.")
            assert proposed.read("invoice.py") == INVOICE
            await walk.press("escape")
            assert walk.app.left == [None]

    asyncio.run(walk_through())
    assert len(proposed.review().look().keys(Decision.ACCEPTED)) == 5


def test_keys_that_were_meant_for_what_stood_there_before_decide_nothing(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), grace=1e9) as walk:
            await walk.press("a", "x", "ctrl+a", "space")
            await walk.click("accept · ")
            await walk.see("decided 0 of 5")

    asyncio.run(walk_through())


def test_decisions_are_undone_one_by_one(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("space", "j", "r")
            await walk.see("[✓]", "[✗]", "decided 2 of 5")
            await walk.press("u")
            await walk.see("decided 1 of 5", "hunk 2 of 3")
            await walk.press("u", "u")
            await walk.see("decided 0 of 5", "There is no decision to undo.")
            await walk.press("R")
            await walk.see("decided 3 of 5")

    asyncio.run(walk_through())


def test_why_a_hunk_is_as_it_is_stands_beside_it_and_follows(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("w")
            await walk.see("Cents get lost ␛[31mhere.", "edit_file", "path: invoice.py")
            assert "functions.edit_file:0" not in walk.text
            await walk.press("j")
            await walk.see("The tax too.")
            assert "Cents get lost" not in walk.text
            await walk.press("w")
            assert "The tax too." not in walk.text

    asyncio.run(walk_through())


def test_the_cursor_and_decisions_stay_while_the_proposal_changes_underneath(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(live_desk_of(proposed)) as walk:
            await walk.press("a", "j")
            await walk.see("decided 1 of 5", "hunk 3 of 3")
            key = walk.screen.state.key if walk.screen.state else ""
            proposed.edit("invoice.py", ("class Invoice:", "class Invoice(Paper):"))
            proposed.edit("notes.txt", ("four\n", "4\n"))
            walk.screen.refresh_proposal()
            await walk.see("decided 1 of 7", "hunk 4 of 4", "[ ] class Invoice  +1 -1  new")
            assert walk.screen.state is not None
            assert walk.screen.state.key == key
            await walk.press("K")
            await walk.see("old.bin")

    asyncio.run(walk_through())


def test_what_would_undo_the_users_own_change_cannot_be_accepted(proposed: Proposed) -> None:
    path = proposed.root / "notes.txt"
    path.write_text("one\nmine\nthree\nfour\n")

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("J", "a")
            await walk.see("You changed something there since", "1 conflict", "decided 0 of 5")
            await walk.press("ctrl+a")
            await walk.see("decided 4 of 5", "Left open")

    asyncio.run(walk_through())
    assert path.read_text() == "one\nmine\nthree\nfour\n"


def test_a_decision_of_another_process_is_not_overwritten(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            other = proposed.review()
            other.keep(comment(other.review, proposed.ids()[0], "mine"))
            await walk.press("a")
            await walk.see("Another kcode kept decisions")

    asyncio.run(walk_through())
    assert list(proposed.review().look().comments.values()) == ["mine"]


def test_a_filter_leaves_the_files_and_hunks_with_a_text(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("slash")
            walk.screen.filter_box.value = "ZWEI"
            await walk.press("enter")
            await walk.see("/ZWEI", "file 1 of 1", "+ zwei")
            assert "old.bin" not in walk.text
            await walk.press("ctrl+a")
            await walk.see("decided 1 of 5")
            await walk.press("escape")
            await walk.see("file 2 of 3", "old.bin")
            assert walk.app.left == []

    asyncio.run(walk_through())


def test_views_folds_and_blanks_change_what_is_shown_alone(proposed: Proposed) -> None:
    lines = [f"line {number}\n" for number in range(60)]
    (proposed.root / "long.txt").write_text("".join(lines))
    proposed.edit("long.txt", ("line 30\n", "line\t30\n"))

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("J")
            await walk.see("⋯ 27 unchanged lines", "⋯ 26 unchanged lines")
            await walk.press("b")
            await walk.see("line→   30")
            await walk.press("b", "v")
            await walk.until(lambda: any("- line 30" in line and "+ line" in line for line in walk.text.split("\n")))
            await walk.press("v")
            await walk.click("⋯ 27 unchanged lines")
            await walk.until(lambda: "27 unchanged" not in walk.text)
            await walk.press("Z")
            await walk.until(lambda: "unchanged" not in walk.text)
            await walk.press("Z")
            await walk.see("⋯ 27 unchanged lines")

    asyncio.run(walk_through())


def test_lines_are_copied_without_numbers_and_signs(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            lines = walk.text.split("\n")
            first = next(y for y, line in enumerate(lines) if "- " in line and "return sum" in line)
            await walk.pilot.mouse_down(offset=(lines[first].index("return"), first))
            await walk.pilot.hover(offset=(100, first + 1))
            await walk.pilot.mouse_up(offset=(100, first + 1))
            copied = walk.screen.get_selected_text()
            assert copied == "return sum(self.lines)\n        return round(sum(self.lines), 2)"

    asyncio.run(walk_through())


def test_on_a_small_screen_the_files_come_at_a_key(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), (80, 24)) as walk:
            assert "old.bin" not in walk.text
            await walk.press("l")
            await walk.see("M invoice.py", "M notes.txt", "M old.bin")
            await walk.press("j", "j", "enter")
            await walk.see("binary file, 2 → 2 bytes", "file 3 of 3")
            assert "invoice.py" not in walk.text

    asyncio.run(walk_through())


def test_a_read_only_file_is_asked_for(proposed: Proposed) -> None:
    (proposed.root / "notes.txt").chmod(0o444)

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("J", "a", "enter", "y")
            await walk.see("Read-only: notes.txt")
            await walk.press("y")
            await walk.see("Applied: 1 hunk in 1 file, +2 -1.")

    asyncio.run(walk_through())
    assert proposed.read("notes.txt") == "one\nzwei\n2\nthree\nfour\n"


class Slow(PendingDesk):
    """Writes once it may."""

    may = Event()

    def carry_out(self, *, apply: Collection[str], reject: Collection[str], allowed: Collection[str]) -> Proposal:
        assert self.may.wait(60)
        return super().carry_out(apply=apply, reject=reject, allowed=allowed)


def test_what_is_being_written_is_written_to_its_end(proposed: Proposed) -> None:
    desk = Slow(proposed.review(), open_place(proposed.place), proposed.place)
    desk.may = Event()

    async def walk_through() -> None:
        async with walking(desk, (100, 24)) as walk:
            await walk.press("a", "enter", "y")
            await walk.see("Writing …")
            await walk.press("x", "escape")
            await walk.see("It is being written, which is done whole or not at all; esc goes back after that.")
            assert "decided 1 of 5" in walk.text
            assert proposed.read("invoice.py") == INVOICE
            desk.may.set()
            await walk.see("Applied: 1 hunk in 1 file")
            assert proposed.read("invoice.py") == ROUNDED
            await walk.press("escape")
            assert walk.app.left == [ReviewOutcome(1, 0)]

    asyncio.run(walk_through())


def test_what_was_decided_before_is_there_again(proposed: Proposed) -> None:
    review = proposed.review()
    review.keep(decide(review.review, proposed.ids()[:2], Decision.REJECTED))

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.see("[✗] class Invoice, def total", "decided 2 of 5")

    asyncio.run(walk_through())
