"""HTTP's chunked transfer coding, with fewer chunks.

A host that streams sends every delta in a chunk of its own, and the HTTP library takes 9 us to read a chunk: more than
all that kcode does with a delta.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from httpcore2 import AsyncNetworkBackend, AsyncNetworkStream

_CHUNKED = re.compile(rb"^transfer-encoding:[ \t]*chunked[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_INTERIM = re.compile(rb"HTTP/1\.[01] 1\d\d ")
_END = b"\r\n"
_FIRST_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_NEXT_SIZE = re.compile(_END + _FIRST_SIZE.pattern)
_HEAD_LIMIT, _SIZE_LIMIT = 64 * 1024, 1024


class ChunkJoiner:
    """Rewrites what a connection receives: the chunks that came together become one.

    What is no chunked body is handed on as it came, and so is what breaks the format, for the HTTP library to refuse.
    """

    def __init__(self) -> None:
        self.expect_response()

    def expect_response(self) -> None:
        """A request leaves: what comes next is the head of a response."""
        self._head: bytes | None = b""
        self._joins = False
        self._left = 0
        self._ends = False  # the chunk handed on last is whole but for the line break behind it
        self._held = b""

    def join(self, data: bytes) -> bytes:
        """What to hand on for these bytes; b"" when it takes more of them to tell."""
        if self._head is None:
            return self._join_body(data) if self._joins else data
        head = self._head + data
        end = head.find(b"\r\n\r\n") + 4
        if end < 4:
            self._head = head if len(head) <= _HEAD_LIMIT else None
            return data
        start = end - len(self._head)
        self._head = b"" if _INTERIM.match(head) else None
        self._joins = _CHUNKED.search(head, 0, end) is not None
        return data[:start] + self.join(data[start:])

    def _join_body(self, data: bytes) -> bytes:
        data, self._held = self._held + data, b""
        before = b""
        pieces: list[bytes] = []
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._ends = not self._left
                continue
            size = (_NEXT_SIZE if self._ends else _FIRST_SIZE).match(data, at)
            if size is None:
                return before + _as_chunk(pieces) + self._rest(data[at:])
            if self._ends and not pieces:
                before = _END
            self._left, self._ends, at = int(size[1], 16), False, size.end()
            if not self._left:
                self._joins = False
                return before + _as_chunk(pieces, _END) + b"0" + _END + data[at:]
        return before + _as_chunk(pieces, _END if self._left else b"")

    def _rest(self, rest: bytes) -> bytes:
        """Hold a size that has only begun; hand on what is none, and leave the body alone from there."""
        line = rest.removeprefix(_END) if self._ends else rest
        if b"\n" not in line and len(line) <= _SIZE_LIMIT and (not self._ends or _END.startswith(rest[:2])):
            self._held = rest
            return b""
        self._joins = False
        return rest


def _as_chunk(pieces: list[bytes], end: bytes = b"") -> bytes:
    joined = b"".join(pieces)
    return b"%x\r\n%b%b" % (len(joined), joined, end) if joined else b""


class JoiningBackend:
    """Makes the HTTP library's connections, and joins the chunks that come over them."""

    def __init__(self, backend: AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(self, *where: Any, **how: Any) -> JoiningStream:
        return JoiningStream(await self._backend.connect_tcp(*where, **how))

    async def connect_unix_socket(self, *where: Any, **how: Any) -> JoiningStream:
        return JoiningStream(await self._backend.connect_unix_socket(*where, **how))

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


class JoiningStream:
    """One connection of the HTTP library."""

    def __init__(self, stream: AsyncNetworkStream) -> None:
        self._stream = stream
        self._joiner = ChunkJoiner()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's own
        while data := await self._stream.read(max_bytes, timeout):
            if joined := self._joiner.join(data):
                return joined
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the library's own
        self._joiner.expect_response()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *how: Any, **more: Any) -> JoiningStream:
        return JoiningStream(await self._stream.start_tls(*how, **more))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
