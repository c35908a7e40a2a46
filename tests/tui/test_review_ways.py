"""At the smallest size of a terminal a review says what to do, and how to move in what it shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kcode.agent.place import open_place
from kcode.draft.review import Review, reviewed
from kcode.options import PlaceOptions
from kcode.tui.diff.draw import Look, draw
from kcode.tui.diff.layout import place
from kcode.tui.diff.notes import notes_of
from kcode.tui.diff.rows import Kind, Shape
from kcode.tui.diff.sheet import Sheet, Standing
from kcode.tui.lines import Span, plain, wrap
from kcode.tui.patchdesk import PatchDesk
from kcode.tui.reviewdesk import Source
from kcode.tui.screens.reviewkeys import explain_keys, is_open
from kcode.tui.texts import LANGUAGES, load_texts
from kcode.tui.widgets.draftpane import DraftPane
from tests.draft.reviews import proposal_of
from tests.tui.reviewing import desk_of, walking
from tests.tui.stage import Stage, shown

if TYPE_CHECKING:
    from kcode.draft.files import Proposal
    from tests.headless.proposals import Proposed

SMALL = (80, 24)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [40, 80])
def test_a_conflict_says_in_full_what_to_do(language: str, width: int) -> None:
    texts = load_texts(language)
    change = proposal_of(f=(b"a\n", b"b\n")).changes[0]
    key = change.hunks[0].id
    sheet = Sheet(change, texts, {key: Standing(conflicts=True, comment="so " * 60)})
    look, rows = Look(width), sheet.rows(Shape())
    placed = place(sheet, rows, look)
    lines = [plain(line) for row in rows if row.kind is Kind.NOTE for line in draw(sheet, row, look)]
    said = "".join(lines).replace(" ", "")
    for _, text in notes_of(sheet, key):
        assert text.replace(" ", "") in said
    assert "so" * 60 in said
    assert "…" not in said
    assert placed.total == sum(len(draw(sheet, row, look)) for row in rows)
    assert [placed.at(y) for y in range(placed.total)] == [
        (row, part) for row in rows for part in range(len(draw(sheet, row, look)))
    ]


def test_what_is_said_of_a_conflict_stands_there_in_full(proposed: Proposed) -> None:
    (proposed.root / "notes.txt").write_text("one\nmine\nthree\nfour\n")

    async def walk_through() -> None:
        async with walking(desk_of(proposed), SMALL) as walk:
            await walk.press("J", "a")
            said = walk.screen.texts("review.conflict_refused")
            rows = wrap((Span(said),), SMALL[0] - 2)
            await walk.see(*(plain(row) for row in rows))
            await walk.press("k")
            await walk.until(lambda: plain(rows[-1]) not in walk.text)

    asyncio.run(walk_through())


def test_the_pane_of_keys_is_read_to_its_end_by_keys(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), SMALL) as walk:
            await walk.press("question_mark")
            await walk.see("next and previous hunk", "PgDn PgUp scroll  esc closes")
            for _ in range(6):
                await walk.press("pagedown")
            await walk.see("tests fail with them", "so many of its hunks are decided")
            assert "next and previous hunk" not in walk.text
            for _ in range(6):
                await walk.press("pageup")
            await walk.see("next and previous hunk")
            await walk.press("escape")
            await walk.until(lambda: "next and previous hunk" not in walk.text)
            assert walk.app.left == []

    asyncio.run(walk_through())


def test_without_a_pane_beside_it_pages_are_the_diffs(proposed: Proposed) -> None:
    long = "".join(f"{number}\n" for number in range(100))
    proposed.edit("notes.txt", ("four\n", long))

    async def walk_through() -> None:
        async with walking(desk_of(proposed), SMALL) as walk:
            await walk.press("J")
            await walk.see("notes.txt", "+ zwei")
            before = walk.screen.body.scroll_offset.y
            await walk.press("pagedown")
            await walk.until(lambda: walk.screen.body.scroll_offset.y > before)

    asyncio.run(walk_through())


def test_a_declined_undo_says_what_was_declined(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), SMALL) as walk:
            await walk.press("a", "enter", "y")
            await walk.see("Applied: 1 hunk")
            await walk.press("ctrl+z", "n")
            await walk.see("Nothing was taken back: what was applied stays.")
            await walk.press("ctrl+z", "y")
            await walk.see("Taken back")
            await walk.press("ctrl+y", "n")
            await walk.see("Nothing was applied again.")

    asyncio.run(walk_through())


def test_while_a_hunk_is_split_its_marks_are_no_digits_and_other_keys_do_nothing(proposed: Proposed) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(proposed), (150, 45)) as walk:
            await walk.press("J", "s")
            await walk.see("Lines marked ▲", "▲  2", "▼")
            before = walk.screen.body.look.split
            await walk.press("v", "b", "W", "a", "w", "question_mark")
            assert walk.screen.body.look.split is before
            assert not walk.screen.body.look.blanks
            await walk.see("decided 0 of 5")
            await walk.press("escape")
            await walk.until(lambda: "▲" not in walk.text)

    asyncio.run(walk_through())


@pytest.mark.parametrize("source", [Source.PATCH, Source.PRESENT, Source.EXCERPT])
def test_what_cannot_be_is_neither_offered_nor_done(source: Source) -> None:
    help_ = "\n".join(plain(line) for line in explain_keys(source, load_texts()))
    assert not is_open("why", "look", source)
    assert "why:" not in help_
    assert is_open("test", "look", source) is source.is_written
    assert ("test what is accepted" in help_) is source.is_written


def test_of_a_patch_that_is_there_already_leaving_prints_the_comments(proposed: Proposed) -> None:
    def read() -> tuple[Proposal, Source]:
        return reviewed(proposal_of(f=(b"a\n", b"b\n")), Review()).proposal, Source.PRESENT

    desk = PatchDesk(read, open_place(proposed.place), PlaceOptions(proposed.root), "a patch")

    async def walk_through() -> None:
        async with walking(desk, SMALL) as walk:
            await walk.see("esc leave, print comments")
            before = walk.text
            await walk.press("w", "t", "T")
            assert walk.text == before
            await walk.press("escape")
            assert walk.app.left == [None]

    asyncio.run(walk_through())


def test_a_press_to_the_side_goes_some_columns(proposed: Proposed) -> None:
    proposed.edit("notes.txt", ("four\n", "word " * 60 + "\n"))

    async def walk_through() -> None:
        async with walking(desk_of(proposed), SMALL) as walk:
            await walk.press("J", "right")
            await walk.until(lambda: walk.screen.body.scroll_offset.x == 8)
            await walk.press("right", "left")
            await walk.until(lambda: walk.screen.body.scroll_offset.x == 8)

    asyncio.run(walk_through())


def test_the_draft_beside_the_conversation_is_wrapped_where_the_user_wants_that(proposed: Proposed) -> None:
    proposed.edit("invoice.py", ("print('sent')", f"print('{'word ' * 60}the end')"))

    async def look(*, wrap: bool) -> str:
        pane = DraftPane(load_texts(), wrap=wrap)
        app = Stage(pane)
        async with app.run_test(size=SMALL) as pilot:
            pane.show(proposed.review().look())
            await pilot.pause()
            return shown(app)

    assert "the end" in asyncio.run(look(wrap=True))
    assert "the end" not in asyncio.run(look(wrap=False))
