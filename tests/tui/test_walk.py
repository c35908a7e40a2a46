"""A session walked through from its start to its end: in a real terminal by keys and by the mouse, and in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.program import make_program
from tests.tui.living import enter_environment, living
from tests.tui.story import APPLIED, FILES, MODULE, SCRIPT, assert_told, written
from tests.tui.tmux import Tmux, place_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory
    from tests.program import Program
    from tests.tui.living import Living

SIZES = pytest.mark.parametrize(("columns", "rows"), [(80, 24), (150, 45)])


def begin(
    folder: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> tuple[Program, ModelServer, Path]:
    """The program, its server, and the file that it is about."""
    server = model_server(SCRIPT)
    program = make_program(folder, FILES, {"KCODE_BASE_URL": server.url})
    monkeypatch.setenv("HOME", str(program.home))
    return program, server, program.repository / "calc/money.py"


def content(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def press(terminal: Tmux, key: str, *shown: str) -> None:
    terminal.keys(key)
    terminal.wait_for(*shown)


def open_review(terminal: Tmux, decided: str) -> None:
    """Open it by its key. It shows its own keys once it takes them for its own."""
    press(terminal, "F2", decided, "esc back")


@SIZES
def test_by_keys_alone(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int
) -> None:
    program, server, file = begin(tmp_path, model_server, monkeypatch)
    with Tmux(program, columns=columns, rows=rows) as terminal:
        terminal.wait_for("kimi-k2-thinking")
        terminal.type("cents() rounds down")
        press(terminal, "Enter", "Thinking", "the tax is not rounded")
        terminal.wait_for("1 file", "3 to decide", "Waiting for the model")
        decide_by_keys(terminal)
        server.go_on()
        terminal.wait_for("Rounded everywhere.", "2 accepted")
        terminal.type("go on")
        press(terminal, "Enter", "The rate is 0.2 again.", "1 to decide")
        assert_told(server)
        assert content(file) == MODULE
        open_review(terminal, "decided 2 of 3")
        terminal.wait_for("cents(amount * 0.2)")
        press(terminal, "t", "1 passed")
        press(terminal, "Enter", "Apply what was decided?")
        press(terminal, "y", "decided 0 of 1")
        assert content(file) == APPLIED
        press(terminal, "Escape", "Ask or tell")
        for command, said, text in (("/undo", "Taken back", MODULE), ("/redo", "Applied again", APPLIED)):
            terminal.type(command)
            press(terminal, "Enter", said)
            assert content(file) == text
        assert written(program) == ["apply", "undo", "redo"]
        open_review(terminal, "decided 0 of 1")
        press(terminal, "a", "decided 1 of 1")
        press(terminal, "Escape", "Ask or tell")
        press(terminal, "C-c", "once more")
        press(terminal, "C-c", "kcode -r", "has 1 hunk pending", "[left 0]")
    with Tmux(program, "-c", columns=columns, rows=rows) as terminal:
        terminal.wait_for("The rate is 0.2 again.", "1 accepted")
        open_review(terminal, "decided 1 of 1")


def decide_by_keys(terminal: Tmux) -> None:
    """Accept the first hunk, reject the second with a comment, edit the third in place and accept it."""
    open_review(terminal, "decided 0 of 3")
    press(terminal, "a", "decided 1 of 3")
    press(terminal, "c", "Comment for the model")
    terminal.type("keep the rate")
    press(terminal, "Enter", "# keep the rate", "esc back")
    press(terminal, "x", "decided 2 of 3")
    press(terminal, "e", "The new lines of this hunk")
    terminal.keys("End")
    terminal.type("  # shown")
    press(terminal, "C-s", "edited by you")
    press(terminal, "a", "decided 3 of 3")
    press(terminal, "Escape", "Ask or tell")


@SIZES
def test_by_mouse_alone(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int
) -> None:
    """Only words are typed."""
    program, server, file = begin(tmp_path, model_server, monkeypatch)
    with Tmux(program, columns=columns, rows=rows) as terminal:
        terminal.wait_for("kimi-k2-thinking")
        terminal.type("cents() rounds down")
        terminal.click_on("enter send", "Thinking", "the tax is not rounded")
        terminal.wait_for("1 file", "3 to decide", "Waiting for the model")
        terminal.click_on("▸ Thought", "▾ Thought", "the tax is not rounded")
        decide_by_mouse(terminal)
        server.go_on()
        terminal.wait_for("2 accepted", "1 rejected")
        terminal.wait_for("esc interrupts", gone=True)
        terminal.type("go on")
        terminal.click_on("enter send", "1 to decide")
        terminal.wait_for("esc interrupts", gone=True)
        assert_told(server)
        assert content(file) == MODULE
        terminal.click_on("F2 review", "decided 2 of 3", "esc back", "cents(amount * 0.2)")
        terminal.click_on("t test", "1 passed")
        terminal.click_on("enter apply", "Apply what was decided?")
        terminal.click_on("y do it", "decided 0 of 1", "Applied: 2 hunks")
        assert content(file) == APPLIED
        terminal.click_on("ctrl+z takes it back", "Take back what was applied last?")
        terminal.click_on("y take it back", "Taken back: calc/money.py.")
        assert content(file) == MODULE
        terminal.click_on("ctrl+y applies it again", "Apply again what was taken back?")
        terminal.click_on("y apply it again", "Applied again: calc/money.py.")
        assert content(file) == APPLIED
        assert written(program) == ["apply", "undo", "redo"]
        terminal.click_on("accept ·", "decided 1 of 1")
        terminal.click_on("esc back", "Ask or tell")
        quit_by_mouse(terminal)
    with Tmux(program, "-c", columns=columns, rows=rows) as terminal:
        terminal.wait_for("The rate is 0.2 again.", "1 accepted")
        terminal.click_on("F2 review", "decided 1 of 1", "esc back")


def decide_by_mouse(terminal: Tmux) -> None:
    terminal.click_on("F2 review", "decided 0 of 3", "esc back")
    terminal.click_on("accept ·", "decided 1 of 3")
    terminal.click_on("return amount * 0.2", "hunk 2 of 3")
    terminal.click_on("c comment", "Comment for the model")
    terminal.type("keep the rate")
    terminal.click_on("enter keep", "# keep the rate", "esc back")
    terminal.click_on("x reject", "decided 2 of 3", "hunk 3 of 3")
    terminal.click_on("e edit", "The new lines of this hunk")
    # Behind the end of the line that is to be changed.
    terminal.click_on("The new lines of this hunk", beside=(60, 1))
    terminal.type("  # shown")
    terminal.click_on("ctrl+s keep", "edited by you", "esc back")
    terminal.click_on("a accept", "decided 3 of 3")
    terminal.click_on("esc back", "Ask or tell")


def quit_by_mouse(terminal: Tmux) -> None:
    """By the last one of the commands, down to which the list is scrolled."""
    screen = terminal.click_on("/ commands", "/review")
    place = place_in(screen, "/review")
    assert place is not None
    terminal.turn_wheel(*place, notches=60)
    # The last one of all: once it is seen, the list moves no more.
    terminal.wait_for("/init")
    terminal.click_on("/quit", gone="/doctor ")
    terminal.click_on("enter send", "kcode -r", "has 1 hunk pending", "[left 0]")


def test_in_this_process(tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    program, server, file = begin(tmp_path, model_server, monkeypatch)
    enter_environment(program, monkeypatch)

    async def walk() -> str:
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await user.send("cents() rounds down")
            # What the thoughts look like while they come may be over before this has its turn again.
            await user.hear("the tax is not rounded")
            assert user.app.conversation.running
            await user.see("1 file", "3 to decide", "Waiting for the model")
            await decide(user)
            assert user.app.conversation.running
            assert content(file) == MODULE
            server.go_on()
            await user.hear("Rounded everywhere.")
            await user.see("2 accepted", "1 rejected")
            await user.rest()
            await user.send("go on")
            await user.hear("The rate is 0.2 again.")
            await user.rest()
            assert_told(server)
            await user.see("2 accepted", "1 to decide")
            await carry_out(user, file)
            assert written(program) == ["apply", "undo", "redo"]
            await user.review("decided 0 of 1")
            await user.press("a")
            await user.see("decided 1 of 1")
            await user.press("escape")
            await user.see("Ask or tell", "1 accepted")
            await user.send("/quit")
            await user.until(lambda: user.app._exit)
            assert user.app.return_value == 0
            return user.app.session

    async def walk_on(session: str) -> None:
        async with living(program, resume=session) as user:
            await user.hear("cents() rounds down", "Rounded everywhere.", "The rate is 0.2 again.")
            await user.see("1 accepted")
            await user.review("decided 1 of 1")
            await user.see("cents(amount * 0.2)")

    session = asyncio.run(walk())
    assert content(file) == APPLIED
    asyncio.run(walk_on(session))
    assert len(server.requests) == len(SCRIPT)
    assert written(program) == ["apply", "undo", "redo"]


async def decide(user: Living) -> None:
    await user.review("decided 0 of 3")
    await user.press("a")
    await user.see("decided 1 of 3", "hunk 2 of 3")
    await user.press("c")
    await user.see("Comment for the model")
    await user.press(*"keep the rate", "enter")
    await user.see("# keep the rate", "esc back")
    await user.press("x")
    await user.see("decided 2 of 3", "hunk 3 of 3")
    await user.press("e")
    await user.see("The new lines of this hunk")
    await user.press("end", *"  # shown", "ctrl+s")
    await user.see("edited by you", "esc back")
    await user.press("a")
    await user.see("decided 3 of 3")
    await user.press("escape")
    await user.see("Ask or tell")


async def carry_out(user: Living, file: Path) -> None:
    """Test what is accepted, apply it, take it back and apply it again."""
    await user.review("decided 2 of 3")
    await user.see("cents(amount * 0.2)")
    await user.press("t")
    await user.see("1 passed")
    await user.press("enter")
    await user.see("Apply what was decided?", "Written to your files: 2 hunks in 1 file", "Stays pending: 1 hunk.")
    assert content(file) == MODULE
    await user.press("y")
    await user.see("Applied: 2 hunks", "decided 0 of 1")
    assert content(file) == APPLIED
    await user.press("escape")
    await user.hear("2 hunks applied.")
    await user.send("/undo")
    await user.hear("Taken back: calc/money.py.")
    assert content(file) == MODULE
    await user.send("/redo")
    await user.hear("Applied again: calc/money.py.")
    assert content(file) == APPLIED
    await user.see("1 to decide")
