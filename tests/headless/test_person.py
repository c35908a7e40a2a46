"""What a person at the terminal is asked in the middle of a turn, and what nobody is."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.model_server import fault, reply
from tests.program import RIGHT, RUN_TESTS, Program, make_program
from tests.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.model_server import ModelServer, ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

GONE = fault(404, {"error": {"message": "Not found the model kimi-k2-thinking", "type": "resource_not_found_error"}})
NO_KEY = fault(401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}})
BUSY = {"error": {"message": "The engine is currently overloaded", "type": "engine_overloaded_error"}}
ANSWER = reply("It truncates.")
OTHER_KEY = "sk-second-9876543210"
MODEL_QUESTION, KEY_QUESTION = "Go on with which model?", "Another key (it is not shown)"


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    def make(*script: Any) -> tuple[Program, ModelServer]:
        server = model_server(script)
        server.models = ["kimi-k3", "kimi-k2.6"]
        return make_program(tmp_path, more={"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"}), server

    return make


@pytest.mark.parametrize("answer", ["2", "kimi-k2.6"])
def test_a_model_that_is_gone_is_chosen_from_those_that_are_served(start: Start, answer: str) -> None:
    program, server = start(reply(calls=[RIGHT, RUN_TESTS]), GONE, reply("Rounded."))
    screen = Screen(program, "fix", "cents() rounds down", "--patch")
    screen.wait_for(MODEL_QUESTION)
    assert "   1  kimi-k3\r\n   2  kimi-k2.6\r\n" in screen.text
    screen.type("7\n")
    screen.wait_for(MODEL_QUESTION)
    screen.type(f"{answer}\n")
    assert screen.end() == 0
    assert "Going on with kimi-k2.6. To keep it:" in screen.text
    assert "+    return round(amount, 2)" in screen.text
    assert [request.json["model"] for request in server.requests] == ["kimi-k2-thinking"] * 2 + ["kimi-k2.6"]
    assert server.requests[2].json["messages"] == server.requests[1].json["messages"]


def test_another_key_is_typed_unseen_and_used(start: Start) -> None:
    program, server = start(NO_KEY, ANSWER)
    screen = Screen(program, "ask", "does it round?")
    screen.wait_for(KEY_QUESTION)
    assert not screen.shows_what_is_typed
    screen.type("two words\n")
    screen.wait_for(KEY_QUESTION)
    assert "A key has neither blanks" in screen.text
    screen.type(f"{OTHER_KEY}\n")
    assert screen.end() == 0
    assert "To keep it: kcode login" in screen.text
    assert "It truncates.\r\n\x1b[2m1 step" in screen.text
    assert OTHER_KEY not in screen.text
    assert server.requests[1].headers["authorization"] == f"Bearer {OTHER_KEY}"
    kept = [path for path in program.home.rglob("*") if path.is_file() and OTHER_KEY.encode() in path.read_bytes()]
    assert kept == []


@pytest.mark.parametrize(
    ("failure", "question", "answer"),
    [(NO_KEY, KEY_QUESTION, "\x03"), (NO_KEY, KEY_QUESTION, "\x04"), (GONE, MODEL_QUESTION, "\x03")],
)
def test_ctrl_c_and_ctrl_d_at_a_question_leave(start: Start, failure: Any, question: str, answer: str) -> None:
    program, _ = start(failure)
    screen = Screen(program, script="trap : INT; KCODE fix 'cents() rounds down'")
    screen.wait_for(question)
    screen.type(answer)
    screen.wait_for_end()
    assert screen.shows_what_is_typed
    assert screen.end() == 130
    assert "Traceback" not in screen.text
    assert "never retrieved" not in screen.text


def test_enter_alone_gives_the_error_as_without_a_question(start: Start) -> None:
    program, _ = start(GONE)
    screen = Screen(program, "ask", "does it round?")
    screen.wait_for(MODEL_QUESTION)
    screen.type("\n")
    assert screen.end() == 2
    assert "It serves: kimi-k3, kimi-k2.6." in screen.text


def test_the_question_reaches_the_terminal_when_the_issue_came_through_a_pipe(start: Start) -> None:
    program, server = start(GONE, ANSWER)
    screen = Screen(program, script="echo 'does it round?' | KCODE ask")
    screen.wait_for(MODEL_QUESTION)
    screen.type("1\n")
    assert screen.end() == 0
    assert server.requests[1].json["model"] == "kimi-k3"


def test_what_was_typed_before_the_question_does_not_answer_it(start: Start) -> None:
    program, server = start(reply("Let me look.", calls=[("list_files", {})]), GONE, ANSWER)
    screen = Screen(program, "ask", "does it round?")
    screen.type("1\n1\n1\n")
    screen.wait_for(MODEL_QUESTION)
    screen.type("2\n")
    assert screen.end() == 0
    assert server.requests[-1].json["model"] == "kimi-k2.6"


@pytest.mark.parametrize("more", ["--json", "--quiet", "2> errors", "& wait $!"])
def test_who_reads_no_questions_is_not_asked(start: Start, more: str) -> None:
    program, server = start(GONE)
    screen = Screen(program, script=f"set -m; KCODE ask 'does it round?' {more}; echo code $?")
    screen.wait_for("code ")
    screen.end()
    assert "code 2" in screen.text
    assert MODEL_QUESTION not in screen.text
    assert len(server.requests) == 1


@pytest.mark.parametrize(("answer", "code"), [("n", 6), ("y", 0)])
def test_whether_a_model_in_a_circle_goes_on_is_asked(start: Start, answer: str, code: int) -> None:
    again = reply(calls=[("read_file", {"path": "calc/money.py"})])
    program, _ = start(reply(calls=[RIGHT]), *[again] * 13, reply("Done."))
    screen = Screen(program, "fix", "cents() rounds down", "--patch", "--test", "true")
    screen.wait_for("Let it go on? [y/n]")
    assert 'The model made the same call 12 times in a row: read_file {"path": "calc/money.py"}' in screen.text
    screen.type(f"what?\n{answer}\n")
    assert screen.end() == code
    assert b"round(amount, 2)" in program.run("diff").stdout


def test_the_wait_counts_down_on_one_line_that_vanishes(start: Start) -> None:
    program, _ = start(fault(429, BUSY, {"Retry-After": "2"}), ANSWER)
    screen = Screen(program, "ask", "does it round?")
    assert screen.end() == 0
    assert "The engine is currently overloaded" in screen.text
    for left in (2, 1):
        assert f"Trying again in {left} s (attempt 2 of 8); Ctrl-C stops\x1b[0m\r\x1b[K" in screen.text


def test_elsewhere_the_wait_is_one_line(start: Start) -> None:
    program, _ = start(fault(429, BUSY, {"Retry-After": "1"}), ANSWER)
    done = program.run("ask", "does it round?")
    assert done.returncode == 0
    assert done.stderr.count(b"Trying again") == 1
    assert b"Trying again in 1 s (attempt 2 of 8)." in done.stderr
    assert b"\r" not in done.stderr


def test_ctrl_c_in_the_wait_leaves_at_once_and_keeps_the_session(start: Start) -> None:
    program, _ = start(reply(calls=[RIGHT]), fault(429, BUSY, {"Retry-After": "50"}))
    screen = Screen(program, "fix", "cents() rounds down")
    screen.wait_for("Ctrl-C stops")
    began = time.monotonic()
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130
    assert time.monotonic() - began < 40
    assert "Traceback" not in screen.text
    assert b"round(amount, 2)" in program.run("diff").stdout


def test_in_json_a_wait_is_one_event(start: Start) -> None:
    program, _ = start(fault(429, BUSY, {"Retry-After": "1"}), ANSWER)
    events = [json.loads(line) for line in program.run("ask", "x y", "--json").stdout.splitlines()]
    waits = [event for event in events if event["type"].startswith("retry")]
    assert [(event["type"], event["attempt"], event["attempts"]) for event in waits] == [("retry.scheduled", 1, 8)]
