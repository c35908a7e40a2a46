from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kcode.agent.place import open_place
from kcode.options import PlaceOptions
from kcode.tui.diff.comments import comments_as_markdown
from kcode.tui.openreview import open_desk, read_any
from kcode.tui.reviewdesk import Source
from tests.headless.proposals import FILES, INVOICE
from tests.repositories import git, new_repository
from tests.tui.reviewing import walking

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.tui.reviewdesk import ReviewDesk


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return new_repository(tmp_path / "work", FILES)


def patch_of(root: Path) -> bytes:
    """A patch of two files, which the files are then without again."""
    (root / "invoice.py").write_text(INVOICE.replace("0.2", "0.25").replace("post(self)", "mail(self)"))
    (root / "notes.txt").write_text("one\nzwei\nthree\nfour\n")
    patch = git(root, "diff").encode()
    git(root, "checkout", "-q", ".")
    return patch


def desk_for(root: Path, words: str, patch: bytes | None = None) -> ReviewDesk:
    desk, warnings = open_desk(words, patch, PlaceOptions(root))
    assert desk is not None
    assert warnings == []
    return desk


def test_what_is_accepted_of_a_patch_is_written_and_taken_back(root: Path) -> None:
    desk = desk_for(root, "-", patch_of(root))
    assert desk.source is Source.PATCH

    async def walk_through() -> None:
        async with walking(desk) as walk:
            await walk.see("2 files", "decided 0 of 3", "class Invoice, def tax")
            await walk.press("a", "x", "enter")
            await walk.see("Written to your files: 1 hunk", "Not written: 1 hunk", "Stays pending: 1 hunk.")
            await walk.press("y")
            await walk.see("Applied: 1 hunk in 1 file, +1 -1.", "decided 1 of 2")
            assert (root / "invoice.py").read_text() == INVOICE.replace("0.2", "0.25")
            await walk.press("ctrl+z", "y")
            await walk.see("Taken back: invoice.py", "decided 1 of 3")

    asyncio.run(walk_through())
    assert (root / "invoice.py").read_text() == INVOICE


@pytest.mark.parametrize("words", ["-", "HEAD~1..", "HEAD"])
def test_what_is_there_already_can_be_commented_and_is_not_written(root: Path, words: str) -> None:
    (root / "invoice.py").write_text(INVOICE.replace("0.2", "0.25"))
    if words != "-":
        git(root, "commit", "-qam", "tax")
    present = git(root, "diff").encode() if words == "-" else None
    desk = desk_for(root, words, present)
    assert desk.source is Source.PRESENT

    async def walk_through() -> None:
        async with walking(desk) as walk:
            await walk.press("c")
            walk.write("why not 0.19?")
            await walk.press("enter")
            await walk.see("# why not 0.19?")
            await walk.press("x", "enter")
            await walk.see("These changes are in your files or in git already")

    asyncio.run(walk_through())
    assert comments_as_markdown(desk.look()) == (
        "## invoice.py:6 (rejected)\n\nwhy not 0.19?\n\n"
        "```diff\n-        return self.total() * 0.2\n+        return self.total() * 0.25\n```\n"
    )


def test_a_patch_for_other_files_shows_what_it_holds(root: Path) -> None:
    patch = patch_of(root).replace(b"def tax", b"def toll")
    desk = desk_for(root, "-", patch)
    assert desk.source is Source.EXCERPT

    async def walk_through() -> None:
        async with walking(desk) as walk:
            await walk.see("lines that the patch does not hold", "def toll(self)", "0.25")
            await walk.press("Z", "a", "enter")
            await walk.see("This patch was made for other files")

    asyncio.run(walk_through())


def test_a_patch_that_is_in_the_files_in_part_is_an_excerpt(root: Path) -> None:
    patch = patch_of(root)
    (root / "notes.txt").write_text("one\nzwei\nthree\nfour\n")
    assert read_any(patch, open_place(PlaceOptions(root)))[1] is Source.EXCERPT


def test_nothing_pending_gives_no_desk(root: Path) -> None:
    assert open_desk("", None, PlaceOptions(root)) == (None, [])
