"""Traffic in a file: recorded as it happens, or written by hand, and served again without any network.

A cassette is JSON lines. A line that begins with `#` is a comment; the first may be `{"kcode-cassette": 1}`. Each other
line answers one request, in order:

    {"request": {…}, "response": {"status": 200, "headers": {…}, "body": "data: …"}, "cut": true}    recorded
    {"reasoning": "…", "text": "…", "calls": [{"name": "…", "arguments": {…}}], "usage": {…}}        by hand
    {"status": 429, "headers": {…}, "body": {…}}                                                     an error

To either of the last two may be added `"cut_after": N` (the connection breaks after N bytes), `"stall": S` (S seconds
of silence at that place, or before the end) and `"pace": S` (S seconds between the pieces).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kcode.errors import ProviderError, UsageError
from kcode.providers.failures import cut
from kcode.providers.transport import Response, WholeResponse
from kcode.results import Failure
from kcode.secrets import remove_key

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from kcode.providers.endpoints import Endpoint
    from kcode.providers.transport import Transport

_FORMAT = "kcode-cassette"
_KEPT_HEADERS = ("content-type", "retry-after", "x-request-id", "x-trace-id", "x-generation-id")
_SCRIPT_KEYS = frozenset({"reasoning", "text", "calls", "usage", "finish"})
_FAULT_KEYS = frozenset({"status", "headers", "body", "cut_after", "stall", "pace"})
_REASONING_PIECE, _TEXT_PIECE, _ARGUMENTS_PIECE = 12, 12, 24


@dataclass(frozen=True, slots=True)
class Answer:
    """One response as bytes. It breaks after `cut_after` bytes, is silent for `stall` seconds, and paces its pieces."""

    pieces: tuple[bytes, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    cut_after: int | None = None
    stall: float = 0.0
    pace: float = 0.0


def read_cassette(path: Path) -> list[Answer]:
    """The answers in the file; UsageError names the line that cannot be used."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise UsageError(f"The cassette {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"The cassette {path} is not UTF-8 text.") from None
    answers: list[Answer] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            entry = json.loads(line)
            if isinstance(entry, dict) and _FORMAT in entry:
                if entry[_FORMAT] != 1:
                    raise UsageError(f"{path} is a cassette of format {entry[_FORMAT]!r}; this kcode reads format 1.")
                continue
            answers.append(answer_of(entry, len(answers)))
        except (ValueError, TypeError, KeyError, AttributeError) as bad:
            raise UsageError(f"{path}, line {number}, is no line of a cassette: {bad!r}.") from None
    return answers


def answer_of(entry: Mapping[str, Any], number: int = 0) -> Answer:
    """One line of a cassette as an answer; `number` counts the answers before it. Raises ValueError for other lines."""
    if "response" in entry:
        response = entry["response"]
        body = response.get("body", "")
        data = base64.b64decode(response["body_base64"]) if "body_base64" in response else body.encode()
        cut_after = len(data) if entry.get("cut") else None
        return Answer(tuple(data.splitlines(keepends=True)), response["status"], response.get("headers", {}), cut_after)
    if unknown := set(entry) - _SCRIPT_KEYS - _FAULT_KEYS:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    faults: dict[str, Any] = {name: entry[name] for name in ("cut_after", "stall", "pace") if name in entry}
    if "body" in entry or "status" in entry:
        body = entry.get("body", "")
        is_text = isinstance(body, str)
        data = body.encode() if is_text else json.dumps(body).encode()
        headers = {"content-type": "text/plain" if is_text else "application/json"} | dict(entry.get("headers", {}))
        return Answer((data,), int(entry.get("status", 200)), headers, **faults)
    headers = {"content-type": "text/event-stream"} | dict(entry.get("headers", {}))
    return Answer(tuple(script_pieces(entry, number)), 200, headers, **faults)


