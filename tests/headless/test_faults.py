"""What `kcode ask` does for each fault of an endpoint: outcome, exit code and words."""

from __future__ import annotations

import gzip
import socket
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest

from kcode.providers.cassette import script_pieces
from kcode.session.log import read_log
from kcode.session.store import list_sessions, load_conversation
from tests.model_server import fault, raw, reply, wire
from tests.program import Program, key_leaks, make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

SECONDS = 60
NAME = attrgetter("name")
STREAM = b"".join(script_pieces({"text": "Fine."}))
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
NOW = {"Retry-After": "0"}
CUT = "broke in the middle of the reply"


def error(message: str, kind: str = "", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind} | more}


@dataclass(frozen=True)
class Fault:
    """An answer to the first request. `tries` is how often it is given before a good one; 0: no good one is asked for."""

    name: str
    answer: Any
    said: str
    code: int = 0
    tries: int = 1
    more: tuple[str, ...] = ()


MENDED = [
    Fault("408", fault(408, "", NOW), "answered 408"),
    Fault("429, a rate", fault(429, error("max RPM: 3", "rate_limit_reached_error"), NOW), "max RPM: 3"),
    Fault(
        "429, a rate in words",
        fault(429, error("request reached max organization concurrency: 1, please try again after 1 seconds")),
        "Trying again in 1 s",
    ),
    Fault("429, overloaded", fault(429, error("overloaded", "engine_overloaded_error"), NOW), "overloaded"),
    Fault("500", fault(500, "<html><title>Oops</title></html>", NOW), "a web page, “Oops”"),
    Fault("502", fault(502, error("Bad gateway"), NOW), "Bad gateway"),
    Fault("503, loading", fault(503, error("Loading model", "unavailable_error", code=503), NOW), "Loading model"),
    Fault("529", fault(529, "", NOW), "answered 529"),
    Fault("three in a row", fault(503, "", NOW), "attempt 4", tries=3),
    Fault("reset in the middle", wire(SSE, b"\r\n", STREAM[:300], reset=True), CUT),
    Fault("reset before the head", wire(reset=True), CUT),
    Fault("closed before the head", wire(), CUT),
    Fault("half a head", wire(SSE[:20]), CUT),
    Fault("no HTTP at all", wire(b"SSH-2.0-OpenSSH_9.2\r\n"), CUT),
    Fault("cut between chunks", reply("A long enough answer", cut_after=300), CUT),
    Fault("cut without a word", wire(SSE, b"\r\n", STREAM.split(b"\n\n")[0], b"\n\n"), "before the reply was whole"),
    Fault("cut in an event", wire(SSE, b"\r\n", STREAM[:300]), "The endpoint's reply cannot be used"),
    Fault("silent", raw(b": waiting\n\n", stall=30.0), "sent nothing for 0.5 seconds"),
    Fault("silent in the middle", raw(STREAM[:300], stall=30.0), "sent nothing for 0.5 seconds"),
    Fault("empty", raw(), "the answer is empty"),
    Fault("a web page", raw(b"<html><title>Login</title>", content_type="text/html"), "a web page came"),
    Fault("a JSON error with 200", raw(b'{"error":{"message":"boom","code":503}}'), "boom"),
    Fault("an error in the stream", raw(b'data: {"choices":[],"error":{"code":502,"message":"gone"}}\n\n'), "gone"),
    Fault("an endless line", raw(*[b"x" * 1_000_000] * 10, stall=30.0), "longer than 8 MiB"),
    Fault("a length that is too great", wire(SSE, b"content-length: 9999\r\n\r\n", STREAM[:300]), CUT),
    Fault("a length that is too small", wire(SSE, b"content-length: 300\r\n\r\n", STREAM), "cannot be used"),
    Fault("gzip that is none", wire(SSE, b"content-encoding: gzip\r\n\r\n", STREAM), CUT),
]

HARMLESS = [
    Fault("a slow drip", raw(*(STREAM[n : n + 25] for n in range(0, len(STREAM), 25)), pace=0.02), ""),
    Fault("gzip that nobody asked for", wire(SSE, b"content-encoding: gzip\r\n\r\n", gzip.compress(STREAM)), ""),
    Fault("a length that is too great behind the end", wire(SSE, b"content-length: 9999\r\n\r\n", STREAM), ""),
    Fault("one JSON body", raw(b'{"choices":[{"message":{"content":"Fine."},"finish_reason":"stop"}]}'), ""),
]

