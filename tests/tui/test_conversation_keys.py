"""The keys of the conversation, and speaking while a turn runs, in sessions that are walked through in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kcode.tui.keys import KEYS
from kcode.tui.preferences import Preferences
from kcode.tui.widgets.draftpane import DraftPane
from kcode.tui.widgets.findline import FindLine
from kcode.tui.widgets.statusline import StatusLine
from tests.model_server import reply
from tests.program import RIGHT, make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServer, ModelServerFactory
    from tests.tui.living import Living

READ = ("read_file", {"path": "calc/money.py"})
FOREVER = 600.0


def walk_in(
    folder: Path,
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    steps: Callable[[Living], Awaitable[None]],
    preferences: Preferences | None = None,
    size: tuple[int, int] = (110, 40),
) -> None:
    program = make_program(folder, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program, preferences=preferences, size=size) as user:
            await user.see("kimi-k2-thinking")
            await steps(user)

    asyncio.run(run())


def users(server: ModelServer, number: int = -1) -> list[str]:
    """What the user said in a request."""
    messages = server.requests[number].json["messages"]
    said = [message["content"] for message in messages if message["role"] == "user"]
    return [text for text in said if not text.startswith("Note from kcode")]


def test_what_is_said_while_a_turn_runs(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server(
        [
            reply(calls=[READ], pace=FOREVER),
            reply("Read it."),
            reply("And the second.", pace=FOREVER),
        ]
    )

    async def steps(user: Living) -> None:
        await user.send("look at it")
        await user.see("Waiting for the model")
        await user.send("also at the tests")
        await user.send("and at nothing else")
        await user.see("2 messages queued", "also at the tests", "(queued)")
        await user.press("up")
        await user.until(lambda: user.composer.text == "and at nothing else")
        await user.see("1 message queued")
        user.composer.empty()
        server.go_on()
        await user.hear("Read it.")
        await user.rest()
        assert users(server, 1) == ["look at it", "also at the tests"]
        assert user.said.count("also at the tests") == 1
        assert user.composer.queued == 0
        server.going_on.clear()
        await user.send("more")
        await user.until(lambda: len(server.requests) == 3)
        await user.press("escape")
        await user.hear("Interrupted.")
        await user.rest()
        server.wait_for_close()
        await user.send("!sleep 600 & printf be%s gun; sleep 600")
        await user.see("begun")
        await user.click("esc interrupts")
        await user.rest()
        server.add(reply("Heard."))
        await user.send("go on")
        await user.hear("Heard.")
        told = server.requests[-1].json["messages"]
        assert any("| begun\nThe user interrupted it." in str(message.get("content")) for message in told)

    walk_in(tmp_path, server, monkeypatch, steps)


def test_what_keys_do(tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    server = model_server(
        [reply(reasoning="It truncates.", calls=[RIGHT]), reply("Rounded. " * 200), reply("Otherwise.")]
    )

    async def steps(user: Living) -> None:
        screen = user.app.conversation
        bound = screen.active_bindings
        for one in (one for one in KEYS if one.scope in {"app", "composer"}):
            assert {name: bound[name].binding.id for name in one.keys.split(",")} == dict.fromkeys(
                one.keys.split(","), one.id
            )
        await user.send("see @calc/money.py and mend it")
        await user.hear("Rounded.")
        await user.rest()
        assert "int(amount * 100)" in str(server.requests[0].json["messages"])
        for key, name in (("f1", "Help"), ("f6", "Sessions"), ("f7", "Context"), ("f2", "Review")):
            await user.press(key)
            await user.until(lambda name=name: type(user.app.screen).__name__ == f"{name}Screen")  # type: ignore[misc]
            await user.see("calc/money.py" if key == "f2" else "esc")
            user.app.screen.action_close()  # type: ignore[attr-defined]
            await user.until(lambda: user.app.screen is screen)
        await user.press("ctrl+home")
        await user.see("▸ Thought")
        await user.press("ctrl+t")
        await user.see("▾ Thought", "It truncates.")
        await user.press("ctrl+o")
        await user.see("│ -int(amount * 100) / 100")
        await user.press("ctrl+end")
        await user.see("2 steps")
        await user.press("pageup", "pageup", "pageup")
        await user.see("▾ Thought")
        await user.press("f3")
        await user.until(lambda: user.app.focused is screen.query_one(FindLine))
        screen.query_one(FindLine).value = "truncates"
        await user.until(lambda: screen.transcript.needle == "truncates")
        await user.see("truncates", "1 of 1 · enter next")
        await user.press("escape")
        await user.until(lambda: user.app.focused is user.composer)
        await user.click("/ commands")
        await user.see("every key and command")
        await user.press("ctrl+c")
        await user.until(lambda: not user.composer.text)
        await user.press("ctrl+p")
        await user.see("every key and command")
        await user.press("ctrl+c")
        await user.until(lambda: not user.composer.text)
        await user.pilot.resize_terminal(150, 40)
        await user.until(lambda: screen.query_one(DraftPane).display)
        await user.press("f4")
        await user.until(lambda: not screen.query_one(DraftPane).display)
        await user.press("f4")
        await user.until(lambda: screen.query_one(DraftPane).display)
        await user.pilot.resize_terminal(110, 40)
        await user.until(lambda: not screen.query_one(DraftPane).display)
        await user.press("f4")
        await user.see("The draft stands beside the conversation from 120 columns on")
        assert screen.query_one(DraftPane).is_wanted
        await edit_the_first_message(user)
        await user.press("ctrl+c")
        await user.see("Press Ctrl-C once more")
        await user.press("ctrl+c")
        await user.until(lambda: user.app._exit)

    async def edit_the_first_message(user: Living) -> None:
        before, screen = user.app.session, user.app.conversation
        await user.press("alt+up")
        for _ in range(20):
            if screen.transcript.cursor == screen.transcript.stack.blocks[1].number:
                break
            await user.press("alt+up")
        await user.press("e")
        await user.until(lambda: user.composer.text == "see @calc/money.py and mend it")
        user.composer.empty()
        await user.send("leave it")
        await user.until(lambda: user.app.session != before)
        await user.hear("Otherwise.")
        await user.rest()
        assert users(server) == ["leave it"]

    walk_in(tmp_path, server, monkeypatch, steps)


def test_how_it_is_shown_as_the_user_has_set_it(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server(
        [reply("Rounded.", reasoning="It truncates.", calls=[]), reply("More.", reasoning="Again so.")]
    )
    clash = {"help": "f2"}

    async def steps(user: Living) -> None:
        await user.see("F2 is bound to 2 things: help, review.")
        await user.send("first")
        await user.hear("Rounded.")
        await user.rest()
        await user.send("second")
        await user.hear("More.")
        await user.rest()
        await user.see("You:", "second", "kcode:", "More.")
        assert "It truncates." not in user.text
        assert "Again so." not in user.text
        assert "Thought" not in user.text
        assert not set("▸▾│┃▌•✓⠋") & set(user.text)
        await user.send("/thinking open")
        await user.see("It truncates.", "Again so.")
        assert user.app.conversation.query_one(StatusLine).state.is_confined

    walk_in(tmp_path, server, monkeypatch, steps, Preferences(reasoning="hidden", linear=True, keys=clash))


def test_the_walks_miss_no_key_of_the_conversation() -> None:
    walked = {"help", "review", "find", "draft-pane", "sessions", "context", "thoughts", "outputs", "page-up", "top"}
    walked |= {"bottom", "block-up", "leave", "palette"}
    mirrored = {"page-down", "block-down"}
    assert {key.id for key in KEYS if key.scope == "app"} == walked | mirrored
