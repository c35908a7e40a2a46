"""A session that another kcode works in, opened in the interface."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kcode.session.lock import SessionLock
from kcode.session.store import find_session
from tests.model_server import reply
from tests.program import make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory
    from tests.tui.living import Living

ASKED = ("This session is open in another kcode.", "Go on in a copy of it", "Choose another session", "Leave")


def open_a_second_time(
    folder: Path,
    model_server: ModelServerFactory,
    monkeypatch: pytest.MonkeyPatch,
    steps: Callable[[Living, str], Awaitable[None]],
) -> None:
    """Say something in a session, and open it again while it is held."""
    server = model_server([reply("Said."), reply("More.")])
    program = make_program(folder, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await user.send("talk")
            await user.hear("Said.")
            await user.rest()
            session = find_session(user.app.place.state, user.app.session)
        lock = SessionLock(session)
        try:
            async with living(program, resume=session.id) as user:
                await user.see(*ASKED)
                assert "no changes proposed" not in user.text
                assert "unknown" not in user.text.splitlines()[-1]
                await steps(user, session.id)
        finally:
            lock.release()

    asyncio.run(run())


async def with_keys(user: Living) -> None:
    """Wait until the question has the keys."""
    await user.until(lambda: user.app.focused is not user.composer)


def test_it_can_be_gone_on_with_in_a_copy(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(user: Living, session: str) -> None:
        await with_keys(user)
        await user.press("escape")
        await user.see("/fork goes on in a copy")
        await user.send("hello there")
        await user.see(*ASKED)
        await with_keys(user)
        await user.press("f")
        await user.until(lambda: user.app.session not in {"", session})
        assert user.composer.text == "hello there"
        await user.press("enter")
        await user.hear("Said.", "hello there", "More.")
        await user.rest()

    open_a_second_time(tmp_path, model_server, monkeypatch, steps)


def test_a_command_for_it_asks_again_and_another_session_can_be_chosen(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(user: Living, session: str) -> None:
        await with_keys(user)
        await user.press("escape")
        await user.until(lambda: user.app.focused is user.composer)
        await user.send("/undo")
        await user.see(*ASKED)
        await with_keys(user)
        await user.press("s")
        await user.until(lambda: type(user.app.screen).__name__ == "SessionsScreen")
        await user.press("escape")
        await user.until(lambda: user.app.screen is user.app.conversation)
        await user.send("/new")
        await user.until(lambda: user.app.session not in {"", session})
        await user.see("no changes proposed")

    open_a_second_time(tmp_path, model_server, monkeypatch, steps)


def test_one_can_leave(tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(user: Living, session: str) -> None:
        del session
        await with_keys(user)
        await user.press("q")
        await user.until(lambda: user.app._exit)

    open_a_second_time(tmp_path, model_server, monkeypatch, steps)