GIVEN_UP = [
    Fault("400", fault(400, error("bad parameter")), "bad parameter", 1),
    Fault("401", fault(401, error("Incorrect API key")), "Set it in KCODE_API_KEY", 2),
    Fault("402", fault(402, error("Insufficient credits")), "no money or quota left", 1),
    Fault("403", fault(403, error("not in your country")), "refused the request", 1),
    Fault("404, no such path", fault(404, "404 page not found"), "Does the base URL end in /v1?", 1),
    Fault(
        "404, no such model",
        fault(404, error("Not found the model kimi-k2-thinking", "resource_not_found_error")),
        "It serves: kimi-k3, kimi-k2.6.",
        2,
    ),
    Fault("413", fault(413, "Request exceeds the maximum size"), "longer than the model takes", 6),
    Fault(
        "400, too long",
        fault(400, error("Invalid request: Your request exceeded model token limit: 262144 (requested: 274613)")),
        "longer than the model takes",
        6,
    ),
    Fault("429, no quota", fault(429, error("please recharge", "exceeded_current_quota_error")), "Top it up", 1),
    Fault("429, an hour", fault(429, error("max TPD"), {"Retry-After": "3600"}), "max TPD", 75),
    Fault("503 without end", fault(503, error("no capacity"), NOW), "no capacity", 75, tries=8),
    Fault("comments without end", raw(*[b": on\n\n"] * 2000, pace=0.01), "time limit", 6, more=("--timeout", "2")),
    Fault("JSON that is no answer", raw(b'{"error":{"message":"no access","code":403}}'), "no access", 1),
]


def ask(program: Program, *more: str) -> tuple[int, str, str]:
    """Ask, within a deadline; returns the exit code, stdout and stderr, after a look at what must hold of any run."""
    with program.start("ask", "does it round?", *more) as process:
        out, err = process.communicate(timeout=SECONDS)
    assert b"Traceback" not in out + err
    assert key_leaks(program, out, err) == []
    (session,) = list_sessions(program.home / ".local/state/kcode")
    assert read_log(session.log_path).damage == ()
    assert any("does it round?" in message.text for message in load_conversation(session))
    return process.returncode, out.decode(), err.decode()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_program(tmp_path_factory.mktemp("asked"), {"a.txt": "x\n"}).repository


@pytest.fixture
def program(repository: Path, tmp_path: Path) -> Program:
    """A home of its own over a repository that a question cannot change."""
    return Program(repository, tmp_path, {"KCODE_IDLE_TIMEOUT": "0.5"})


@pytest.mark.parametrize("row", MENDED, ids=NAME)
def test_a_fault_that_may_pass_is_tried_again(program: Program, model_server: ModelServerFactory, row: Fault) -> None:
    server = model_server([row.answer] * row.tries + [reply("Fine.")])
    program.more["KCODE_BASE_URL"] = server.url
    code, out, err = ask(program)
    assert (code, out) == (0, "Fine.\n"), err
    assert row.said in err
    assert err.count("Trying again in ") == row.tries
    assert len({request.body for request in server.requests}) == 1


@pytest.mark.parametrize("row", HARMLESS, ids=NAME)
def test_what_can_be_read_is_read(program: Program, model_server: ModelServerFactory, row: Fault) -> None:
    program.more["KCODE_BASE_URL"] = model_server([row.answer]).url
    code, out, err = ask(program)
    assert (code, out) == (0, "Fine.\n"), err
    assert "Trying again" not in err


@pytest.mark.parametrize("row", GIVEN_UP, ids=NAME)
def test_a_fault_that_stays_ends_the_run_and_says_why(
    program: Program, model_server: ModelServerFactory, row: Fault
) -> None:
    server = model_server([row.answer] * 9, models=["kimi-k3", "kimi-k2.6"])
    program.more["KCODE_BASE_URL"] = server.url
    code, out, err = ask(program, *row.more)
    assert (code, out) == (row.code, ""), err
    assert row.said in err
    assert len(server.requests) == row.tries
    assert err.rstrip().count("\n") < 20


def test_a_redirect_is_told_and_not_followed(program: Program, model_server: ModelServerFactory) -> None:
    other = model_server([reply("Stolen")])
    program.more["KCODE_BASE_URL"] = model_server([fault(308, "", {"Location": f"{other.url}/chat/completions"})]).url
    code, out, err = ask(program)
    assert (code, out) == (1, "")
    assert f"redirects to {other.url}" in err
    assert other.requests == other.other_requests == []


def test_a_port_where_nobody_listens(program: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        program.more["KCODE_BASE_URL"] = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        code, out, err = ask(program)
    assert (code, out) == (75, "")
    assert "Connection refused. Is the server running?" in err
    assert err.count("Trying again in ") == 2


def test_tls_with_a_port_that_speaks_none(program: Program, model_server: ModelServerFactory) -> None:
    program.more["KCODE_BASE_URL"] = model_server([]).url.replace("http:", "https:")
    code, out, err = ask(program)
    assert (code, out) == (75, "")
    assert "Could not reach 127.0.0.1" in err
