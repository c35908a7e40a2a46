from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.program import RIGHT, RUN_TESTS, Program, make_program
from tests.screen import Screen, program_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

FIXED = [reply(reasoning="It truncates.", calls=[RIGHT, RUN_TESTS]), reply("Rounded, in `calc/money.py:5`.")]


def test_at_a_terminal_the_diff_is_shown_and_yes_writes_it(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    before = program.snapshot()
    screen = Screen(program, "fix", "cents() rounds down")
    screen.wait_for("Apply? [y]es")
    assert "\x1b[2mIt truncates" in screen.text
    assert "\x1b[32m+    return round(amount, 2)" in screen.text
    assert "1 file, +1 -1; tests pass: 2 passed" in screen.text
    assert program.snapshot() == before
    screen.type("y\n")
    assert screen.end() == 0
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()


def test_no_keeps_the_proposal_for_later(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    before = program.snapshot()
    screen = Screen(program, "fix", "cents() rounds down")
    screen.wait_for("Apply? [y]es")
    screen.type("maybe\nn\n")
    assert screen.end() == 0
    assert program.snapshot() == before
    assert b"round(amount, 2)" in program.run("diff").stdout


def test_what_was_typed_before_the_question_does_not_answer_it(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    before = program.snapshot()
    screen = Screen(program, "fix", "cents() rounds down")
    screen.type("y\n")
    screen.wait_for("Apply? [y]es")
    screen.type("n\n")
    assert screen.end() == 0
    assert program.snapshot() == before


def test_ctrl_c_at_the_question_writes_nothing(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    before = program.snapshot()
    screen = Screen(program, "fix", "cents() rounds down")
    screen.wait_for("Apply? [y]es")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("Nothing was written. kcode diff shows the proposal, kcode apply writes it.")
    assert screen.end() == 130
    assert "Traceback" not in screen.text
    assert program.snapshot() == before


def test_a_call_is_one_line_that_settles(tmp_path: Path, model_server: ModelServerFactory) -> None:
    screen = Screen(program_with(FIXED, tmp_path, model_server), "fix", "cents() rounds down", "--patch")
    screen.end()
    assert "· run_tests …\r\x1b[K" in screen.text


def test_no_color_is_honoured(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    plain = Program(program.repository, program.home, program.more | {"NO_COLOR": "1"})
    screen = Screen(plain, "fix", "cents() rounds down", "--patch")
    screen.end()
    assert "\x1b[3" not in screen.text
    assert "+    return round(amount, 2)" in screen.text


def test_a_conversation_takes_turns_and_asks_after_each(tmp_path: Path, model_server: ModelServerFactory) -> None:
    script = [reply("It rounds money."), *FIXED]
    program = program_with(script, tmp_path, model_server)
    screen = Screen(program, "--plain")
    screen.wait_for("> ")
    screen.type("what is this?\n")
    screen.wait_for("It rounds money.")
    screen.wait_for("\n> ")
    screen.type("fix it\n")
    screen.wait_for("Apply? [y]es")
    screen.type("y\n")
    screen.wait_for("Applied: 1 file, +1 -1")
    screen.type("/undo\n")
    screen.wait_for("Done: calc/money.py")
    screen.type("/redo\n")
    screen.wait_for("Done: calc/money.py")
    screen.type("/diff\n")
    screen.wait_for("Nothing is pending")
    screen.type("/what\n")
    screen.wait_for("There is no command /what")
    screen.type("/diff calc\n")
    screen.wait_for("/diff takes no words")
    screen.type("/quit\n")
    assert screen.end() == 0


def test_ctrl_c_at_the_question_ends_the_question_and_not_the_conversation(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    screen = Screen(program, "chat", "--plain", "fix it")
    screen.wait_for("Apply? [y]es")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("Nothing was written.")
    screen.wait_for("\n> ")
    screen.type("/apply\n")
    screen.wait_for("Applied: 1 file, +1 -1")
    screen.type("/quit\n")
    assert screen.end() == 0


def test_ctrl_c_in_a_turn_ends_the_turn_and_not_the_conversation(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server([reply("never", stall=60), reply("Here again.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"})
    screen = Screen(program, "what is this?", "--plain")
    server.wait_for_requests(1)
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("Interrupted.")
    screen.type("and now?\n")
    screen.wait_for("Here again.")
    screen.wait_for("> ")
    screen.type("\x04")
    assert screen.end() == 0


def test_escapes_in_what_the_model_says_are_shown_and_not_obeyed(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jhello"
    screen = Screen(program_with([reply(evil, reasoning=evil)], tmp_path, model_server), "fix", "say hello")
    screen.end()
    assert "\x1b]0;" not in screen.text
    assert "\x1b[2J" not in screen.text
    assert "␛[2Jhello" in screen.text


def test_what_is_said_before_a_call_stays_on_the_screen(tmp_path: Path, model_server: ModelServerFactory) -> None:
    script = [reply("Let me see.", calls=[("read_file", {"path": "calc/money.py"})]), reply("It truncates.")]
    screen = Screen(program_with(script, tmp_path, model_server), "ask", "does it round?")
    assert screen.end() == 0
    assert "Let me see.\r\n" in screen.text
    assert "It truncates.\r\n" in screen.text