def script_pieces(reply: Mapping[str, Any], number: int = 0) -> list[bytes]:
    """A reply written by hand as Kimi K2 Thinking would stream it: the reasoning, the text, the calls, the usage."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece} for piece in _cut(reply.get("reasoning", ""), _REASONING_PIECE)]
    deltas += [{"content": piece} for piece in _cut(reply.get("text", ""), _TEXT_PIECE)]
    calls = reply.get("calls", [])
    for index, call in enumerate(calls):
        given = call.get("arguments", {})
        arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        head = {"name": call["name"], "arguments": ""}
        call_id = f"functions.{call['name']}:{number}{index}"
        deltas.append({"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": head}]})
        for piece in _cut(arguments, _ARGUMENTS_PIECE):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    finish = reply.get("finish", "tool_calls" if calls else "stop")
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 0} | dict(reply.get("usage", {}))
    base = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
    chunks = [base | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append(base | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish, "usage": usage}]})
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def _cut(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


class ReplayTransport:
    """Serves a cassette's answers in order, one a request."""

    def __init__(self, answers: list[Answer], name: str, endpoint: Endpoint) -> None:
        self._answers = iter(enumerate(answers, 1))
        self._name = name
        self._endpoint = endpoint
        self._count = len(answers)

    @asynccontextmanager
    async def post(self, body: bytes) -> AsyncGenerator[Response, None]:  # noqa: ARG002 - the answers are fixed
        """Serve the next answer; ProviderError when there is none left."""
        _, answer = next(self._answers, (0, None))
        if answer is None:
            message = f"The cassette {self._name} holds {self._count} replies, and one more was asked for."
            raise ProviderError(Failure("broken", message))
        async with aclosing(self._play(answer)) as chunks:
            yield Response(answer.status, answer.headers, chunks)

    async def _play(self, answer: Answer) -> AsyncGenerator[bytes, None]:
        left = answer.cut_after
        for piece in answer.pieces:
            if left is not None and len(piece) >= left:
                yield piece[:left]
                break
            left = None if left is None else left - len(piece)
            yield piece
            # Even without a pace each piece is a turn of the loop, so that a cancellation is seen.
            await asyncio.sleep(answer.pace)
        await asyncio.sleep(answer.stall)
        if answer.cut_after is not None:
            raise ProviderError(cut(self._endpoint))

    async def get(self, path: str) -> WholeResponse:  # noqa: ARG002 - the same for all
        """A cassette holds replies alone."""
        return WholeResponse(404, {}, b"")

    def use_key(self, key: str) -> None:
        """A cassette asks for none."""

    async def aclose(self) -> None:
        """Nothing is open."""


class Recorder:
    """Passes requests on and appends each exchange to a file, without headers of the request and without the key."""

    def __init__(self, transport: Transport, path: Path, key: str | None) -> None:
        self._transport = transport
        self._path = path
        self._keys = [key] if key else []
        self._append(json.dumps({_FORMAT: 1}), os.O_CREAT | os.O_EXCL)

    @asynccontextmanager
    async def post(self, body: bytes) -> AsyncGenerator[Response, None]:
        """Send the request, and record it with what was read of its response when the context is left."""
        heard: list[bytes] = []
        whole = False
        async with self._transport.post(body) as response:

            async def listen() -> AsyncGenerator[bytes, None]:
                nonlocal whole
                async for chunk in response.chunks:
                    heard.append(chunk)
                    yield chunk
                whole = True

            try:
                async with aclosing(listen()) as chunks:
                    yield Response(response.status, response.headers, chunks)
            finally:
                self._append(self._line(body, response, b"".join(heard), whole=whole))

    def _line(self, request: bytes, response: Response, heard: bytes, *, whole: bool) -> str:
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        kept: dict[str, Any] = {"status": response.status, "headers": headers}
        for key in self._keys:
            heard = remove_key(heard.decode("latin-1"), key).encode("latin-1")
        try:
            kept["body"] = heard.decode()
        except UnicodeDecodeError:
            kept["body_base64"] = base64.b64encode(heard).decode()
        entry: dict[str, Any] = {"request": json.loads(request), "response": kept}
        if not whole and b"[DONE]" not in heard:
            entry["cut"] = True
        line = json.dumps(entry, ensure_ascii=False)
        for key in self._keys:
            line = remove_key(line, key)
        return line

    def _append(self, line: str, flags: int = 0) -> None:
        data = (line + "\n").encode("utf-8", "backslashreplace")
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
            try:
                while data:
                    data = data[os.write(handle, data) :]
            finally:
                os.close(handle)
        except FileExistsError:
            raise UsageError(f"{self._path} is there already. Record to a new file.") from None
        except OSError as error:
            raise UsageError(f"The recording {self._path} cannot be written: {error.strerror}.") from None

    async def get(self, path: str) -> WholeResponse:
        """Passed on; not recorded."""
        return await self._transport.get(path)

    def use_key(self, key: str) -> None:
        """Passed on, and kept out of the recording too."""
        self._keys.append(key)
        self._transport.use_key(key)

    async def aclose(self) -> None:
        """Close what is still open."""
        await self._transport.aclose()
