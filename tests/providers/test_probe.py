from __future__ import annotations

import asyncio
import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode import __version__
from kcode.providers.choice import resolve_endpoint
from kcode.providers.probe import ProbeReport, as_toml
from kcode.providers.probe.raw import read_raw
from kcode.providers.probe.run import Probe, asked_wait
from kcode.providers.probe.tasks import PLAIN, TOOLS, TRIES
from kcode.providers.sdk import SdkTransport
from kcode.results import Failure
from kcode.settings import Settings
from tests.model_server import reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory


def sse(*deltas: dict[str, object]) -> bytes:
    chunks = ({"choices": [{"index": 0, "delta": delta}]} for delta in deltas)
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def probed(server: ModelServer, seconds: float) -> ProbeReport:
    endpoint = resolve_endpoint(Settings(base_url=server.url), {})
    transport = SdkTransport(endpoint, None, 60.0, __version__)
    probe = Probe(
        endpoint,
        "kimi-k2-thinking",
        transport,
        key=None,
        window=1000,
        wrong_with=lambda _tool, _arguments: None,
        tell=lambda _text: None,
        seconds=seconds,
    )

    async def go() -> ProbeReport:
        try:
            async for _ in probe.run():
                pass
        finally:
            await transport.aclose()
        return probe.report()

    return asyncio.run(go())


def test_a_reply_that_drips_on_is_bounded_in_time(model_server: ModelServerFactory) -> None:
    server = model_server([reply("one " * 4000, pace=0.2)])
    report = probed(server, 1.0)
    assert report.verdict == "unfinished"
    assert report.failure is not None
    assert (report.failure.kind, "within 1 seconds" in report.failure.message) == ("retry", True)
    server.wait_for_close()


@pytest.mark.parametrize(
    ("failure", "wait"),
    [
        (Failure("retry", "slow down", retry_after=7.0, status=429), 7.0),
        (Failure("retry", "organization max RPM: 3, try again after 1 seconds", retry_after=1.0, status=429), 20.0),
        (Failure("retry", "max RPM: 6", status=429), 10.0),
        (Failure("retry", "an hour", retry_after=3600.0, status=429), None),
        (Failure("retry", "boom", status=500), None),
        (Failure("quota", "no money", retry_after=1.0, status=429), None),
    ],
)
def test_a_wait_is_as_long_as_the_endpoint_asks_or_there_is_none(failure: Failure, wait: float | None) -> None:
    assert asked_wait(failure) == wait


@pytest.mark.parametrize(
    ("body", "key", "leaks"),
    [
        (sse({"reasoning_content": "a"}, {"content": "b"}), "reasoning_content", ()),
        (sse({"reasoning_content": None, "reasoning": "a"}), "reasoning", ()),
        (
            sse({"reasoning_details": [{"type": "reasoning.text", "text": "a"}], "reasoning": "a"}),
            "reasoning_details",
            (),
        ),
        (sse({"reasoning_content": ""}, {"content": "b"}), None, ()),
        (sse({"content": "<th"}, {"content": "ink>a</think>b"}), None, ()),
        (sse({"content": "a</think>b"}), None, ("</think>",)),
        (
            sse({"content": "x <|tool_call"}, {"content": "s_section_begin|> y"}),
            None,
            ("<|tool_calls_section_begin|>",),
        ),
        (sse({"reasoning": "<|tool_call_begin|>"}), "reasoning", ("<|tool_call_begin|>",)),
        (
            sse({"content": "functions.read:0<|tool_call_argument_begin|>{}"}),
            None,
            ("functions.read:0", "<|tool_call_argument_begin|>"),
        ),
        (sse({"content": "the functions.py file, a < b | c > d"}), None, ()),
        (b'{"choices":[{"message":{"content":"whole","reasoning_content":"r"}}]}', "reasoning_content", ()),
        (b"<html>", None, ()),
        (b"data: {", None, ()),
    ],
)
def test_what_stood_in_the_stream_is_seen(body: bytes, key: str | None, leaks: tuple[str, ...]) -> None:
    found = read_raw(body)
    assert found.reasoning_key == key
    assert set(found.leaks) == set(leaks)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_damaged_stream_is_read_as_far_as_it_goes(noise: bytes, cut: int) -> None:
    body = sse({"content": "Hello"}, {"tool_calls": [{"id": "a:0", "function": {}}]})
    read_raw(noise)
    read_raw(body[:cut] + noise)


def test_recorded_streams_are_read_without_a_leak(recorded: Path) -> None:
    bodies = sorted(recorded.rglob("*.sse")) or sorted(path for path in recorded.rglob("*") if path.is_file())
    assert bodies
    for path in bodies:
        assert read_raw(path.read_bytes()).leaks == (), path


def test_what_was_learned_is_toml() -> None:
    report = ProbeReport(
        "custom", "m", (), "good", "good", {"reasoning_out": "reasoning", "include_usage": False}, window=1000
    )
    told = tomllib.loads(as_toml(report))["endpoints"]["custom"]
    assert told == {"window": 1000, "dialect": {"reasoning_out": "reasoning", "include_usage": False}}
    assert as_toml(ProbeReport("custom", "m", (), "good", "good")) == ""


def test_every_task_with_tools_has_the_same_beginning_so_that_it_can_be_cached() -> None:
    assert all(task.tools is TOOLS for task in TRIES)
    assert {task.messages[0] for task in TRIES} == {TRIES[0].messages[0]}
    assert len(TRIES[0].messages[0].text) > 4 * 1024
    assert PLAIN.tools == ()
