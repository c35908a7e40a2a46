"""Every slash command and every key of the conversation, in sessions that are walked through in this process."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.tui.palette import Role  # noqa: F401
from tests.model_server import reply
from tests.program import RIGHT, make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory


def test_explore(tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    server = model_server(
        [
            reply(reasoning="It truncates.", calls=[RIGHT]),
            reply("Rounded.\n\n- one\n- two"),
            *[reply(f"Answer {n}.") for n in range(9)],
        ]
    )
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await user.send("cents() rounds down")
            await user.hear("Rounded")
            await user.rest()
            for command in (
                "/diff",
                "!echo hello; echo there >&2; exit 3",
                "/test",
                "/doctor",
                "/rename Money matters",
                "/thinking",
                "/thinking hidden",
                "/model other-model",
                f"/export {tmp_path}/out.md",
                "/nonsense",
                "Hello there",
                "/undo",
                "/redo",
                "/theme nope",
                "/init",
                "/context",
                "/sessions",
                "/help",
                "/journal",
                "/settings",
            ):
                await user.send(command)
                await asyncio.sleep(2.5 if command in ("/test", "/doctor") else 0.9)
                print("#####", command)
                print(user.text)
                if len(user.app.screen_stack) > 2:
                    await user.press("escape")
                elif user.composer.text:
                    await user.press("ctrl+c")
            print(json.dumps([m for m in server.requests[-1].json["messages"] if m["role"] == "user"], indent=1))

    asyncio.run(run())
