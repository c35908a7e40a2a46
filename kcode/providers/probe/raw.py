"""What stood in the stream itself: kcode's own reading of a reply mends much of what a probe is to tell."""

from __future__ import annotations

import re
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kcode.providers.sse import EventDecoder, StreamFault, decode_body
from kcode.providers.transport import Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from kcode.providers.transport import Transport, WholeResponse

_MOST_KEPT = 16 * 1024 * 1024
# In the order in which kcode takes them where a delta holds several.
_REASONING_KEYS = ("reasoning_content", "reasoning_details", "reasoning")
_LEAK = re.compile(
    r"<\|/?(?:tool_calls?_|im_|tool_sep)[^|]*\|>|</?think>|</?tool_call>|\bfunctions\.[\w.-]+:\d+(?=\s*<\|)"
)


@dataclass(frozen=True, slots=True)
class RawReply:
    """One reply as it was sent. `reasoning_key` is None where no reasoning came under a key of its own."""

    reasoning_key: str | None = None
    reasoning: str = ""
    content: str = ""
    call_ids: tuple[str, ...] = ()
    usage: Mapping[str, Any] | None = None

    @property
    def thinks_in_content(self) -> bool:
        """True when the content begins with `<think>`: the server does not take the reasoning out of it."""
        return self.content.lstrip().startswith("<think>")

    @property
    def leaks(self) -> tuple[str, ...]:
        """The marks of the model's own grammar in what should be plain text, each once."""
        content = self.content
        if self.thinks_in_content:
            content = content.replace("<think>", "", 1).replace("</think>", "", 1)
        return tuple(dict.fromkeys(_LEAK.findall(content) + _LEAK.findall(self.reasoning)))


def read_raw(body: bytes) -> RawReply:
    """Read a response's body; one that is damaged is read as far as it goes."""
    reasoning: dict[str, list[str]] = {}
    content: list[str] = []
    ids: dict[str, None] = {}
    usage: Mapping[str, Any] | None = None
    for chunk in _chunks(body):
        choice = _first_choice(chunk)
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            continue
        for key in _REASONING_KEYS:
            if text := _reasoning(key, delta.get(key)):
                reasoning.setdefault(key, []).append(text)
        if isinstance(delta.get("content"), str):
            content.append(delta["content"])
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict) and call.get("id"):
                ids[str(call["id"])] = None
        for given in (chunk.get("usage"), choice.get("usage")):
            usage = given if isinstance(given, dict) and given else usage
    found = next((key for key in _REASONING_KEYS if key in reasoning), None)
    return RawReply(found, "".join(reasoning.get(found or "", [])), "".join(content), tuple(ids), usage)


def _chunks(body: bytes) -> list[dict[str, Any]]:
    decoder = EventDecoder()
    events = []
    try:
        events += decoder.feed(body)
        events += decoder.finish()
    except StreamFault:
        pass  # what came before is what can be looked at
    chunks = [chunk for chunk, _ in events] if events else [decode_body(bytes(decoder.stray))]
    return [chunk for chunk in chunks if isinstance(chunk, dict)]


def _first_choice(chunk: dict[str, Any]) -> dict[str, Any]:
    choices = chunk.get("choices")
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _reasoning(key: str, value: Any) -> str:
    if key != "reasoning_details":
        return value if isinstance(value, str) else ""
    pieces = value if isinstance(value, list) else []
    texts = [piece.get("text") or piece.get("summary") for piece in pieces if isinstance(piece, dict)]
    return "".join(text for text in texts if isinstance(text, str))


class Listener:
    """A transport that passes all on, and keeps the body of the last response."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._heard = bytearray()

    def reply(self) -> RawReply:
        """The last reply, as far as it came."""
        return read_raw(bytes(self._heard))

    @asynccontextmanager
    async def post(self, body: bytes) -> AsyncGenerator[Response, None]:
        """Pass the request on."""
        self._heard.clear()
        async with self._transport.post(body) as response:

            async def listen() -> AsyncGenerator[bytes, None]:
                async for chunk in response.chunks:
                    if len(self._heard) < _MOST_KEPT:
                        self._heard += chunk
                    yield chunk

            async with aclosing(listen()) as chunks:
                yield Response(response.status, response.headers, chunks)

    async def get(self, path: str) -> WholeResponse:
        """Pass the request on."""
        return await self._transport.get(path)

    def use_key(self, key: str) -> None:
        """Pass the key on."""
        self._transport.use_key(key)

    async def aclose(self) -> None:
        """Close what is still open."""
        await self._transport.aclose()
