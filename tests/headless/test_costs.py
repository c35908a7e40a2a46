"""What a run costs, as the user sees it: on the screen, in JSON, in the session, and with a limit."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from kcode.context.tokenizer import load_counter
from kcode.pricing import cost_of
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.usage import read_usage
from kcode.session.store import list_sessions, load_usages
from tests.context.samples import samples
from tests.model_server import reply
from tests.program import RIGHT, RUN_TESTS, Program, make_program
from tests.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

# Moonshot's list of prices, and a server on this machine.
LISTED = {"KCODE_ENDPOINT": "moonshot", "TERM": "xterm-256color"}
TOOK = {
    "prompt_tokens": 4000,
    "completion_tokens": 100,
    "cached_tokens": 3000,
    "completion_tokens_details": {"reasoning_tokens": 80},
}
COST = cost_of(read_usage(TOOK), ENDPOINTS["moonshot"].prices["kimi-k2-thinking"]) or 0.0


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    def make(script: list[Any], **more: str) -> tuple[Program, ModelServer]:
        server = model_server(script)
        return make_program(tmp_path, more={"KCODE_BASE_URL": server.url} | more), server

    return make


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_limit_that_the_first_request_would_pass_sends_nothing(start: Start) -> None:
    program, server = start([reply("Never asked for.")], **LISTED)
    done = program.run("ask", "what is this?", "--max-cost", "0.0001")
    assert (done.returncode, done.stdout, server.requests) == (6, b"", [])
    assert b"The next request would pass the cost limit of $0.0001: nothing was spent, and its " in done.stderr


def test_at_the_limit_the_run_ends_with_what_was_changed_so_far(start: Start) -> None:
    script = [reply(calls=[RIGHT, RUN_TESTS], usage=TOOK), reply(calls=[RUN_TESTS], usage=TOOK), reply("Never.")]
    program, server = start(script, **LISTED)
    done = program.run("fix", "cents() rounds down", "--max-cost", f"{2 * COST:.6f}")
    assert (done.returncode, done.stdout, len(server.requests)) == (6, b"", 2)
    assert b"cost limit of $0.0026 was reached ($0.0026 spent)" in done.stderr
    assert b"kcode diff shows it" in done.stderr
    assert b"round(amount, 2)" in program.run("diff").stdout


@pytest.mark.parametrize(("limit", "code"), [("0.08", 0), ("0.07", 6)])
def test_the_next_request_is_forecast_with_what_the_endpoint_has_in_its_cache(
    start: Start, limit: str, code: int
) -> None:
    big = TOOK | {"prompt_tokens": 100_000, "cached_tokens": 0}
    program, _ = start([reply(calls=[("list_files", {})], usage=big), reply("Done.", usage=big)], **LISTED)
    # $0.0603 for the first; the second's input costs $0.0150 from the cache, and would cost $0.0600 otherwise.
    assert program.run("ask", "what is this?", "--max-cost", limit).returncode == code


@pytest.mark.parametrize("source", ["flag", "environment", "file"])
def test_a_limit_that_cannot_hold_is_refused_before_anything_is_sent(start: Start, source: str) -> None:
    program, _ = start([], KCODE_BASE_URL="https://corp.example/v1")
    more = dict(program.more)
    arguments = ["fix", "cents() rounds down"]
    if source == "flag":
        arguments += ["--max-cost", "0.5"]
    elif source == "environment":
        more["KCODE_MAX_COST"] = "0.5"
    else:
        config = program.home / ".config/kcode/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("max_cost = 0.5\n")
    done = Program(program.repository, program.home, more).run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b'[endpoints.custom.prices."kimi-k2-thinking"]' in done.stderr
    assert b".config/kcode/config.toml" in done.stderr
    assert not (program.home / ".local/state/kcode/sessions").exists()


def test_on_this_machine_a_limit_without_a_price_is_remarked_on_and_lets_the_run_go_on(start: Start) -> None:
    program, _ = start([reply(calls=[RUN_TESTS], usage=TOOK), reply("Done.", usage=TOOK)])
    done = program.run("ask", "what is this?", "--max-cost", "0.5")
    assert (done.returncode, done.stdout) == (0, b"Done.\n")
    assert done.stderr.count(b"limit of $0.5 counts only costs that 127.0.0.1:") == 1
    assert b"price unknown" in done.stderr


def test_json_tells_every_kind_of_token_and_where_the_cost_is_from(start: Start) -> None:
    billed = TOOK | {"cost": 0.25}
    script = [reply(calls=[("list_files", {})], usage=billed), reply("Done.", usage=TOOK), reply("Done.")]
    program, _ = start(script, **LISTED)
    events = lines(program.run("ask", "what is this?", "--json").stdout)
    step = {"input_tokens": 4000, "cached_input_tokens": 3000, "output_tokens": 100, "reasoning_output_tokens": 80}
    steps = [event["usage"] for event in events if event["type"] == "step.completed"]
    listed = step | {"cost_usd": pytest.approx(COST), "cost_is_estimate": True}
    assert steps == [step | {"cost_usd": 0.25, "cost_is_estimate": False}, listed]
    assert events[-1]["usage"] == {name: 2 * count for name, count in step.items()} | {
        "cost_usd": pytest.approx(0.25 + COST),
        "cost_is_estimate": True,
    }
    untold = lines(program.run("ask", "what is this?", "--json").stdout)[-1]["usage"]
    assert (untold["reasoning_output_tokens"], untold["cost_usd"]) == (None, None)


def test_the_line_after_a_turn_marks_an_estimate_and_a_bill(start: Start) -> None:
    script = [reply("Done.", usage=TOOK), reply("Done.", usage=TOOK | {"cost": 0.25})]
    program, _ = start(script, **LISTED)
    first, second = (program.run("ask", "what is this?").stderr.decode() for _ in range(2))
    assert "1 step, 4,000 tokens in (75% cached), 100 out (80% reasoning), ≈ $0.0013" in first
    assert "100 out (80% reasoning), $0.2500" in second


def test_a_conversation_tells_what_its_turns_took_together(start: Start) -> None:
    script = [reply("One.", usage=TOOK), reply("Two.", usage=TOOK), reply("Never.", stall=60)]
    program, server = start(script, **LISTED)
    screen = Screen(program, "what is this?", "--plain")
    screen.wait_for("≈ $0.0013")
    screen.wait_for("\n> ")
    assert "session:" not in screen.text
    screen.type("and that?\n")
    screen.wait_for("session: 2 turns, 2 steps, 8,000 tokens in (75% cached), 200 out (80% reasoning), ≈ $0.0026")
    screen.wait_for("\n> ")
    screen.type("and those?\n")
    server.wait_for_requests(3)
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("session: 3 turns, 2 steps")
    screen.wait_for("replies that broke off are not counted")
    screen.wait_for("\n> ")
    screen.type("/quit\n")
    assert screen.end() == 0
    assert "session: 3 turns, 2 steps" in screen.text
    (session,) = list_sessions(program.home / ".local/state/kcode", program.repository)
    assert [usage.reasoning_tokens for usage in load_usages(session)] == [80, 80]


@pytest.mark.skipif(load_counter("kimi-k2") is None, reason="the extra kcode[tokenizer] is not installed")
@pytest.mark.parametrize(("model", "code"), [("kimi-k2-thinking", 0), ("another-model", 6)])
def test_near_the_end_of_the_window_a_kimi_model_is_counted_exactly(start: Start, model: str, code: int) -> None:
    # About 40,000 tokens in K2's vocabulary, estimated at 45,000; the window leaves 42,500 for the request.
    text = samples()["minified JSON"] * 4
    program, server = start([reply("Fits.")], KCODE_MODEL=model, KCODE_WINDOW="56700")
    done = program.run("ask", "what is this?", input=text.encode())
    assert (done.returncode, len(server.requests)) == (code, 1 if code == 0 else 0)
