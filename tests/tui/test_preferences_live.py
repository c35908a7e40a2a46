"""What the user sets while the interface runs: it holds at once, or the screen says when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kcode.tui.blocks import ReasoningBlock
from kcode.tui.preferences import load_preferences
from kcode.tui.widgets.activity import Activity
from tests.model_server import reply
from tests.program import RIGHT, make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory
    from tests.tui.living import Living

MOUSE_OFF, MOUSE_ON = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l", "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
MODELS = ("kimi-k2-thinking", "kimi-k3", "qwen4", *(f"other-{number}" for number in range(30)))


def walk(
    folder: Path,
    model_server: ModelServerFactory,
    monkeypatch: pytest.MonkeyPatch,
    steps: Callable[[Living, Path], Awaitable[None]],
    size: tuple[int, int] = (150, 45),
) -> None:
    script = [reply(reasoning="It truncates.", calls=[RIGHT]), reply("Rounded."), reply("Heard.")]
    server = model_server(script, models=MODELS)
    program = make_program(folder, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program, size=size) as user:
            await user.see("kimi-k2-thinking")
            await steps(user, folder / "home/.config/kcode/config.toml")

    asyncio.run(run())


async def change(user: Living, name: str, times: int = 1) -> None:
    """Go to this preference on the settings screen and change it so many times."""
    await user.press("home")
    for _ in range(12):
        if user.app.screen.query_one("#settings").key == name:  # type: ignore[attr-defined]
            break
        await user.press("down")
    for _ in range(times):
        before = user.app.preferences
        await user.press("right")
        await user.until(lambda before=before: user.app.preferences != before)  # type: ignore[misc]


async def click(user: Living, words: str) -> None:
    """Click where these words stand, the lowest if that is in several places."""
    places = [(line.index(words), y) for y, line in enumerate(user.text.splitlines()) if words in line]
    await user.pilot.click(offset=places[-1])


def test_every_preference_holds_as_soon_as_the_screen_says(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(user: Living, config: Path) -> None:
        await user.send("cents() rounds down")
        await user.hear("Rounded.")
        await user.rest()
        conversation = user.app.conversation
        await user.until(lambda: conversation.draft.has_class("-shown"))
        await user.send("/settings")
        await user.see("Language of the interface")

        await change(user, "theme")
        assert user.app.theme == "kcode-light"
        await change(user, "language")
        await user.see("Kept. language is en from the next start on.")
        await change(user, "vim")
        await user.until(lambda: user.composer.vim_mode is not None)
        await change(user, "mouse")
        assert user.app.written.endswith(MOUSE_OFF)
        await change(user, "mouse")
        assert user.app.written.endswith(MOUSE_ON)
        await change(user, "notifications")
        user.app.app_focus = False
        user.app.call_user("done")
        assert "\x1b]9;" in user.app.written
        await change(user, "reasoning", times=2)  # hidden, then open
        thought = next(one for one in conversation.transcript.stack.blocks if isinstance(one, ReasoningBlock))
        assert user.app.preferences.reasoning == "open"
        assert thought.is_open
        await change(user, "linear")
        assert conversation.query_one(Activity).is_still
        assert conversation.has_class("-linear")
        await user.until(lambda: not conversation.draft.has_class("-shown"))
        await change(user, "linear")
        await user.until(lambda: conversation.draft.has_class("-shown"))
        await change(user, "wrap")
        await change(user, "side_by_side")
        await user.press("escape")
        await user.send("/review")
        await user.see("decided 0 of 1")
        look = user.app.screen.body.look  # type: ignore[attr-defined]
        assert (look.split, look.wrap) == (True, True)
        assert load_preferences(config) == user.app.preferences

    walk(tmp_path, model_server, monkeypatch, steps)


def set_key(config: Path) -> None:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[interface.keys]\nhelp = "f9"\n', encoding="utf-8")


def test_a_key_that_was_set_in_the_file_meanwhile_holds_with_the_next_change(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(user: Living, config: Path) -> None:
        set_key(config)
        await user.send("/thinking open")
        await user.hear("Reasoning is shown in full.")
        await user.press("f9")
        await user.until(lambda: type(user.app.screen).__name__ == "HelpScreen")

    walk(tmp_path, model_server, monkeypatch, steps)


def test_a_theme_is_shown_while_the_mark_is_on_it_and_escape_leaves_it_as_it_was(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(user: Living, config: Path) -> None:
        await user.send("/theme")
        await user.see("Which colours?", "› kcode-dark", "leave it as it is")  # noqa: RUF001 - the sign of the lists
        current = next(line for line in user.text.splitlines() if "kcode-dark" in line)
        assert current.rstrip().endswith("current")
        await user.press("up")
        await user.until(lambda: user.app.theme == "kcode-colour-blind")
        await user.press(*"light")
        await user.until(lambda: user.app.theme == "kcode-light")
        await user.press("escape")
        await user.until(lambda: user.app.theme == "kcode-dark")
        await user.until(lambda: user.app.focused is user.composer)
        assert load_preferences(config).theme == "kcode-dark"

        await user.send("/theme")
        await user.see("Which colours?")
        await user.press(*"kcan", "enter")
        await user.hear("Colours from here on: kcode-ansi.")
        assert user.app.theme == "kcode-ansi"
        assert load_preferences(config).theme == "kcode-ansi"

        await user.send("/theme")
        await user.see("Which colours?")
        await click(user, "kcode-light")
        await user.hear("Colours from here on: kcode-light.")
        assert user.app.theme == "kcode-light"
        assert user.composer.text == ""

    walk(tmp_path, model_server, monkeypatch, steps)


def test_a_model_is_found_by_a_few_letters_and_one_that_is_not_listed_can_be_named(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(user: Living, _: Path) -> None:
        async def model() -> str:
            return await user.app.talk.call(lambda bench: bench.provider.model)

        await user.send("/model")
        await user.see("Go on with which model?", "› kimi-k2-thinking")  # noqa: RUF001 - the sign of the lists
        current = next(line for line in user.text.splitlines() if "› kimi-k2-thinking" in line)  # noqa: RUF001
        assert current.rstrip().endswith("current")
        await user.press("escape")
        await user.until(lambda: user.app.focused is user.composer)
        assert await model() == "kimi-k2-thinking"

        await user.send("/model")
        await user.see("Go on with which model?")
        await user.press(*"qw", "enter")
        await user.hear("From here on: qwen4.")
        await user.see(" qwen4")
        assert await model() == "qwen4"

        await user.send("/model")
        await user.see("Go on with which model?")
        await user.press(*"mine-7b")
        await user.see("› mine-7b")  # noqa: RUF001 - the sign of the lists
        await user.press("enter")
        await user.hear("From here on: mine-7b.")

        await user.send("/model")
        await user.see("› mine-7b", "current")  # noqa: RUF001 - the sign of the lists
        await click(user, "leave it as it is")
        await user.until(lambda: user.app.focused is user.composer)
        assert await model() == "mine-7b"

    walk(tmp_path, model_server, monkeypatch, steps, size=(80, 24))
