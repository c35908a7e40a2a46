from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.errors import UsageError
from kcode.tui.lines import plain, width_of
from kcode.tui.palette import PALETTES
from kcode.tui.screens.settings import Origin, Setting, SettingsScreen, neighbour, sample_rows, setting_rows
from tests.tui.screens.show import BROAD, TEXTS, settled, showing, until

SETTINGS = (
    Setting("theme", "Colours of the interface", "kcode-dark", tuple(PALETTES)),
    Setting("vim", "vim's keys in the composer", "off", ("off", "on")),
    Setting("editor", "The editor that ctrl+g opens", ""),
)
ORIGINS = (Origin("endpoint", "moonshot", "MOONSHOT_API_KEY"),)


class Kept:
    def __init__(self, wrong: str | None = None) -> None:
        self.wrong = wrong
        self.values: dict[str, str] = {}

    async def set(self, name: str, value: str) -> None:
        if self.wrong is not None:
            raise UsageError(self.wrong)
        self.values[name] = value


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True).map(tuple), st.data())
def test_going_on_and_back_again_leads_to_where_one_was(choices: tuple[str, ...], data: st.DataObject) -> None:
    setting = Setting("x", "", data.draw(st.sampled_from(choices)), choices)
    other = Setting("x", "", neighbour(setting, 1), choices)
    assert neighbour(other, -1) == setting.value
    assert neighbour(Setting("x", "", "unknown", choices), 1) == choices[0]


@given(st.text(max_size=40), st.integers(30, 90))
@settings(max_examples=40)
def test_lines_fit_and_are_safe(text: str, width: int) -> None:
    rows = [
        *setting_rows([Setting("name", text, "on")], [Origin("endpoint", "x", text)], width, TEXTS),
        *sample_rows(width, TEXTS),
    ]
    assert all(width_of(row.line) <= width for row in rows)
    assert not any(character < " " for row in rows for character in plain(row.line))


def test_a_change_is_kept_at_once() -> None:
    async def walk() -> None:
        kept = Kept()
        async with showing(SettingsScreen(TEXTS, SETTINGS, kept.set, ORIGINS), BROAD) as (app, pilot):
            await pilot.press("right")
            await settled(pilot)
            await until(pilot, lambda: kept.values == {"theme": "kcode-light"})
            assert "12 tests pass" in app.text()
            assert "from MOONSHOT_API_KEY" in app.text()

    asyncio.run(walk())


def test_what_is_wrong_with_a_value_is_told_and_the_old_one_stays() -> None:
    async def walk() -> None:
        kept = Kept("config.toml is not valid TOML: line 3. Mend it, then try again.")
        async with showing(SettingsScreen(TEXTS, SETTINGS, kept.set)) as (app, pilot):
            await pilot.press("right")
            await until(pilot, lambda: "is not valid TOML" in app.text())
            assert "kcode-dark" in app.text()

    asyncio.run(walk())


def test_what_waits_for_the_next_start_says_so() -> None:
    async def walk() -> None:
        waiting = Setting("language", "Language of the interface", "en", ("en", "zh"), waits=True)
        async with showing(SettingsScreen(TEXTS, (waiting, *SETTINGS), Kept().set)) as (app, pilot):
            assert app.text().count("from the next start on") == 1
            await pilot.press("right")
            await until(pilot, lambda: "Kept. language is zh from the next start on." in app.text())
            await pilot.press("down", "right")
            await until(pilot, lambda: "Kept." not in app.text())

    asyncio.run(walk())


def test_free_text_is_typed_and_the_mouse_changes_a_choice() -> None:
    async def walk() -> None:
        kept = Kept()
        async with showing(SettingsScreen(TEXTS, SETTINGS, kept.set)) as (app, pilot):
            await pilot.press("end", "enter", *"vi", "enter")
            await until(pilot, lambda: kept.values == {"editor": "vi"})
            await pilot.click("#settings", offset=(5, 3))
            await pilot.click("#settings", offset=(5, 3))
            await until(pilot, lambda: kept.values == {"editor": "vi", "vim": "on"})
            await pilot.press("q")
            assert app.result is None

    asyncio.run(walk())
