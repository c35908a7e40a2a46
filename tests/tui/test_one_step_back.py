"""Leaving, interrupting and giving up in the conversation, and what is said where the user types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.tui.widgets.aside import Aside
from tests.model_server import reply
from tests.program import RIGHT
from tests.tui.test_conversation_keys import FOREVER, READ, users, walk_in

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory
    from tests.tui.living import Living

AGAIN = "Press Ctrl-C once more"


def beside(user: Living) -> str:
    """What is said above the composer."""
    return user.app.conversation.query_one(Aside).text


def test_leaving_takes_two_keys_in_a_row(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply("Never.", pace=FOREVER)])

    async def steps(user: Living) -> None:
        await user.press("ctrl+c")
        await user.see(AGAIN)
        await user.press("x")
        await user.until(lambda: AGAIN not in user.text)
        await user.press("ctrl+c")
        await user.until(lambda: not user.composer.text)
        await user.press("up")
        await user.until(lambda: user.composer.text == "x")
        await user.press("ctrl+c")
        await user.until(lambda: not user.composer.text)
        await user.press("ctrl+c")
        await user.see(AGAIN)
        await user.press("f1")
        await user.until(lambda: user.app.screen is not user.app.conversation)
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.app.conversation)
        await user.press("ctrl+c")
        assert not user.app._exit
        await user.send("go")
        await user.until(lambda: server.requests)
        assert AGAIN not in user.text
        await user.press("ctrl+c")
        await user.rest()
        await user.hear("Interrupted.")
        await user.press("ctrl+c")
        await user.see(AGAIN)
        assert AGAIN not in user.said
        assert not user.app._exit
        await user.press("ctrl+c")
        await user.until(lambda: user.app._exit)

    walk_in(tmp_path, server, monkeypatch, steps)


def test_the_end_of_input_leaves(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply("Never.", pace=FOREVER)])

    async def steps(user: Living) -> None:
        await user.send("go")
        await user.until(lambda: server.requests)
        await user.press("ctrl+d")
        await user.see(AGAIN)
        await user.press("escape")
        await user.until(lambda: AGAIN not in user.text)
        assert user.app.conversation.running
        await user.press("escape")
        await user.rest()
        await user.press("a", "home", "ctrl+d")
        await user.until(lambda: not user.composer.text)
        await user.press("ctrl+d")
        await user.until(lambda: user.app._exit)

    walk_in(tmp_path, server, monkeypatch, steps)


def test_changing_an_earlier_message_is_a_mode_that_esc_leaves(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply("One."), reply("Two."), reply("Otherwise.")])
    mode = "Changes message 1: enter begins a fork"

    async def change(user: Living) -> None:
        transcript = user.app.conversation.transcript
        await user.press("alt+up")
        transcript.cursor = transcript.stack.blocks[1].number
        await user.press("e")
        await user.see(mode, "esc leaves it")
        assert user.composer.text == "first"

    async def steps(user: Living) -> None:
        session = user.app.session
        await user.send("first")
        await user.hear("One.")
        await user.rest()
        await change(user)
        await user.press("escape")
        await user.until(lambda: mode not in user.text)
        assert not user.composer.text
        await user.send("second")
        await user.hear("Two.")
        await user.rest()
        assert user.app.session == session
        assert users(server) == ["first", "second"]
        await change(user)
        await user.press("!", "enter")
        await user.until(lambda: user.app.session != session)
        await user.hear("Otherwise.")
        await user.rest()
        assert users(server) == ["first!"]
        assert mode not in user.text

    walk_in(tmp_path, server, monkeypatch, steps)


def test_a_command_of_the_users_waits_for_the_turn(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply(calls=[READ], pace=FOREVER), reply("Read it.")])

    async def steps(user: Living) -> None:
        await user.send("look at it")
        await user.until(lambda: server.requests)
        await user.send("!echo fir''st")
        await user.send("!echo sec''ond")
        await user.see("2 messages queued", "!echo fir''st")
        await user.press("up")
        await user.until(lambda: user.composer.text == "!echo sec''ond")
        await user.see("1 message queued")
        await user.press("enter")
        await user.see("2 messages queued")
        server.go_on()
        await user.hear("Read it.", "first", "second")
        await user.rest()
        assert user.app.conversation.transcript.stack.waiting == 0
        assert "(queued)" not in user.text
        assert user.said.index("Read it.") < user.said.index("first") < user.said.index("second")

    walk_in(tmp_path, server, monkeypatch, steps)


def test_the_review_opens_before_there_is_anything_to_review(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply(calls=[RIGHT], pace=FOREVER), reply("Rounded.", pace=FOREVER)])

    async def steps(user: Living) -> None:
        await user.press("f2")
        await user.see("There is nothing to review yet.")
        await user.send("cents() rounds down")
        await user.until(lambda: server.requests)
        assert "There is nothing to review yet." not in user.text
        await user.press("f2")
        await user.see("Nothing is pending here.", "esc back")
        server.go_on()
        await user.see("decided 0 of 1", "calc/money.py")
        await user.until(lambda: user.app.screen.check_action("close", ()))
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.app.conversation)
        await user.hear("Rounded.")
        assert "Interrupted" not in user.said

    walk_in(tmp_path, server, monkeypatch, steps)


def test_what_cannot_be_done_is_said_in_view(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply("Word. \n\n" * 100), reply("Never.", pace=FOREVER)])

    async def steps(user: Living) -> None:
        await user.send("talk")
        await user.rest()
        await user.send("more")
        await user.until(lambda: len(server.requests) == 2)
        await user.press("ctrl+home")
        await user.send("/compact")
        await user.see("A turn is under way.")
        await user.send("/nosuch")
        await user.see("There is no command /nosuch.")
        assert "There is no command" not in user.said
        await user.press("escape")
        await user.until(lambda: not beside(user))
        assert user.app.conversation.running

    walk_in(tmp_path, server, monkeypatch, steps)
