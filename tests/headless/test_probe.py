from __future__ import annotations

import json
import signal
import socket
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.model_server import fault, raw, reply
from tests.program import KEY, Program, key_leaks, make_program
from tests.screen import Screen

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kcode.providers.cassette import Answer
    from tests.model_server import ModelServer, ModelServerFactory

THOUGHT = "The user wants the weather, so I look it up with the tool. " * 8
DAVOS = ("get_weather", {"station": "Davos", "unit": "celsius"})
BERGEN = ("get_weather", {"station": "Bergen", "unit": "celsius"})
CUSCO = ("get_weather", {"station": "Cusco", "unit": "celsius"})
GUESTS = [{"name": "Ada", "age": 36}, {"name": "Linus", "age": 12}]
ROOM = ("book_room", {"hotel": "Krone", "nights": 3, "breakfast": True, "guests": GUESTS})
NOTE = ("write_note", {"path": "notes/a.txt", "lines": ['She said "no"', "a\\b"]})
CALLS = ([DAVOS], [DAVOS, BERGEN, CUSCO], [ROOM], [NOTE])


def usage(prompt: int, completion: int, cached: int = 0) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "cached_tokens": cached}


def sse(deltas: Iterable[dict[str, Any]], finish: str | None = "stop", tokens: dict[str, Any] | None = None) -> Answer:
    """A stream of these deltas, with usage only where it is given."""
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if tokens:
        chunks.append({"choices": [], "usage": tokens})
    return raw(*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n")


def calls_delta(calls: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    return {
        "tool_calls": [
            {"index": i, "id": f"call_{i}", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, (n, a) in enumerate(calls)
        ]
    }


PLAIN = reply("391", reasoning="17 * 23", usage=usage(20, 10))
TRIES = [reply(reasoning=THOUGHT, calls=calls, usage=usage(1500, 200)) for calls in CALLS]
FOLLOW = reply("It is -3 °C.", reasoning="Good.", usage=usage(1750, 12, 1280))
LONG = reply("one\ntwo", usage=usage(30, 128), finish="length")
GOOD = [PLAIN, *TRIES, FOLLOW, LONG]


def probe(
    folder: Path, server: ModelServer, *more: str, **environment: str
) -> tuple[subprocess.CompletedProcess[bytes], dict[str, dict[str, Any]]]:
    """Run the probe with --json; the checks by name, and `completed`."""
    program = make_program(folder, more={"KCODE_BASE_URL": server.url} | environment)
    done = program.run("doctor", "--probe", "--json", *more)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert key_leaks(program, done.stdout, done.stderr) == []
    checks = {line["name"]: line for line in lines if line["type"] == "probe.check"}
    return done, checks | {line["type"]: line for line in lines if line["type"] not in {"probe.check", "finding"}}


def levels(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: check["level"] for name, check in found.items() if check["type"] == "probe.check"}


def test_a_good_endpoint_is_found_good_in_seven_requests(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server(GOOD)
    done, found = probe(tmp_path, server)
    assert done.returncode == 0, done.stderr
    assert set(levels(found).values()) == {"ok"}
    assert found["probe.completed"]["verdict"] == "good"
    assert found["probe.completed"]["learned"] == {}
    assert found["probe.completed"]["usage"]["output_tokens"] == 10 + 4 * 200 + 12 + 128
    assert found["reasoning"]["facts"] == {"key": "reasoning_content"}
    assert found["reasoning_back"]["facts"] == {"counted": True}
    assert found["calls"]["facts"] == {"calls": 6, "valid": 6, "mended": 0, "tries": 4}
    assert found["parallel"]["facts"]["calls"] == 3
    assert found["tool_ids"]["facts"]["sent"] == "k2"
    assert found["cache"]["facts"]["cached_tokens"] == 1280
    assert found["window"]["facts"]["claimed"] == 262144
    assert found["doctor.completed"]["exit_code"] == 0
    assert len(server.requests) == 7
    assert {request.json["max_completion_tokens"] for request in server.requests} == {16384, 128}
    follow = server.requests[5].json["messages"]
    assert follow[-2]["reasoning_content"] == THOUGHT
    assert follow[-2]["tool_calls"][0]["id"] == follow[-1]["tool_call_id"] == "functions.get_weather:0"


def test_for_people_each_check_is_a_line_and_the_verdict_ends_it(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = make_program(tmp_path, more={"KCODE_BASE_URL": model_server(GOOD).url, "TERM": "xterm-256color"})
    screen = Screen(program, "doctor", "--probe")
    assert screen.end() == 0
    assert "Sending up to 7 small requests" in screen.text
    assert "Asking: calls at once …" in screen.text
    assert "6 of 6 calls valid in 4 tries" in screen.text
    assert screen.text.index("calls ") < screen.text.index("verdict ")
    assert "key            from KCODE_API_KEY …cdef" in screen.text


def test_reasoning_under_another_key_is_learned(tmp_path: Path, model_server: ModelServerFactory) -> None:
    def openrouter(text: str, calls: Sequence[tuple[str, Any]] = (), tokens: dict[str, Any] | None = None) -> Answer:
        detail = {"type": "reasoning.text", "text": THOUGHT, "format": "unknown", "index": 0}
        deltas: list[dict[str, Any]] = [{"content": "", "reasoning": THOUGHT, "reasoning_details": [detail]}]
        deltas += [calls_delta(calls)] if calls else [{"content": text}]
        told = {"prompt_tokens": 100, "completion_tokens": 50, "cost": 0.001}
        return sse(deltas, "tool_calls" if calls else "stop", told | (tokens or {}))

    details = {"prompt_tokens_details": {"cached_tokens": 0}}
    script = [openrouter("391"), *(openrouter("", calls) for calls in CALLS), openrouter("-3", tokens=details)]
    server = model_server([*script, sse([{"content": "one"}], "length", usage(10, 128) | {"cost": 0.001})])
    done, found = probe(tmp_path, server, "--model", "moonshotai/kimi-k2-thinking")
    assert done.returncode == 0
    assert found["reasoning"]["facts"] == {"key": "reasoning_details"}
    assert found["probe.completed"]["learned"] == {"reasoning_out": "reasoning_details"}
    assert found["probe.completed"]["usage"]["cost_usd"] == pytest.approx(0.007)
    assert found["cache"]["level"] == "weak"
    assert "reasoning_details" in server.requests[5].json["messages"][-2]


def test_what_is_learned_stands_there_as_toml(tmp_path: Path, model_server: ModelServerFactory) -> None:
    script = [sse([{"reasoning": "17 * 23"}, {"content": "391"}], tokens=usage(20, 10)), *GOOD[1:]]
    server = model_server(script, models=[{"id": "kimi-k2-thinking", "max_model_len": 32768}])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    done = program.run("doctor", "--probe")
    assert done.returncode == 0
    learned = done.stdout.decode().split("config.toml:\n")[1]
    assert tomllib.loads(learned)["endpoints"]["custom"] == {"window": 32768, "dialect": {"reasoning_out": "reasoning"}}
    assert "usable, with a smaller window" in done.stdout.decode()


def test_leaked_calls_are_told_and_make_it_unfit(tmp_path: Path, model_server: ModelServerFactory) -> None:
    # In quotes and with a name that is no tool of the probe, so that it stays text however it is read.
    leak = "<|tool_calls_section_begin|><|tool_call_begin|>functions.nothing:0<|tool_call_argument_begin|>{}<|tool_call_end|>"
    server = model_server([PLAIN, *[reply(f"`{leak}`", reasoning="Hm.", usage=usage(1500, 50))] * 4, LONG])
    done, found = probe(tmp_path, server)
    assert done.returncode == 1
    assert found["leaks"]["level"] == "bad"
    assert found["leaks"]["facts"]["replies"] == 4
    assert found["probe.completed"]["verdict"] == "unfit"


def test_a_think_block_in_the_content_is_reasoning_and_no_leak(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    plain = sse([{"content": " <think> 17 times 23 </think> 391"}], tokens=usage(20, 10))
    _, found = probe(tmp_path, model_server([plain, *GOOD[1:]]))
    assert found["reasoning"]["facts"] == {"key": "think"}
    assert found["leaks"]["level"] == "ok"
    assert found["probe.completed"]["learned"] == {"reasoning_out": "think"}


def test_an_endpoint_without_usage_is_usable_without_it(tmp_path: Path, model_server: ModelServerFactory) -> None:
    script = [sse([{"reasoning_content": "Hm."}, {"content": "391"}])]
    script += [sse([{"reasoning_content": "Hm."}, calls_delta(calls)], "tool_calls") for calls in CALLS]
    script += [sse([{"content": "-3"}]), sse([{"content": "one " * 50}], "length")]
    done, found = probe(tmp_path, model_server(script))
    assert done.returncode == 0
    assert (found["usage"]["level"], found["cache"]["level"]) == ("weak", "unknown")
    assert found["probe.completed"]["text"] == "usable, with no usage figures"
    assert found["probe.completed"]["usage"]["cost_usd"] is None


def test_a_limit_that_does_not_hold_is_tried_in_its_other_spelling(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    endless = reply("one two three four " * 400, usage=usage(30, 1600))
    server = model_server([*GOOD[:-1], endless, LONG])
    done, found = probe(tmp_path, server)
    assert (done.returncode, found["limit"]["level"]) == (0, "ok")
    assert found["probe.completed"]["learned"] == {"max_tokens_key": "max_tokens"}
    assert "max_tokens" in server.requests[-1].json
    _, found = probe(tmp_path / "2", model_server([*GOOD[:-1], endless, endless]))
    assert found["limit"]["level"] == "weak"
    assert found["probe.completed"]["text"] == "usable, with an output limit that does not hold"


def test_a_model_that_calls_no_tool_is_unfit_and_nothing_of_calls_is_claimed(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    done, found = probe(tmp_path, model_server([PLAIN, *[reply("I cannot.", usage=usage(9, 9))] * 4, LONG]))
    assert done.returncode == 1
    unknown = {"calls", "parallel", "tool_ids", "reasoning_back", "cache"}
    assert {name: level for name, level in levels(found).items() if level != "ok"} == dict.fromkeys(unknown, "unknown")
    assert found["probe.completed"]["verdict"] == "unfit"
    assert "no tool was called in 4 tries" in found["probe.completed"]["text"]


def test_calls_that_do_not_fit_are_counted(tmp_path: Path, model_server: ModelServerFactory) -> None:
    strange = [
        reply(calls=[("get_weather", {"station": "Davos"})], usage=usage(9, 9)),
        reply(calls=[DAVOS, BERGEN, CUSCO], usage=usage(9, 9)),
        reply(
            calls=[("book_room", {"hotel": "Krone", "nights": "3", "breakfast": True, "guests": []})], usage=usage(9, 9)
        ),
        reply(calls=[("write_file", {})], usage=usage(9, 9)),
    ]
    done, found = probe(tmp_path, model_server([PLAIN, *strange, FOLLOW, LONG]))
    assert done.returncode == 0
    assert found["calls"]["facts"] == {"calls": 6, "valid": 3, "mended": 1, "tries": 4}
    assert "'unit' is a required property" in found["calls"]["text"]
    assert "3 of 6 calls invalid" in found["probe.completed"]["text"]


@pytest.mark.parametrize(
    ("at", "check", "words"),
    [(1, "tools", "it refuses requests with tools"), (5, "follow_up", "it refuses results of tools")],
)
def test_a_refusal_of_tools_is_a_finding_and_the_probe_goes_on(
    tmp_path: Path, model_server: ModelServerFactory, at: int, check: str, words: str
) -> None:
    refused = fault(400, {"error": {"message": "tools are not for this server"}})
    done, found = probe(tmp_path, model_server([*GOOD[:at], refused, LONG]))
    assert done.returncode == 1
    assert "tools are not for this server" in found[check]["text"]
    assert found["limit"]["level"] == "ok"
    assert words in found["probe.completed"]["text"]


def test_reasoning_that_the_server_drops_is_told(tmp_path: Path, model_server: ModelServerFactory) -> None:
    dropping = reply("-3", reasoning="Good.", usage=usage(1550, 12, 1280))
    _, found = probe(tmp_path, model_server([*GOOD[:5], dropping, LONG]))
    assert (found["reasoning_back"]["level"], found["reasoning_back"]["facts"]) == ("weak", {"counted": False})


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            fault(401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}}),
            2,
            "401",
        ),
        (fault(429, {"error": {"message": "You exceeded your current quota"}}), 1, "quota"),
        (fault(500, "boom"), 75, "boom"),
        (reply("391", cut_after=100), 75, "broke"),
    ],
)
def test_a_failing_endpoint_ends_the_probe_with_its_own_words(
    tmp_path: Path, model_server: ModelServerFactory, answer: Any, code: int, words: str
) -> None:
    server = model_server([PLAIN, answer])
    done, found = probe(tmp_path, server)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert len(server.requests) == 2
    assert levels(found) == {"window": "ok", "speed": "ok", "reasoning": "ok"}
    assert found["probe.completed"]["verdict"] == "unfinished"
    assert found["error"]["exit_code"] == code


def test_asked_to_wait_it_waits_once_and_goes_on(tmp_path: Path, model_server: ModelServerFactory) -> None:
    busy = fault(429, {"error": {"message": "concurrency: 1, please try again after 0.1 seconds"}})
    server = model_server([PLAIN, busy, *GOOD[1:]])
    done, found = probe(tmp_path, server)
    assert (done.returncode, found["probe.completed"]["requests"]) == (0, 8)
    assert b"Waiting 0 s, as it asks" in done.stderr
    server = model_server([PLAIN, busy, busy, *GOOD[1:]])
    done, found = probe(tmp_path / "2", server)
    assert (done.returncode, len(server.requests)) == (75, 3)


def test_a_silent_endpoint_ends_the_probe(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([reply("391", cut_after=100, stall=60)])
    done, found = probe(tmp_path, server, KCODE_IDLE_TIMEOUT="0.5")
    assert (done.returncode, found["probe.completed"]["verdict"]) == (75, "unfinished")
    assert b"sent nothing for 0.5 seconds" in done.stderr


def test_ctrl_c_ends_it_at_once_with_what_is_known(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([PLAIN, reply("never", stall=60)])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url, "TERM": "xterm-256color"})
    screen = Screen(program, "doctor", "--probe")
    server.wait_for_requests(2)
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130
    assert "streams as reasoning_content" in screen.text
    assert "did not come to its end" in screen.text
    assert "Traceback" not in screen.text


def test_an_endpoint_that_is_not_there_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    done = make_program(tmp_path, more={"KCODE_BASE_URL": url}).run("doctor", "--probe")
    assert done.returncode == 75
    assert b"Could not reach" in done.stderr


def test_doctor_says_which_key_is_used_and_what_to_do_without_one(tmp_path: Path) -> None:
    program = make_program(tmp_path, more={"KCODE_API_KEY": "", "MOONSHOT_API_KEY": KEY})
    lines = [json.loads(line) for line in program.run("doctor", "--json").stdout.splitlines()]
    found = {line["name"]: line for line in lines if line["type"] == "finding"}
    assert found["key"]["text"] == "from MOONSHOT_API_KEY …cdef"
    assert lines[-1]["type"] == "doctor.completed"
    done = Program(program.repository, program.home, {"KCODE_API_KEY": ""}).run("doctor", "--probe")
    assert done.returncode == 1
    assert b"kcode login moonshot" in done.stdout
    assert b"not probed" in done.stderr


def test_a_place_where_nothing_can_be_worked_on_is_no_reason_not_to_probe(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = make_program(tmp_path, more={"KCODE_BASE_URL": model_server(GOOD).url})
    done = program.run("doctor", "--probe", "--json", "-C", "/")
    assert done.returncode == 1
    assert b'"verdict": "good"' in done.stdout
