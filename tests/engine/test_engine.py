"""kcode with an engine that nobody here wrote: `make test-engine`.

The model is no assistant and far too small to be one, but it goes on with a pattern that it is shown. So a question shows
it the calls, or the answers, that it is to write: to kcode what it then writes is as real as any model's.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from kcode.providers.cassette import read_cassette
from kcode.session.store import list_sessions, load_conversation
from tests.engine.conftest import MODEL, start_engine, stop_engine, wait_until_loaded
from tests.program import Program, key_leaks, make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Engine, Parts, RelayFactory
    from tests.engine.relay import Relay

SECONDS = 300
FILES = ("b.py", "c.md", "d.txt")
SECRET = "what stands in the file"
USER, END = "<|im_user|>user<|im_middle|>", "<|im_end|>"
REPLY = "<|im_assistant|>assistant<|im_middle|><think>"


def shown(*pairs: tuple[str, str], last: str) -> str:
    """A question with what came before it: prompts and the replies to them, as the template writes them."""
    return "".join(f"{prompt}{END}{REPLY}{reply}{END}{USER}" for prompt, reply in pairs) + last


def read(path: str) -> str:
    section = (
        f'<|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{{"path": "{path}"}}<|tool_call_end|>'
    )
    return f"I read {path}.</think><|tool_calls_section_begin|>{section}<|tool_calls_section_end|>"


ANSWER = shown(*((f"What is {n} + {n}?", f"I add.</think>It is {n + n}.") for n in (1, 2, 4)), last="What is 3 + 3?")
CALL = shown(*((f"Read {path}.", read(path)) for path in FILES), last="Read a.py.")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    files = {name: f"{SECRET} of {name}\n" for name in ("a.py", *FILES)}
    return make_program(tmp_path, files, {"KCODE_MODEL": MODEL, "KCODE_IDLE_TIMEOUT": str(SECONDS)})


def ask(program: Program, relay: Relay, *arguments: str, **options: Any) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, after a look at what must hold of any run."""
    program.more["KCODE_BASE_URL"] = relay.url
    data = options.pop("input", None)
    with program.start("ask", *arguments, **options) as process:
        out, err = process.communicate(data, timeout=SECONDS)
    assert b"Traceback" not in out + err
    assert key_leaks(program, out, err) == []
    assert len(list_sessions(program.home / ".local/state/kcode")) == 1
    return process.returncode, out.decode(), err.decode()


def test_an_answer_streams_and_is_whole(program: Program, engine: Engine, relay: RelayFactory, tmp_path: Path) -> None:
    tape = tmp_path / "tape.jsonl"
    code, out, err = ask(program, relay(engine, tokens=24), ANSWER, "--record", str(tape))
    assert code == 0, err
    lines = b"".join(read_cassette(tape)[-1].pieces).decode().split("\n")
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert len(deltas) > 10
    assert out.strip() == "".join(delta.get("content") or "" for delta in deltas).strip()
    assert out.startswith("It is ")
    assert "I add." in err
    counted = chunks[-1]["usage"]
    assert f"{counted['prompt_tokens']:,} tokens in" in err


def test_a_call_runs_and_goes_back_as_the_engine_takes_it(
    program: Program, engine: Engine, relay: RelayFactory
) -> None:
    between = relay(engine, tokens=100)
    code, out, err = ask(program, between, CALL, "--max-steps", "2", "--json")
    assert code in {0, 6}, err
    items = [json.loads(line).get("item", {}) for line in out.splitlines()]
    call, result = [item for item in items if item.get("type") == "tool_call"][:2]
    path = json.loads(call["arguments"])["path"]
    assert (call["name"], result["failed"]) == ("read_file", False)
    assert f"{SECRET} of {path}" in result["output"]
    assert between.statuses == [200, 200]
    reply, answer = between.requests[1]["messages"][2:4]
    assert reply["reasoning_content"].strip() == f"I read {path}."
    assert reply["tool_calls"][0]["id"] == answer["tool_call_id"] == "functions.read_file:0"


@pytest.mark.parametrize("tokens", [12, 50])
def test_a_call_that_is_cut_does_not_run(program: Program, engine: Engine, relay: RelayFactory, tokens: int) -> None:
    between = relay(engine, tokens=tokens)
    code, out, err = ask(program, between, CALL, "--max-steps", "1", "--json")
    assert code != 2, err
    assert SECRET not in out
    (session,) = list_sessions(program.home / ".local/state/kcode")
    messages = load_conversation(session)
    assert not any(SECRET in message.text for message in messages[1:])


def test_a_prompt_that_is_too_long_is_told_as_such(program: Program, engine: Engine, relay: RelayFactory) -> None:
    between = relay(engine, tokens=16)
    program.more["KCODE_WINDOW"] = "100000"
    code, out, err = ask(program, between, "What is this?", input=b"word " * 12_000, stdin=-1)
    assert (code, out) == (6, ""), err
    assert between.statuses == [400]
    assert "longer than the model takes" in err


def test_ctrl_c_leaves_and_frees_the_engine(program: Program, engine: Engine, relay: RelayFactory) -> None:
    between = relay(engine, tokens=4000)
    program.more["KCODE_BASE_URL"] = between.url
    with program.start("ask", ANSWER) as process:
        assert between.passed.wait(SECONDS)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (130, b""), err
    other = Program(program.repository, program.home / "other", program.more)
    code, _, said = ask(other, relay(engine, tokens=24), ANSWER)
    assert code == 0, said


def test_an_engine_that_dies_in_the_middle(program: Program, parts: Parts, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    mortal = start_engine(parts, log)
    try:
        wait_until_loaded(mortal, log)
        program.more["KCODE_BASE_URL"] = mortal.url
        with program.start("ask", ANSWER, "--record", str(tmp_path / "tape.jsonl")) as process:
            assert process.stderr is not None
            assert process.stderr.read(1)
            mortal.process.kill()
            out, err = process.communicate(timeout=SECONDS)
    finally:
        stop_engine(mortal)
    assert (process.returncode, out) == (75, b""), err
    assert b"Traceback" not in err
    assert b"Could not reach" in err


def test_the_probe_tells_the_truth_about_it(program: Program, engine: Engine, relay: RelayFactory) -> None:
    between = relay(engine, tokens=128)
    program.more["KCODE_BASE_URL"] = between.url
    with program.start("doctor", "--probe", "--json") as process:
        out, err = process.communicate(timeout=3 * SECONDS)
    assert b"Traceback" not in err
    lines = [json.loads(line) for line in out.splitlines()]
    checks = {line["name"]: line for line in lines if line["type"] == "probe.check"}
    (completed,) = [line for line in lines if line["type"] == "probe.completed"]
    assert between.statuses, err
    assert checks["usage"]["level"] == "ok"
    assert checks["window"]["facts"]["claimed"] == 8192
    assert checks["reasoning"]["facts"]["key"] == "reasoning_content"
    assert checks["limit"]["level"] == "ok"
    assert checks["calls"]["facts"]["calls"] == 0
    assert "<|im_end|>" in checks["leaks"]["facts"]["marks"]
    assert completed["verdict"] == "unfit"
    assert process.returncode == 1
