from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kcode.errors import ProviderError, UsageError
from kcode.messages import UserMessage
from kcode.providers import ReasoningDelta, TextDelta
from kcode.providers.cassette import read_cassette
from kcode.providers.endpoints import ENDPOINTS
from kcode.providers.openai_chat import connect, open_provider, replay
from kcode.settings import Settings
from tests.model_server import fault, raw, reply

if TYPE_CHECKING:
    from kcode.providers.openai_chat import OpenAIChat
    from tests.model_server import ModelServerFactory

ROOT = Path(__file__).parent.parent.parent
KEY = "sk-canary-0123456789"
ENDPOINT = ENDPOINTS["moonshot"]


def cassette(tmp_path: Path, *lines: Any) -> Path:
    path = tmp_path / "replies.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def outcomes(provider: OpenAIChat, count: int) -> list[Any]:
    """What each of so many requests gave: the deltas, or the failure."""

    async def one() -> Any:
        try:
            return [delta async for delta in provider.stream([UserMessage("Hello")], [])]
        except ProviderError as error:
            return error.failure

    async def go() -> list[Any]:
        found = [await one() for _ in range(count)]
        await provider.aclose()
        return found

    return asyncio.run(go())


def test_a_script_is_served_as_the_model_would_stream_it(tmp_path: Path) -> None:
    path = cassette(
        tmp_path,
        {"kcode-cassette": 1},
        "# first it looks",
        "",
        {"reasoning": "I should look at the file first.", "calls": [{"name": "read_file", "arguments": {"path": "a"}}]},
        {"text": "Done and dusted.", "usage": {"prompt_tokens": 10, "completion_tokens": 5}},
    )
    first, second = outcomes(replay(path, ENDPOINT, "kimi-k2-thinking"), 2)
    assert len([d for d in first if isinstance(d, ReasoningDelta)]) > 1
    assert first[-1].message.reasoning == "I should look at the file first."
    assert first[-1].message.tool_calls[0].name == "read_file"
    assert second[-1].message.text == "Done and dusted."
    assert second[-1].finish == "stop"


def test_faults_are_served_too(tmp_path: Path) -> None:
    path = cassette(
        tmp_path,
        {"status": 429, "body": {"error": {"message": "slow down"}}, "headers": {"retry-after": "3"}},
        {"text": "A long enough answer", "cut_after": 250},
        {"status": 200, "body": "<html>"},
        {"text": "Slowly", "pace": 0.01, "stall": 0.05},
    )
    started = time.monotonic()
    limited, cut, page, slow = outcomes(replay(path, ENDPOINT, "m"), 4)
    assert (limited.kind, limited.retry_after) == ("retry", 3)
    assert "broke in the middle" in cut.message
    assert "web page" in page.message
    assert slow[-1].message.text == "Slowly"
    assert time.monotonic() - started >= 0.01


def test_the_end_of_a_cassette_is_told(tmp_path: Path) -> None:
    _, failure = outcomes(replay(cassette(tmp_path, {"text": "x"}), ENDPOINT, "m"), 2)
    assert failure.kind == "broken"
    assert "replies.jsonl holds 1 replies, and one more was asked for" in failure.message


def test_a_recording_replays_what_happened(tmp_path: Path, model_server: ModelServerFactory) -> None:
    pair = b'data: {"choices":[{"delta":{"content":"x\xff"}}]}\n\n'
    script = [
        reply("Hello", reasoning="why é", calls=[("read_file", {"path": "a"})], usage={"prompt_tokens": 7}),
        fault(401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}),
        reply("A long enough answer", cut_after=300),
        raw(pair, b"data: [DONE]\n\n"),
        fault(429, "slow", {"Retry-After": "7", "Set-Cookie": "secret-cookie"}),
    ]
    server = model_server(script)
    path = tmp_path / "recording.jsonl"
    live = outcomes(connect(replace(ENDPOINT, base_url=server.url), "m", KEY, record=path), len(script))
    again = outcomes(replay(path, replace(ENDPOINT, base_url=server.url), "m"), len(script))

    def without_pieces(outcome: Any) -> Any:
        if not isinstance(outcome, list):
            return outcome.kind, outcome.status, outcome.retry_after
        return "".join(d.text for d in outcome if isinstance(d, TextDelta)), outcome[-2:]

    assert [without_pieces(outcome) for outcome in live] == [without_pieces(outcome) for outcome in again]
    text = path.read_text()
    assert KEY not in text
    assert "authorization" not in text.lower()
    assert "secret-cookie" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    entries = [json.loads(line) for line in text.splitlines()]
    assert entries[0] == {"kcode-cassette": 1}
    assert len(entries) == 1 + len(script)
    assert entries[1]["request"]["messages"] == [{"role": "user", "content": "Hello"}]
    assert entries[3]["cut"] is True
    assert "cut" not in entries[1]


def test_a_reply_that_was_broken_off_is_recorded_as_cut(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([raw(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n', stall=30.0)])
    path = tmp_path / "recording.jsonl"
    provider = connect(replace(ENDPOINT, base_url=server.url), "m", KEY, record=path)

    async def go() -> None:
        stream = provider.stream([UserMessage("Hello")], [])
        await anext(stream)
        await stream.aclose()
        await provider.aclose()

    asyncio.run(go())
    assert json.loads(path.read_text().splitlines()[1])["cut"] is True


def test_a_recording_overwrites_nothing_and_follows_no_link(tmp_path: Path) -> None:
    path, link = tmp_path / "there.jsonl", tmp_path / "link.jsonl"
    path.write_text("mine")
    link.symlink_to(tmp_path / "target")
    for name in (path, link):
        with pytest.raises(UsageError, match="there already"):
            connect(ENDPOINT, "m", KEY, record=name)
    with pytest.raises(UsageError, match="cannot be written"):
        connect(ENDPOINT, "m", KEY, record=tmp_path / "no folder" / "x")
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[1]",
        "3",
        '{"texts": "x"}',
        '{"calls": [{"arguments": {}}]}',
        '{"calls": 3}',
        '{"response": {}}',
        '{"response": 3}',
        '{"status": "x"}',
        '{"response": {"status": 200, "body_base64": "x"}}',
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match=r"replies\.jsonl, line 2"):
        read_cassette(cassette(tmp_path, {"text": "x"}, line))


def test_a_cassette_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_cassette(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        read_cassette(tmp_path / "binary")
    with pytest.raises(UsageError, match="format 2"):
        read_cassette(cassette(tmp_path, {"kcode-cassette": 2}))


def test_a_replay_needs_neither_key_nor_sdk(tmp_path: Path) -> None:
    path = cassette(tmp_path, {"text": "Hello"})
    provider = open_provider(Settings(), {}, cassette=path)
    assert provider.model == "kimi-k2-thinking"
    code = f"""
import asyncio, sys
from pathlib import Path
from kcode.messages import UserMessage
from kcode.providers.openai_chat import open_provider
from kcode.settings import Settings
provider = open_provider(Settings(), {{}}, cassette=Path({str(path)!r}))
async def go():
    return [delta async for delta in provider.stream([UserMessage("x")], [])][-1].message.text
print(asyncio.run(go()), [name for name in ("openai", "httpx2") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "Hello []\n"
