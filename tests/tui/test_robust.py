"""The terminal is as it was before, however the program ends; what is not kcode's own never reaches it."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.model_server import fault, reply
from tests.program import make_program
from tests.tui.living import enter_environment, living
from tests.tui.terminal import DEADLINE, Terminal, program_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

# The program with a widget that fails as soon as something was answered.
BROKEN = """
from kcode.tui.widgets import statusline
draw = statusline.status_line
def fail(state, *more):
    if state.cached is not None:
        raise ValueError("a widget is broken")
    return draw(state, *more)
statusline.status_line = fail
from kcode.__main__ import main
main()
"""


# The program with a library that writes to the terminal's descriptor, and so does what it starts.
NOISY = """
import os, subprocess
from kcode.tui.widgets import statusline
draw = statusline.status_line
def note(state, *more):
    if state.cached is not None and note.first:
        note.first = False
        os.write(2, b"noise\\033[31m of a library\\n")
        subprocess.run(["sh", "-c", "echo noise of a child >&2"])
    return draw(state, *more)
note.first = True
statusline.status_line = note
from kcode.__main__ import main
main()
"""


def test_what_is_written_to_stderr_meanwhile_is_told_once_the_screen_is_gone(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    usage = {"prompt_tokens": 9, "cached_tokens": 3}
    program = program_with(tmp_path, model_server, reply("Said before.", usage=usage))
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho the editor speaks >&2\n")
    editor.chmod(0o755)
    with Terminal(program, "-c", NOISY, "what is here?", EDITOR=str(editor), VISUAL=str(editor)) as terminal:
        terminal.read_until(b"Said before.", b"cached")
        terminal.type(b"\x07")
        terminal.read_until(b"the editor speaks")
        assert b"noise" not in terminal.raw
        spoken = terminal.raw.index(b"the editor speaks")
        while b"\x1b[?1049h" not in terminal.raw[spoken:]:
            terminal.read_on()
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
        terminal.assert_restored()
    after = terminal.raw[terminal.raw.rfind(b"\x1b[?1049l") :]
    assert b"noise\xe2\x90\x9b[31m of a library" in after
    assert b"noise of a child" in after
    assert b"the editor speaks" not in after


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_well_in_the_middle_of_a_turn(
    tmp_path: Path, model_server: ModelServerFactory, number: signal.Signals, code: int
) -> None:
    program = program_with(tmp_path, model_server, reply("x", pace=600.0), reply("Here again."))
    with Terminal(program, "-m", "kcode", "what is here?") as terminal:
        terminal.read_until(b"Waiting for the model")
        if number is signal.SIGTERM:
            with Terminal(program, "-m", "kcode", "-c") as other:
                other.read_until(b"Go on in a copy of it")
                other.process.send_signal(signal.SIGTERM)
                assert other.end() == 143
        terminal.process.send_signal(number)
        assert terminal.end() == code
        terminal.assert_restored()
        assert b"kcode -r " in terminal.raw
        assert b"Traceback" not in terminal.raw


@pytest.mark.parametrize("is_told", [True, False])
def test_a_terminal_that_is_closed_ends_it_and_the_session_can_be_gone_on_with(
    tmp_path: Path, model_server: ModelServerFactory, *, is_told: bool
) -> None:
    program = program_with(tmp_path, model_server, reply("Said before."))
    with Terminal(program, "-m", "kcode", "what is here?") as terminal:
        terminal.read_until(b"Said before.", b"price unknown")
        terminal.close()
        if is_told:
            terminal.process.send_signal(signal.SIGHUP)
        terminal.process.wait(DEADLINE)
        assert terminal.process.returncode == 129
    log = tmp_path / "errors"
    with (
        log.open("wb") as errors,
        Terminal(program, "-m", "kcode", "-c", errors=errors.fileno(), NO_COLOR="1") as terminal,
    ):
        terminal.read_until(b"Said before.", b"Going on with this session")
        assert b"\x1b[38;2;255" not in terminal.raw
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
    assert log.read_bytes().startswith(b"Go on with: kcode -r ")


def test_a_widget_that_fails_leaves_the_terminal_and_the_session_whole(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(
        tmp_path, model_server, reply("Said before.", usage={"prompt_tokens": 9, "cached_tokens": 3})
    )
    with Terminal(program, "-c", BROKEN, "what is here?") as terminal:
        assert terminal.end() == 1
        terminal.assert_restored()
        assert b"a widget is broken" in terminal.raw
        assert b"kcode -r " in terminal.raw
        assert program.environment["KCODE_API_KEY"].encode() not in terminal.raw
    with Terminal(program, "-m", "kcode", "-c") as terminal:
        terminal.read_until(b"Said before.")


def test_a_terminal_that_cannot_be_drawn_on_gets_the_conversation_line_by_line(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(tmp_path, model_server, reply("Said plainly."))
    with Terminal(program, "-m", "kcode", "what is here?", TERM="dumb") as terminal:
        terminal.read_until(b"Said plainly.")
        assert b"\x1b[?1049h" not in terminal.raw


def test_nothing_from_outside_steers_the_terminal(tmp_path: Path, model_server: ModelServerFactory) -> None:
    evil = "\x1b]0;owned\x07\x1b[31mred\x9b5m\u202e"
    call = ("write_file", {"path": "bad\x1b]0;owned\x07.txt", "content": evil})
    program = program_with(
        tmp_path, model_server, reply(evil, reasoning=evil, calls=[call]), reply(f"# {evil}\n- {evil}")
    )
    for name in (b"caf\xe9 \x1b]0;owned\x07.py", b"\xff\xfe"):
        (program.repository / os.fsdecode(name)).touch()
    with Terminal(program, "-m", "kcode", "what is here?") as terminal:
        terminal.read_until(b"price unknown")
        terminal.type(b"!ls; printf '\\033]0;owned\\007\\233'; ls -b >&2\r")
        terminal.read_until(b"caf\\351")
        terminal.type(b"/diff\r")
        terminal.type(b"\x1bOQ")
        terminal.read_until(b"decided 0 of")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
    assert b"owned" in terminal.raw
    for steering in (b"\x1b]0;owned", b"\x1b[31mred", b"\xc2\x9b", "\u202e".encode()):
        assert steering not in terminal.raw


def test_an_endpoint_that_fails_is_told_and_can_be_interrupted(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = fault(429, {"error": {"message": "slow down", "type": "rate_limit_reached_error"}}, {"retry-after": "50"})
    server = model_server([busy] * 9)
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program, size=(20, 5)) as user:
            await user.until(lambda: user.app.has_session)
            await user.send("what is here?")
            await user.hear("slow down")
            for size in [(columns, rows) for columns in (20, 150, 7, 61) for rows in (5, 40, 1, 16)]:
                await user.pilot.resize_terminal(*size)
            await user.see("The endpoint failed; try 2")
            await user.press("escape")
            await user.hear("Interrupted.")
            await user.rest()
        monkeypatch.setenv("KCODE_BASE_URL", "http://127.0.0.1:9/v1")
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await user.send("what is here?")
            await user.see("try 2 of")
            await user.press("escape")
            await user.hear("Interrupted.")
            await user.rest()

    asyncio.run(run())


def test_without_a_key_it_is_asked_for_and_nothing_typed_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(tmp_path)
    enter_environment(program, monkeypatch)
    monkeypatch.delenv("KCODE_API_KEY")

    async def run() -> None:
        async with living(program) as user:
            await user.until(lambda: type(user.app.screen).__name__ == "FirstRunScreen")
            await user.press("escape")
            await user.until(lambda: user.app.screen is user.app.conversation)
            await user.send("what is here?")
            await user.until(lambda: user.composer.text == "what is here?")
            assert not user.app.conversation.running

    asyncio.run(run())
