"""A model that goes in circles, through the real program: it is stopped, and what was done is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.model_server import raw, reply
from tests.program import RIGHT, RUN_TESTS, Program, make_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

READ = ("read_file", {"path": "calc/money.py"})


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    def make(*script: Any) -> tuple[Program, ModelServer]:
        server = model_server(script)
        return make_program(tmp_path, more={"KCODE_BASE_URL": server.url}), server

    return make


def events_of(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_model_that_repeats_itself_for_ever_is_stopped_and_the_draft_is_kept(start: Start) -> None:
    program, server = start(reply(calls=[RIGHT]), *[reply("Again.", calls=[READ])] * 20)
    done = program.run("fix", "cents() rounds down", "--test", "true")
    assert done.returncode == 6, done.stderr
    assert done.stdout == b""
    assert 'The model made the same call 12 times in a row: read_file {"path": "calc/money.py"}' in done.stderr.decode()
    assert b"What was changed so far is kept (untested): kcode diff shows it" in done.stderr
    assert len(server.requests) == 13
    told = [m["content"] for m in server.requests[-1].json["messages"] if m["role"] == "tool"]
    assert [number for number, text in enumerate(told) if "Note from kcode" in text] == [3, 5, 8]
    assert b"round(amount, 2)" in program.run("diff").stdout


def test_in_json_it_is_told_as_stuck(start: Start) -> None:
    program, _ = start(*[reply(calls=[READ])] * 12)
    done = program.run("ask", "does it round?", "--json")
    assert done.returncode == 6
    events = events_of(done.stdout)
    assert events[-1]["type"] == "turn.completed"
    assert (events[-1]["reason"], events[-1]["steps"]) == ("stuck", 12)
    assert len([event for event in events if event["type"] == "model.nudged"]) == 3


def test_a_loop_over_a_tool_that_does_not_exist_is_stopped(start: Start) -> None:
    script = [reply(calls=[("Read", {"file": f"{number}.py"})]) for number in range(20)]
    program, server = start(*script)
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 6, done.stderr
    assert "called tools that do not exist in 12 replies in a row: Read" in done.stderr.decode()
    assert b"Nothing was changed so far." in done.stderr
    assert len(server.requests) == 12


def test_thoughts_alone_are_asked_for_again_and_the_answer_counts(start: Start) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    thought = reply(reasoning="Hmm.", usage=usage)
    program, server = start(thought, thought, reply(calls=[RIGHT, RUN_TESTS], usage=usage), reply("Done.", usage=usage))
    done = program.run("fix", "cents() rounds down", "--json")
    assert done.returncode == 0, done.stderr
    events = events_of(done.stdout)
    assert [e["type"] for e in events].count("reply.discarded") == 2
    assert "retry.scheduled" not in [e["type"] for e in events]
    finished = next(e for e in events if e["type"] == "turn.completed")
    assert (finished["reason"], finished["steps"]) == ("done", 4)
    assert finished["usage"]["input_tokens"] == 400
    assert sum(e["usage"]["input_tokens"] for e in events if e["type"] == "step.completed") == 400
    first, second, third = (request.json["messages"] for request in server.requests[:3])
    assert first == second == third[:-1]
    assert third[-1]["role"] == "user"
    assert "Note from kcode, not from the user" in third[-1]["content"]


def test_empty_replies_without_end_are_given_up_without_waiting(start: Start) -> None:
    program, server = start(*[reply()] * 5)
    done = program.run("ask", "does it round?")
    assert done.returncode == 6
    assert b"It was the 3rd reply in a row that is of no use." in done.stderr
    assert b"Trying again" not in done.stderr
    assert len(server.requests) == 3


def test_a_reply_that_repeats_one_passage_is_cut_off(start: Start) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"reasoning_content": "Wait, let me check that again. "}}]}
    endless = raw(*[f"data: {json.dumps(chunk)}\n\n".encode() * 20] * 100_000, pace=0.001)
    program, server = start(endless, reply("It truncates."))
    done = program.run("ask", "does it round?")
    assert (done.returncode, done.stdout) == (0, b"It truncates.\n")
    assert b"! The model repeated the same passage over and over." in done.stderr
    server.wait_for_close()


def test_300_different_calls_in_one_turn_are_left_alone(start: Start) -> None:
    script = [
        reply(reasoning="On.", calls=[("read_file", {"path": "calc/money.py", "start": number})])
        for number in range(1, 300)
    ]
    program, server = start(*script, reply(calls=[RIGHT]), reply("Done."))
    done = program.run("fix", "cents() rounds down", "--max-steps", "400", "--test", "true")
    assert done.returncode == 0, done.stderr
    assert len(server.requests) == 301
    assert not [m for m in server.requests[-1].json["messages"] if "Note from kcode" in (m.get("content") or "")]
