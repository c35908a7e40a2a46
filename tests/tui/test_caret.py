"""Input methods open their windows at the terminal's own cursor, so that is where the caret is."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from kcode.tui.history import Typed
from tests.headless.proposals import propose_changes
from tests.model_server import reply
from tests.program import RIGHT, make_program
from tests.tui.living import enter_environment, living
from tests.tui.reviewing import desk_of, walking
from tests.tui.tmux import DEADLINE, Tmux

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.app import App
    from textual.widgets import Input

    from tests.model_server import ModelServerFactory

WORDS = ["plain", "你好，世界", "e\u0301te 👍 ok", "한국어 x", "全角ａｂ👩🚀"]  # noqa: RUF001 - wide letters are the point


def before_the_caret(app: App[Any]) -> str:
    """What stands left of the terminal's cursor in its row."""
    column, row = app.cursor_position
    return app.screen._compositor.render_strips(app.size)[row].crop(0, column).text


def fill(line: Input, words: str) -> None:
    line.value = words
    line.cursor_position = len(words)


def test_it_is_behind_what_was_typed_in_the_conversation(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(tmp_path, more={"KCODE_BASE_URL": model_server([reply("Said.")]).url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program, size=(60, 20)) as user:

            async def is_behind(words: str) -> None:
                await user.until(lambda: before_the_caret(user.app).endswith(words))

            await user.see("kimi-k2-thinking")
            for words in WORDS:
                user.composer.put(Typed(f"one line\n{words} behind"))
                for _ in " behind":
                    user.composer.action_cursor_left()
                await is_behind(f" {words}")
            user.composer.put(Typed("世" * 40 + "界"))
            await is_behind("世界")
            await user.press("f3")
            for words in WORDS:
                fill(user.app.conversation.finding, words)
                await is_behind(f" {words}")
            # What grows above or below moves the caret as well.
            await user.pilot.resize_terminal(50, 16)
            await is_behind(f" {WORDS[-1]}")
            await user.press("escape")
            await is_behind("世界")
            user.composer.empty()
            await user.send("/theme")
            await user.see("Which colours?")
            await is_behind("Name: ")

    asyncio.run(run())


def test_it_is_behind_what_was_written_about_a_hunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    proposed = propose_changes(tmp_path)

    async def run() -> None:
        async with walking(desk_of(proposed), (80, 24)) as walk:

            async def is_behind(words: str) -> None:
                await walk.until(lambda: before_the_caret(walk.app).endswith(words))

            for key in ("c", "e"):
                await walk.press(key)
                for words in WORDS:
                    walk.write(words)
                    await is_behind(f" {words}")
                await walk.press("escape")
            await walk.press("slash")
            for words in WORDS:
                fill(walk.screen.filter_box, words)
                await is_behind(f" {words}")

    asyncio.run(run())


def test_the_terminal_itself_has_it_there(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([reply(reasoning="It truncates.", calls=[RIGHT]), reply("Rounded.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    with Tmux(program, "cents() rounds down") as terminal:

        def is_behind(words: str) -> None:
            """Wait until the cursor is where these words end, which are the last ones of their row."""
            end = time.monotonic() + DEADLINE
            while True:
                x, y = map(int, terminal._run("display-message", "-p", "#{cursor_x} #{cursor_y}").split())
                row = terminal.screen().split("\n")[y].rstrip()
                if row.endswith(words) and cell_len(row) == x:
                    return
                assert time.monotonic() < end, (row, x, y)

        terminal.wait_for("Rounded.", "price unknown")
        terminal.type("你好👍 é")
        is_behind("你好👍 é")
        terminal.keys("C-u", "F2")
        terminal.wait_for("decided 0 of 1")
        # Keys that may be meant for the conversation are not taken in the first moment.
        while "你" not in terminal.screen():
            terminal.keys("c")
            terminal.type("你")
        is_behind("你")
