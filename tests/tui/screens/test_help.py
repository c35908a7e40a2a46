from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.tui.lines import join, plain, width_of
from kcode.tui.palette import PALETTES
from kcode.tui.screens.help import HelpItem, HelpScreen, help_rows
from kcode.tui.texts import load_texts
from tests.tui.screens.show import BROAD, NARROW, TEXTS, showing, until

KEYS = [HelpItem("a", "accept the hunk", "Review"), HelpItem("ctrl+r", "search the history", "Composer")]
COMMANDS = [HelpItem(f"/command-{n}", f"does the thing number {n}", "Commands") for n in range(40)]
items = st.builds(HelpItem, st.text(max_size=50), st.text(max_size=50), st.sampled_from(["One", "Two"]))


@given(st.lists(items, max_size=5), st.integers(10, 90), st.sampled_from(["", "a", "one"]))
@settings(max_examples=60)
def test_every_line_fits_and_is_safe(found: list[HelpItem], width: int, filtered: str) -> None:
    rows = help_rows(found, filtered, width, "The draft.")
    assert all(width_of(row.line) <= width for row in rows)
    assert not any(character < " " for row in rows for character in plain(row.line))


def test_a_filter_keeps_what_has_all_its_words_in_name_words_or_heading() -> None:
    assert [plain(row.line) for row in help_rows(KEYS, "HUNK review", 60, "The draft.")] == [
        "Review",
        "a   accept the hunk",
    ]
    assert help_rows(KEYS, "nothing", 60) == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_draft_is_told_in_three_sentences(language: str) -> None:
    assert len(load_texts(language)("screens.draft_is").split("\n")) == 3


def test_all_of_it_can_be_reached_by_keys_and_a_filter_finds_the_rest() -> None:
    async def walk() -> object:
        async with showing(HelpScreen(TEXTS, KEYS, COMMANDS)) as (app, pilot):
            await until(pilot, lambda: "never writes your files" in app.text())
            await pilot.press("end")
            await until(pilot, lambda: "search the history" in app.text())
            await pilot.press("slash", *"number 7")
            await until(pilot, lambda: "/command-7" in app.text() and "history" not in app.text())
            await pilot.press("enter", "q")
            return app.result

    assert asyncio.run(walk()) is None


def test_the_mouse_pages_and_closes() -> None:
    async def walk() -> object:
        async with showing(HelpScreen(TEXTS, KEYS, COMMANDS)) as (app, pilot):
            await until(pilot, lambda: "PgDn" in app.text())
            foot = app.text().splitlines()
            await pilot.click(offset=(foot[23].index("PgDn"), 23))
            await until(pilot, lambda: "never writes" not in app.text())
            await pilot.click(offset=(foot[23].index("esc"), 23))
            return app.result

    assert asyncio.run(walk()) is None


@pytest.mark.parametrize("theme", PALETTES)
def test_it_is_drawn_in_every_theme(theme: str) -> None:
    async def walk() -> None:
        async with showing(HelpScreen(TEXTS, KEYS, COMMANDS), BROAD, theme) as (app, pilot):
            await until(pilot, lambda: "/command-9" in app.text())

    asyncio.run(walk())


def test_an_item_wider_than_the_list_stands_above_its_words() -> None:
    rows = help_rows([HelpItem("x" * 40, "words", "One")], "", NARROW[0])
    assert join(row.line for row in rows).split("\n")[1:] == ["x" * 40, " " * 25 + "words"]
