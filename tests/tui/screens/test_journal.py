from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.draft.entries import read_entries, standings
from kcode.draft.files import Change
from kcode.draft.hunks import propose
from kcode.draft.journal import operations
from kcode.tui.difflines import diff_lines
from kcode.tui.lines import plain, width_of
from kcode.tui.palette import PALETTES
from kcode.tui.screens.journal import JournalScreen, journal_rows
from tests.draft.desk import Desk, text
from tests.tui.screens.show import BROAD, NARROW, TEXTS, settled, showing, until

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.operations import Operation

OLD = b"".join(b"line %d\n" % number for number in range(30))
NEW = OLD.replace(b"line 3\n", b"line three\n")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A journal with an apply that stands, one that was undone, and that undo."""
    made = Desk(tmp_path)
    made.write("src/parser.py", OLD)
    made.apply(Change("src/parser.py", text(OLD), text(NEW)))
    made.apply(Change("docs/new.md", None, text(b"# new\n")))
    made.undo()
    return made


def screen(desk: Desk, written: list[Operation] | None = None) -> JournalScreen:
    keep = [] if written is None else written
    return JournalScreen(
        TEXTS, desk.workspace, desk.journal, title_of=lambda label: f"what {label} did", on_written=keep.append
    )


def test_each_operation_says_how_it_stands(desk: Desk) -> None:
    assert standings(operations(desk.journal)) == {1: "in force", 2: "undone", 3: "reversal"}
    now = datetime.now(UTC)
    rows = [
        plain(row.line) for row in journal_rows(read_entries(desk.journal, 9), 76, TEXTS, now, {"a test": "A TEST"})
    ]
    assert rows[6].startswith("● 1 Apply  1 file +1 -1")
    assert rows[6].endswith("just now")
    assert rows[7] == "  in force · src/parser.py · A TEST"
    assert rows[0].startswith("↶ 3 Undo of 2")
    assert "undone · docs/new.md" in rows[4]


@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(10, 60))
@settings(max_examples=60)
def test_a_diff_of_whatever_bytes_fits_and_is_safe(old: bytes, new: bytes, width: int) -> None:
    proposal = propose([Change("a\x1b[31m.py", text(old), text(new))] if old != new else [])
    lines = diff_lines(proposal, width, TEXTS)
    assert all(width_of(line) <= width for line in lines)
    assert not any(character < " " or 0xD800 <= ord(character) < 0xE000 for line in lines for character in plain(line))


def test_the_diff_names_files_and_marks_each_line_with_a_sign() -> None:
    proposal = propose([Change("a.py", text(OLD), text(NEW)), Change("gone", text(b"x\n"), None)])
    assert [plain(line).rstrip() for line in diff_lines(proposal, 30, TEXTS)] == [
        "a.py",
        "line 4",
        "- line 3",
        "+ line three",
        "",
        "gone  deleted",
        "line 1",
        "- x",
    ]


def test_an_undo_is_planned_shown_and_written_after_a_yes(desk: Desk) -> None:
    changed = NEW.replace(b"line 20\n", b"mine\n")
    desk.write("src/parser.py", changed)

    async def walk() -> None:
        written: list[Operation] = []
        async with showing(screen(desk, written)) as (app, pilot):
            await settled(pilot)
            await pilot.press("end", "u")
            await until(pilot, lambda: "Undo 1 like that?" in app.text())
            assert "changed since; your changes stay" in app.text()
            assert "+ line 3" in app.text()
            assert (desk.root / "src/parser.py").read_bytes() == changed
            await pilot.press("n")
            await until(pilot, lambda: "u undo" in app.text())
            assert written == []
            await pilot.press("u")
            await until(pilot, lambda: "Undo 1 like that?" in app.text())
            await pilot.press("y")
            await until(pilot, lambda: "Undone: src/parser.py" in app.text())
            assert [operation.kind for operation in written] == ["undo"]

    asyncio.run(walk())
    assert (desk.root / "src/parser.py").read_bytes() == OLD.replace(b"line 20\n", b"mine\n")


def test_what_was_undone_is_done_again_from_its_own_row(desk: Desk) -> None:
    async def walk() -> None:
        async with showing(screen(desk), BROAD) as (app, pilot):
            await settled(pilot)
            await pilot.press("down", "r")
            await until(pilot, lambda: "Redo" in app.text() and "new file" in app.text())
            await pilot.press("y")
            await until(pilot, lambda: "Redone: docs/new.md" in app.text())

    asyncio.run(walk())
    assert (desk.root / "docs/new.md").read_bytes() == b"# new\n"


def test_what_cannot_be_undone_without_loss_is_refused_in_words(desk: Desk) -> None:
    desk.write("src/parser.py", NEW.replace(b"line three\n", b"line 3, as I want it\n"))

    async def walk() -> None:
        async with showing(screen(desk)) as (app, pilot):
            await settled(pilot)
            await pilot.press("end", "u")
            await until(pilot, lambda: "✗" in app.text())
            assert "src/parser.py" in app.text().split("✗")[1]

    asyncio.run(walk())
    assert b"as I want it" in (desk.root / "src/parser.py").read_bytes()


def test_a_read_only_file_is_written_only_after_another_yes(desk: Desk) -> None:
    (desk.root / "src/parser.py").chmod(0o444)

    async def walk() -> None:
        async with showing(screen(desk)) as (app, pilot):
            await settled(pilot)
            await pilot.press("end", "u")
            await until(pilot, lambda: "Undo 1 like that?" in app.text())
            await pilot.press("y")
            await until(pilot, lambda: "Read-only: src/parser.py" in app.text())
            await pilot.press("y")
            await until(pilot, lambda: "Undone" in app.text())

    asyncio.run(walk())


def test_the_mouse_reads_a_diff_and_goes_back_to_the_list(desk: Desk) -> None:
    async def walk() -> None:
        async with showing(screen(desk)) as (app, pilot):
            await settled(pilot)
            await pilot.click("#operations", offset=(5, 7))
            await pilot.click("#operations", offset=(5, 7))
            await until(pilot, lambda: "+ line three" in app.text())
            await pilot.click(offset=(app.text().splitlines()[23].index("list"), 23))
            await until(pilot, lambda: "in force" in app.text())
            await pilot.press("escape")
            assert app.result is None

    asyncio.run(walk())


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("size", [NARROW, BROAD])
def test_it_is_drawn_in_every_theme(desk: Desk, theme: str, size: tuple[int, int]) -> None:
    async def walk() -> None:
        async with showing(screen(desk), size, theme) as (app, pilot):
            await settled(pilot)
            assert "Undo of 2" in app.text()
            assert ("- # new" in app.text()) == (size == BROAD)

    asyncio.run(walk())


def test_an_empty_journal_says_so(tmp_path: Path) -> None:
    async def walk() -> None:
        async with showing(screen(Desk(tmp_path))) as (app, pilot):
            await settled(pilot)
            assert "written nothing here yet" in app.text()

    asyncio.run(walk())
