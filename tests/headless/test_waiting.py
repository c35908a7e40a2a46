from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.events import ToolCallFinished
from kcode.headless.report import Reporter
from kcode.headless.terminal import Terminal
from kcode.headless.waiting import waiting_text
from kcode.headless.wrapping import Wrapper, wrap_text
from kcode.messages import ToolCall
from kcode.results import ToolResult
from tests.model_server import reply
from tests.screen import Screen, program_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

LONG = "The quick brown fox jumps over the lazy dog, and so does everybody else who reads these very long lines here."


def test_at_a_terminal_it_is_shown_at_once_that_a_reply_is_waited_for(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    screen = Screen(program_with([reply("It rounds.")], tmp_path, model_server), "ask", "what is this?")
    screen.wait_for("waiting …")
    screen.end()
    before, _, after = screen.text.rpartition("waiting …")
    assert "It rounds." not in before
    assert after.index("\r\x1b[K") < after.index("It rounds.")


def test_in_a_pipe_nothing_is_said_of_waiting(tmp_path: Path, model_server: ModelServerFactory) -> None:
    done = program_with([reply("It rounds.")], tmp_path, model_server).run("ask", "what is this?")
    assert done.returncode == 0
    assert b"waiting" not in done.stderr


@given(st.text(max_size=120), st.floats(0, 5000), st.integers(30, 200))
def test_the_waiting_line_fits_and_moves(whom: str, seconds: float, columns: int) -> None:
    text = waiting_text(whom, seconds, columns)
    assert len(text) < columns or len(whom) > columns - 30
    assert len(text) < max(columns, 50)
    assert text != waiting_text(whom, seconds + 0.2001, columns)


@pytest.mark.parametrize("columns", [20, 80])
def test_prose_is_broken_at_blanks_and_nothing_gets_lost(columns: int) -> None:
    wrapped = wrap_text(LONG, columns)
    assert max(map(len, wrapped.split("\n"))) <= columns
    assert wrapped.replace("\n", " ") == LONG


def test_code_and_tables_stay_as_they_are() -> None:
    code = f"```\n{LONG}\n```\n    {LONG}\n| {LONG} |\n"
    assert wrap_text(code, 40) == code


@given(st.text("ab 漢\n`|\t", max_size=60), st.integers(2, 20), st.data())
def test_pieces_give_what_the_whole_gives(text: str, columns: int, data: st.DataObject) -> None:
    wrapper, rest, out = Wrapper(columns), text, ""
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        out, rest = out + wrapper.feed(rest[:size]), rest[size:]
    out += wrapper.flush()
    assert out == wrap_text(text, columns)
    assert "".join(out.split()) == "".join(text.split())
    assert wrap_text(text, None) == text


def test_an_answer_at_a_narrow_terminal_is_broken_at_blanks(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with([reply(LONG)], tmp_path, model_server)
    screen = Screen(program, script="stty cols 40 rows 24; KCODE ask what")
    screen.end()
    shown = screen.text.replace("\r\n", "\n")
    assert wrap_text(LONG, 40) in shown


@pytest.mark.parametrize(
    ("summary", "words"),
    [("exit code 0 after 0.2 s", "— exit code 0 after 0.2 s\n"), ("3 lines", "— 3 lines (0.2 s)\n")],
)
def test_the_time_is_told_once(summary: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    call = ToolCall("1", "run_command", '{"command": "ls"}')
    Reporter(Terminal({})).report(ToolCallFinished(call, ToolResult("", summary), 0.2))
    assert capsys.readouterr().err.endswith(words)
