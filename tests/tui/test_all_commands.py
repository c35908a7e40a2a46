"""Every slash command, and commands in the sandbox, in sessions that are walked through in this process."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.program import MODULE, RIGHT, make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServer, ModelServerFactory
    from tests.tui.living import Living

FIXED = MODULE.replace("int(amount * 100) / 100", "round(amount, 2)")
SCREENS = {
    "help": "HelpScreen",
    "context": "ContextScreen",
    "journal": "JournalScreen",
    "settings": "SettingsScreen",
    "sessions": "SessionsScreen",
    "review": "ReviewScreen",
}


def asked(server: ModelServer) -> str:
    """What the last request says in the user's place."""
    messages = server.requests[-1].json["messages"]
    return "\n".join(message["content"] for message in messages if message["role"] == "user")


def screen_of(user: Living) -> str:
    return type(user.app.screen).__name__


async def see_screens(user: Living) -> None:
    for command, name in SCREENS.items():
        await user.send(f"/{command}")
        await user.until(lambda name=name: screen_of(user) == name)  # type: ignore[misc]
        await user.see("calc/money.py" if command == "review" else "esc")
        user.app.screen.action_close()  # type: ignore[attr-defined]
        await user.until(lambda: screen_of(user) == "ConversationScreen")


async def run_own_commands(user: Living, server: ModelServer) -> None:
    await user.send("!echo hello; exit 3")
    await user.hear("hello")
    await user.rest()
    await user.see("! echo hello; exit 3", "exit code 3")
    await user.send("/test")
    await user.see("run_tests 2 passed", "✓ 2 tests passed")
    await user.rest()
    await user.send("what now?")
    await user.hear("Looked at.")
    await user.rest()
    assert "$ echo hello; exit 3\n| hello\nExit code 3." in asked(server)
    assert "| Ran 2 tests" in asked(server)
    assert "Note from kcode" not in user.said


async def change_how_it_looks(user: Living, home: Path) -> None:
    await user.press("ctrl+home")
    await user.see("▸ Thought")
    await user.send("/thinking hidden")
    await user.until(lambda: "Thought" not in user.text)
    await user.send("/thinking open")
    await user.see("It truncates.")
    await user.send("/theme kcode-light")
    await user.until(lambda: user.app.theme == "kcode-light")
    config = (home / ".config/kcode/config.toml").read_text(encoding="utf-8")
    assert 'theme = "kcode-light"' in config
    assert 'reasoning = "open"' in config
    await user.send("/theme blue")
    await user.see("There are these themes: kcode-")


async def hand_over(user: Living, folder: Path) -> None:
    await user.send("/copy")
    await user.until(lambda: "\x1b]52;c;" in user.app.written)
    copied = user.app.written.partition("\x1b]52;c;")[2].partition("\x07")[0]
    assert base64.b64decode(copied) == b"Looked at."
    await user.send("/rename Money matters")
    await user.hear("called “Money matters”")
    await user.send(f"/export {folder / 'out.md'}")
    await user.hear("The conversation is in")
    assert "Rounded." in (folder / "out.md").read_text(encoding="utf-8")
    await user.send("/doctor")
    await user.hear("✓ endpoint")


async def use_words(user: Living, server: ModelServer) -> None:
    await user.send("/nonsense of mine")
    await user.see("There is no command /nonsense.")
    assert user.composer.text == "/nonsense of mine"
    user.composer.empty()
    await user.send("/model another-model")
    await user.see(" another-model")
    await user.send("/init")
    await user.hear("/init", "Written.")
    await user.rest()
    assert "Write `AGENTS.md`" in asked(server)
    assert server.requests[-1].json["model"] == "another-model"


async def apply_and_take_back(user: Living, file: Path) -> None:
    await user.send("/undo turn")
    await user.see("Take back the last turn, “/init”?")
    await user.until(lambda: user.app.focused is not user.composer)
    await user.press("y")
    await user.hear("The last turn was taken back.")
    await user.send("/redo")
    await user.hear("is here again")
    await user.send("/review")
    await user.see("decided 0 of 1")
    # For a moment it takes no keys that were meant for the conversation.
    await user.until(lambda: user.app.screen.check_action("accept", ()))
    await user.press("a")
    await user.see("decided 1 of 1")
    await user.press("escape")
    await user.until(lambda: screen_of(user) == "ConversationScreen")
    await user.send("/apply")
    await user.see("Apply what was decided?", "calc/money.py")
    await user.press("y")
    await user.until(lambda: file.read_text(encoding="utf-8") == FIXED)
    await user.until(lambda: screen_of(user) == "ConversationScreen")
    await user.hear("1 hunk applied")
    await user.send("/undo")
    await user.hear("Taken back: calc/money.py.")
    await user.until(lambda: file.read_text(encoding="utf-8") == MODULE)
    await user.send("/redo")
    await user.hear("Applied again: calc/money.py.")
    await user.until(lambda: file.read_text(encoding="utf-8") == FIXED)


async def go_elsewhere(user: Living, server: ModelServer) -> None:
    before = user.app.session
    await user.send("/compact the rounding")
    await user.rest()
    await user.hear("Compacted")
    await user.rest()
    await user.send("/fork")
    await user.until(lambda: user.app.session != before)
    await user.hear("Rounded.", "Going on with this session")
    forked = user.app.session
    await user.send("/new")
    await user.until(lambda: user.app.session != forked)
    assert "Rounded." not in user.said
    await user.send("/quit")
    await user.until(lambda: user.app._exit)
    assert user.app.return_value == 0
    assert len(server.requests) >= 4


def walk_in(
    folder: Path,
    model_server: ModelServerFactory,
    monkeypatch: pytest.MonkeyPatch,
    script: list[dict[str, object]],
    steps: Callable[[Living, ModelServer], Awaitable[None]],
) -> None:
    server = model_server(script)
    program = make_program(folder, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await steps(user, server)

    asyncio.run(run())


def test_what_commands_do(tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    script = [
        reply(reasoning="It truncates.", calls=[RIGHT]),
        reply("Rounded."),
        reply("Looked at."),
        reply("Written."),
        reply("The note: cents() rounds."),
    ]

    async def steps(user: Living, server: ModelServer) -> None:
        file = tmp_path / "work é 1" / "calc" / "money.py"
        await user.send("cents() rounds down")
        await user.hear("Rounded.")
        await user.rest()
        await user.send("/diff")
        await user.see("+    return round(amount, 2)")
        await run_own_commands(user, server)
        await see_screens(user)
        await hand_over(user, tmp_path)
        await change_how_it_looks(user, tmp_path / "home")
        await use_words(user, server)
        await apply_and_take_back(user, file)
        await go_elsewhere(user, server)

    walk_in(tmp_path, model_server, monkeypatch, script, steps)
