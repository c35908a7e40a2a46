from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.agent.accounting import LAYERS, Account, Forecast, Layer
from kcode.agent.pins import Pins
from kcode.agent.tally import Tally
from kcode.agent.windowfiles import WindowFile
from kcode.messages import Usage
from kcode.tui.lines import join, plain, width_of
from kcode.tui.palette import PALETTES
from kcode.tui.screens.context import Compact, ContextScreen, account_rows, file_rows, next_pins, window_bar
from kcode.tui.texts import load_texts
from tests.tui.screens.show import BROAD, NARROW, TEXTS, showing, until

WINDOW = 262_144


def account(tokens: int = 96_000, cached: int = 92_160, window: int = WINDOW) -> Account:
    share = tokens // len(LAYERS)
    return Account(
        model="kimi-k2-thinking",
        window=window,
        room=window * 3 // 4,
        layers=tuple(Layer(name, share, name == "tools") for name in LAYERS),
        tokens=tokens,
        is_exact=False,
        last=Usage(92_000, 1_800, 88_000, 0.02, 900, True),
        spent=Tally(23, Usage(900_000, 40_000, 800_000, 0.3141, 1, True)),
        next=Forecast(cached, max(tokens - cached, 0), 0.0166),
        soft=window // 2,
        hard=window * 7 // 10,
        compactions=1,
    )


FILES = (WindowFile("src/parser.py", 12_400, 7), WindowFile("docs/说明.md", 900, 1))


@given(st.integers(0, 400_000), st.integers(0, 400_000), st.integers(1, WINDOW), st.integers(10, 150))
def test_the_bar_is_as_wide_as_there_is_room_and_shows_each_part_that_is_there(
    tokens: int, cached: int, window: int, width: int
) -> None:
    bar = plain(window_bar(account(tokens, cached, window), width))
    assert len(bar) == width
    assert bar.replace("╎", "").strip("░").strip("▓").strip("█") == ""


def test_the_bar_shows_cached_then_new_then_free_and_where_it_is_compacted() -> None:
    bar = plain(window_bar(account(60, 40, 100), 100))
    assert bar == "█" * 40 + "▓" * 10 + "╎" + "▓" * 9 + "░" * 10 + "╎" + "░" * 29


@given(st.integers(0, 300_000), st.integers(50, 150), st.sampled_from(["en", "zh"]))
@settings(max_examples=40)
def test_every_line_fits(tokens: int, width: int, language: str) -> None:
    texts = load_texts(language)
    rows = account_rows(account(tokens), width, texts) + file_rows(FILES, Pins(("a\x1b.py",)), width, texts)
    assert all(width_of(row.line) <= width for row in rows)
    assert not any(character < " " for row in rows for character in plain(row.line))


def test_it_says_what_kcode_context_says() -> None:
    text = join(row.line for row in account_rows(account(), 100, TEXTS))
    for piece in (
        "~96,000 of 262,144 tokens",
        "37%",
        "kcode's notes",
        "92,000 in, 96% of it cached, 1,800 out",
        "23 replies · 1 compaction · ≈ $0.3141",
        "92,160 probably cached, 3,840 new, about $0.0166 before any answer",
        "from 131,072 when a turn begins (35,072 to go)",
    ):
        assert piece in text
    unknown = replace(account(), next=Forecast(0, 96_000, None), spent=Tally(1, Usage(1, 1)))
    text = join(row.line for row in account_rows(unknown, 100, TEXTS))
    assert "96,000 new" in text
    assert "price unknown" in text
    assert "$" not in text


def test_one_key_goes_round_what_can_be_said_of_a_file() -> None:
    pins = next_pins(Pins(), "a")
    assert pins == Pins(kept=("a",))
    assert next_pins(pins, "a") == Pins(dropped=("a",))
    assert next_pins(next_pins(pins, "a"), "a") == Pins()


def test_keys_keep_and_drop_files_and_compact() -> None:
    said: list[Pins] = []

    async def walk() -> object:
        async with showing(ContextScreen(TEXTS, account(), FILES, Pins(), said.append)) as (app, pilot):
            await until(pilot, lambda: "of 262,144 tokens" in app.text())
            await pilot.press("end", "d", "up", "p")
            await until(pilot, lambda: "● kept" in app.text() and "○ dropped" in app.text())
            await pilot.press("p", "c", *"ids", "enter")
            return app.result

    assert asyncio.run(walk()) == Compact("ids")
    assert said[-2:] == [
        Pins(("src/parser.py",), ("docs/说明.md",)),
        Pins((), ("docs/说明.md",)),
    ]


def test_the_mouse_keeps_a_file_and_esc_changes_nothing_else() -> None:
    said: list[Pins] = []

    async def walk() -> object:
        async with showing(ContextScreen(TEXTS, account(), FILES, Pins(), said.append), BROAD) as (app, pilot):
            await until(pilot, lambda: "src/parser.py" in app.text())
            row = next(i for i, line in enumerate(app.text().splitlines()) if "说明" in line)
            await pilot.click(offset=(90, row))
            await pilot.click(offset=(90, row))
            await until(pilot, lambda: "● kept" in app.text())
            await pilot.press("c", "escape", "escape")
            return app.result

    assert asyncio.run(walk()) is None
    assert said == [Pins(("docs/说明.md",))]


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("size", [NARROW, BROAD])
def test_it_is_drawn_in_every_theme(theme: str, size: tuple[int, int]) -> None:
    async def walk() -> None:
        async with showing(ContextScreen(TEXTS, account(), FILES, Pins(), print), size, theme) as (app, pilot):
            await until(pilot, lambda: "of 262,144 tokens" in app.text())
            await pilot.press("pagedown")
            await until(pilot, lambda: "src/parser.py" in app.text())

    asyncio.run(walk())


def test_when_the_terminal_gets_narrower_the_account_stands_above_the_files() -> None:
    async def walk() -> None:
        async with showing(ContextScreen(TEXTS, account(), FILES, Pins(), print), BROAD) as (app, pilot):
            await until(pilot, lambda: "of 262,144 tokens" in app.text())
            await pilot.resize_terminal(80, 24)
            await until(pilot, lambda: "of 262,144 tokens" in app.text() and "Files in the window" not in app.text())
            await pilot.resize_terminal(150, 45)
            await until(pilot, lambda: "of 262,144 tokens" in app.text() and "Files in the window" in app.text())
            assert app.text().count("of 262,144 tokens") == 1

    asyncio.run(walk())
