"""Coming back to a session: what it says of itself, of what happened in it, and of others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.program import RIGHT, make_program
from tests.tui.living import enter_environment, living
from tests.tui.test_conversation_keys import FOREVER

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory


def test_what_one_saw_is_there_again_and_what_other_sessions_keep_is_said(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply(calls=[RIGHT]), reply("Rounded."), reply("Never.", pace=FOREVER)])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await user.send("cents() rounds down")
            await user.hear("Rounded.")
            await user.rest()
            first = user.app.session
            await user.send("/new")
            await user.until(lambda: user.app.session != first)
            await user.hear("The session before this one keeps 1 hunk to decide", first)
            second = user.app.session
            await user.send("a question")
            await user.until(lambda: len(server.requests) == 3)
        async with living(program, resume=second) as user:
            await user.hear("Going on with this session: “a question”.", "a question")
            await user.hear("Another session, “cents() rounds down”, still has 1 file to decide", first)
            assert user.said.count("Interrupted.") == 1
        async with living(program, resume=first) as user:
            await user.hear("Going on with this session: “cents() rounds down”.")
            await user.see("draft 1 file")
            assert "Another session" not in user.said
            await user.review("decided 0 of 1")
            await user.until(lambda: user.app.screen.check_action("accept", ()))
            await user.press("a", "enter")
            await user.see("Apply what was decided?")
            await user.press("y")
            await user.hear("1 hunk applied. /undo takes it back.")
            assert user.app.screen is user.app.conversation
        async with living(program, resume=first) as user:
            await user.hear("1 hunk applied: calc/money.py.")

    asyncio.run(run())
