from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.logins import HeldKey, Logins, held_key
from kcode.settingsfiles import read_credentials
from kcode.tui.lines import plain, width_of
from kcode.tui.palette import PALETTES
from kcode.tui.screens.first_run import Demo, FirstRunScreen, Place, Ready, place_rows
from kcode.tui.texts import load_texts
from kcode.tui.widgets.rowlist import RowList
from tests.model_server import reply
from tests.tui.screens.show import BROAD, TEXTS, settled, showing, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

KEY = "sk-test-0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path


def logins(home: Path, url: str = "", **more: str) -> Logins:
    if url:
        config = home / "kcode" / "config.toml"
        config.parent.mkdir()
        config.write_text(f'[endpoints.house]\nbase_url = "{url}"\nmodels = ["kimi-k2-thinking"]\n')
    return Logins({"HOME": str(home), "XDG_CONFIG_HOME": str(home), **more})


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [50, 76, 140])
def test_each_endpoint_says_its_price_and_what_is_missing(language: str, width: int) -> None:
    places = [Place(row, held_key(row, {}, {})) for row in ENDPOINTS.values() if row.base_url]
    rows = place_rows(places, width, load_texts(language))
    assert all(width_of(row.line) <= width for row in rows)
    moonshot = " ".join(plain(row.line) for row in rows if row.key == "moonshot")
    assert "$0.60" in moonshot
    assert "platform.moonshot.ai" in moonshot
    if width > 50:
        assert "MOONSHOT_API_KEY" in moonshot


def test_where_a_key_is_held_is_told_without_the_key() -> None:
    row = ENDPOINTS["openrouter"]
    assert held_key(row, {}, {"OPENROUTER_API_KEY": KEY}) == HeldKey("variable", "OPENROUTER_API_KEY", "…cdef")
    assert held_key(row, {"openrouter": KEY}, {}) == HeldKey("file", hint="…cdef")
    assert held_key(row, {"openrouter": "in the keyring"}, {}) == HeldKey("keyring")
    assert held_key(row, {}, {}) == HeldKey("nowhere")
    assert held_key(ENDPOINTS["vllm"], {}, {}) == HeldKey("not needed")


def test_a_pasted_key_is_tried_stored_and_never_shown(home: Path, model_server: ModelServerFactory) -> None:
    server = model_server([reply("Hi")], key=KEY)
    door = logins(home, server.url)

    async def walk() -> object:
        screen = FirstRunScreen(TEXTS, door)
        async with showing(screen) as (app, pilot):
            await settled(pilot)
            screen.query_one(RowList).mark("house")
            await pilot.press("c")
            await until(pilot, lambda: "not shown" in app.text())
            screen.query_one(Input).value = KEY
            await pilot.pause()
            assert KEY not in app.text()
            await pilot.press("enter")
            await until(pilot, lambda: app.result == Ready("house"), 2000)
            return app.result

    assert asyncio.run(walk()) == Ready("house")
    assert read_credentials(door.credentials) == {"house": KEY}


def test_a_refused_key_is_told_and_not_stored(home: Path, model_server: ModelServerFactory) -> None:
    door = logins(home, model_server(key="sk-another").url)

    async def walk() -> None:
        screen = FirstRunScreen(TEXTS, door)
        async with showing(screen) as (app, pilot):
            await settled(pilot)
            screen.query_one(RowList).mark("house")
            await pilot.press("c")
            await until(pilot, lambda: "not shown" in app.text())
            screen.query_one(Input).value = KEY
            await pilot.press("enter")
            await until(pilot, lambda: "was not stored" in app.text(), 2000)
            assert KEY not in app.text()

    asyncio.run(walk())
    assert door.stored() == {}


def test_an_untried_key_is_stored_only_if_the_user_says_so(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    door = logins(home, url)

    async def walk(answer: str) -> object:
        screen = FirstRunScreen(TEXTS, door)
        async with showing(screen) as (app, pilot):
            await settled(pilot)
            screen.query_one(RowList).mark("house")
            await pilot.press("c")
            await until(pilot, lambda: "not shown" in app.text())
            screen.query_one(Input).value = KEY
            await pilot.press("enter")
            await until(pilot, lambda: "Store it all the same?" in app.text(), 2000)
            await pilot.press("d", answer)  # d means nothing while a question is open
            await settled(pilot)
            await pilot.pause()
            return app.result

    assert asyncio.run(walk("n")) not in {Ready("house"), Demo()}
    assert door.stored() == {}
    assert asyncio.run(walk("y")) == Ready("house")
    assert door.stored() == {"house": KEY}


def test_what_can_be_no_key_and_no_url_is_told_in_words(home: Path) -> None:
    door = logins(home)

    async def walk() -> None:
        screen = FirstRunScreen(TEXTS, door)
        async with showing(screen) as (app, pilot):
            await settled(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: "Key for Moonshot" in app.text())
            screen.query_one(Input).value = "sk with blanks"
            await pilot.press("enter")
            await until(pilot, lambda: "holds a blank" in app.text())
            screen.query_one(RowList).mark("/custom")
            await pilot.press("enter")
            await until(pilot, lambda: "Base URL" in app.text())
            screen.query_one(Input).value = "http://far.example/v1"
            await pilot.press("enter")
            await until(pilot, lambda: "not encrypted" in app.text())
            screen.query_one(RowList).mark("/custom")
            await pilot.press("enter")
            await until(pilot, lambda: "Base URL" in app.text())
            screen.query_one(Input).value = "http://127.0.0.1:9/v1"
            await pilot.press("enter")
            await until(pilot, lambda: app.result == Ready("custom", "http://127.0.0.1:9/v1"))

    asyncio.run(walk())


@pytest.mark.parametrize("theme", PALETTES)
def test_the_mouse_takes_an_endpoint_that_has_its_key(home: Path, theme: str) -> None:
    door = logins(home, OPENROUTER_API_KEY=KEY)

    async def walk() -> object:
        async with showing(FirstRunScreen(TEXTS, door), BROAD, theme) as (app, pilot):
            await settled(pilot)
            row = next(i for i, line in enumerate(app.text().splitlines()) if "OpenRouter" in line)
            await pilot.click(offset=(5, row))
            await pilot.click(offset=(5, row))
            await until(pilot, lambda: app.result == Ready("openrouter"))
            return app.result

    assert asyncio.run(walk()) == Ready("openrouter")


def test_the_demo_is_one_key_away(home: Path) -> None:
    async def walk() -> object:
        async with showing(FirstRunScreen(TEXTS, logins(home), "The key was refused.")) as (app, pilot):
            await settled(pilot)
            assert "The key was refused." in app.text()
            await pilot.press("d")
            return app.result

    assert asyncio.run(walk()) == Demo()
