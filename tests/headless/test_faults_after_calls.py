"""Faults in the middle of a turn: what has run is not run again, and the draft and the session outlive them."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from kcode.session.log import read_log
from kcode.session.store import last_session, load_conversation
from tests.model_server import ModelServer, fault, raw, reply, wire
from tests.program import Program, key_leaks, make_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen

    from tests.model_server import ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

SECONDS = 60
NOW = {"Retry-After": "0"}
# Each run of the command leaves a line in the draft.
RUN = reply(reasoning="I run it.", calls=[("run_command", {"command": "echo ran >> ran.txt"})])
DONE = reply("Done.")
RAN_ONCE = "+++ b/ran.txt\n@@ -0,0 +1 @@\n+ran\n"
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
HALF_A_CALL = (
    b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"x","function":'
    b'{"name":"run_command","arguments":"{\\"command\\": \\"echo ran >> ran.txt\\"}"}}]}}]}\n\n'
)

PASSING: dict[str, Any] = {
    "429": fault(429, {"error": {"message": "slow down"}}, NOW),
    "503": fault(503, "", NOW),
    "reset": wire(SSE, HALF_A_CALL, reset=True),
    "cut with a whole call": raw(HALF_A_CALL, cut_after=len(HALF_A_CALL)),
    "ended with a whole call": raw(HALF_A_CALL),
    "silent with a whole call": raw(HALF_A_CALL, stall=30.0),
    "error behind a whole call": raw(HALF_A_CALL, b'data: {"error":{"code":502,"message":"gone"}}\n\n'),
}
STAYING: dict[str, tuple[Any, int, str]] = {
    "401": (fault(401, {"error": {"message": "Incorrect API key"}}), 2, "The key was refused"),
    "quota": (fault(429, {"error": {"type": "exceeded_current_quota_error"}}), 1, "no money or quota left"),
    "too long": (fault(413, "Request exceeds the maximum size"), 6, "longer than the model takes"),
    "an hour": (fault(429, "", {"Retry-After": "3600"}), 75, "answered 429"),
    "without end": (fault(503, "", NOW), 75, "answered 503"),
    "redirect": (fault(307, "", {"Location": "http://127.0.0.1:9/"}), 1, "redirects to http://127.0.0.1:9/"),
}


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    def make(*script: Any) -> tuple[Program, ModelServer]:
        server = model_server(script)
        more = {"KCODE_BASE_URL": server.url, "KCODE_IDLE_TIMEOUT": "0.5"}
        return make_program(tmp_path, {"a.txt": "x\n"}, more), server

    return make


def finish(program: Program, process: Popen[bytes]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, after a look at what must hold of any run."""
    out, err = process.communicate(timeout=SECONDS)
    assert b"Traceback" not in out + err
    assert key_leaks(program, out, err) == []
    session = last_session(program.home / ".local/state/kcode", program.repository)
    assert session is not None
    assert read_log(session.log_path).damage == ()
    messages = load_conversation(session)
    assert len([message for message in messages if getattr(message, "name", "") == "run_command"]) == 1
    return process.returncode, out.decode(), err.decode()


def fix(program: Program) -> tuple[int, str, str]:
    with program.start("fix", "run it", "--test", "true") as process:
        return finish(program, process)


def pending(program: Program) -> str:
    return program.run("diff").stdout.decode()


@pytest.mark.parametrize("name", PASSING)
def test_a_retry_repeats_the_request_and_no_call(start: Start, name: str) -> None:
    program, server = start(RUN, PASSING[name], DONE)
    code, out, err = fix(program)
    assert code == 0, err
    assert out.endswith(RAN_ONCE)
    assert err.count("Trying again in ") == 1
    assert server.requests[1].body == server.requests[2].body
    assert pending(program) == out


@pytest.mark.parametrize("name", STAYING)
def test_a_run_that_is_given_up_leaves_its_draft(start: Start, name: str) -> None:
    answer, expected, said = STAYING[name]
    program, _ = start(RUN, *[answer] * 8)
    code, out, err = fix(program)
    assert (code, out) == (expected, ""), err
    assert said in err
    assert pending(program).endswith(RAN_ONCE)
    assert program.run("apply").returncode == 0
    assert (program.repository / "ran.txt").read_text() == "ran\n"


def read_until(process: Popen[bytes], words: bytes) -> None:
    """Wait until the program has said these words on stderr."""
    assert process.stderr is not None
    said, end = b"", time.monotonic() + SECONDS
    while words not in said:
        assert select.select([process.stderr], [], [], end - time.monotonic())[0], said
        piece = os.read(process.stderr.fileno(), 4096)
        assert piece, said
        said += piece


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_wait_for_another_try(start: Start, number: signal.Signals, code: int) -> None:
    program, server = start(RUN, fault(429, "", {"Retry-After": "50"}))
    with program.start("fix", "run it", "--test", "true") as process:
        read_until(process, b"Trying again in 50 s")
        process.send_signal(number)
        assert finish(program, process)[0] == code
    assert len(server.requests) == 2
    assert pending(program).endswith(RAN_ONCE)


@pytest.mark.parametrize("answer", [reply("Let me see.", stall=50.0, cut_after=400), raw(stall=50.0)])
def test_ctrl_c_ends_a_wait_for_a_silent_endpoint(start: Start, answer: Any) -> None:
    program, server = start(RUN, answer)
    program.more["KCODE_IDLE_TIMEOUT"] = "50"
    with program.start("fix", "run it", "--test", "true") as process:
        server.wait_for_requests(2)
        process.send_signal(signal.SIGINT)
        assert finish(program, process)[0] == 130
    server.wait_for_close()
    assert pending(program).endswith(RAN_ONCE)
