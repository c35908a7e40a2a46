"""A scripted model server: real HTTP on loopback, answering each request with the next line of a script.

    server = model_server([reply(text="Hello")])                      one reply, streamed
    server = model_server([fault(429, {"error": {"message": "…"}}), reply(text="Hello")])
    server = model_server([reply(text="Hello", cut_after=200)])       the connection breaks
    server = model_server([raw(b"data: garbage\\n\\n")])
    server = model_server([wire(b"HTTP/1.1 200 OK\\r\\n", reset=True)])      the bytes of the connection itself
    server.url, server.requests[0].json, server.wait_for_requests(2), server.wait_for_close()

The script's entries are the lines of a cassette (kcode/providers/cassette.py), `raw` answers and `wire` bytes.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from kcode.providers.cassette import Answer, answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    ModelServerFactory = Callable[..., "ModelServer"]

DEADLINE = 20.0


def reply(text: str = "", *, reasoning: str = "", calls: Iterable[tuple[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A streamed reply; `calls` are pairs of a tool's name and its arguments, a dict or raw text."""
    named = [{"name": name, "arguments": arguments} for name, arguments in calls]
    return {"text": text, "reasoning": reasoning, "calls": named} | more


def fault(status: int, body: Any = "", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """An answer with this status; a body that is not text is sent as JSON."""
    return {"status": status, "body": body, "headers": dict(headers or {})}


def raw(*pieces: bytes, status: int = 200, content_type: str = "text/event-stream", **more: Any) -> Answer:
    """These bytes, sent piece by piece."""
    return Answer(pieces, status, {"content-type": content_type}, **more)


@dataclass(frozen=True, slots=True)
class Wire:
    """The bytes of a connection, head and framing included; then it is closed, or broken as by a crash (RST)."""

    data: bytes
    reset: bool = False


def wire(*pieces: bytes, reset: bool = False) -> Wire:
    """An answer that no HTTP server gives; without any bytes the connection just ends."""
    return Wire(b"".join(pieces), reset)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; names in `headers` are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


@dataclass
class ModelServer:
    """`requests` are the chat-completion requests in order; when the script runs out, each gets status 599.

    `models` are ids, or whole rows of the list. With a `key` other keys get status 401, also at `/key`, which is there
    for that alone; the list is for anybody when it is `open_list`, and absent without models. `closed` counts the
    connections that the client closed while an answer was under way.
    """

    answers: list[Answer | Wire]
    models: Sequence[str | Mapping[str, Any]] = ("kimi-k2-thinking",)
    key: str | None = None
    open_list: bool = False
    requests: list[Request] = field(default_factory=list)
    other_requests: list[Request] = field(default_factory=list)
    closed: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)
    stopping: threading.Event = field(default_factory=threading.Event)
    going_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        owner = self

        class Handler(_Handler):
            server_state = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, with `/v1`."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def add(self, *script: Mapping[str, Any] | Answer | Wire) -> None:
        """More answers, after those that are there."""
        with self.changed:
            start = len(self.answers)
            self.answers += as_answers(script, start)
            self.changed.notify_all()

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many requests have come."""
        self._wait(lambda: len(self.requests) >= count, f"{count} requests")

    def wait_for_close(self, count: int = 1) -> None:
        """Wait until the client has closed so many connections in the middle of an answer."""
        self._wait(lambda: self.closed >= count, f"{count} closed connections")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self.changed:
            if not self.changed.wait_for(condition, DEADLINE):
                raise AssertionError(f"the model server waited in vain for {what}")

    def go_on(self) -> None:
        """Have no answer be silent any more, nor paced."""
        self.going_on.set()

    def stop(self) -> None:
        """End all answers and the server."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(DEADLINE)


class _Handler(BaseHTTPRequestHandler):
    server_state: ModelServer
    protocol_version = "HTTP/1.1"
    # Otherwise the body waits 40 ms for the acknowledgement of the headers.
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Nothing goes to the tests' stderr."""

    def _take(self, kept: list[Request]) -> int:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length), self.client_address[1])
        state = self.server_state
        with state.changed:
            kept.append(request)
            state.changed.notify_all()
            return len(kept) - 1

    def do_GET(self) -> None:
        state = self.server_state
        self._take(state.other_requests)
        is_list = self.path.endswith("/models")
        if not self._is_let_in() and not (is_list and state.open_list):
            return self._refuse_key()
        if is_list and state.models:
            rows = [
                {"id": row, "object": "model", "context_length": 262144} if isinstance(row, str) else row
                for row in state.models
            ]
            return self._send_json(200, {"data": rows})
        if self.path.endswith("/key") and state.key:
            return self._send_json(200, {"data": {"label": "a key"}})
        return self._send_whole(404, {"content-type": "text/plain"}, b"404 page not found")

    def _is_let_in(self) -> bool:
        key = self.server_state.key
        return key is None or self.headers.get("authorization") == f"Bearer {key}"

    def _refuse_key(self) -> None:
        said = f"Invalid Authentication: {self.headers.get('authorization')}"
        self._send_json(401, {"error": {"type": "invalid_authentication_error", "message": said}})

    def do_POST(self) -> None:
        state = self.server_state
        if not self.path.endswith("/chat/completions"):
            self._take(state.other_requests)
            self._send_whole(404, {"content-type": "text/plain"}, b"404 page not found")
            return
        if not self._is_let_in():
            self._take(state.other_requests)
            self._refuse_key()
            return
        number = self._take(state.requests)
        if number >= len(state.answers):
            self._send_whole(599, {"content-type": "text/plain"}, b"the script has no more answers")
            return
        answer = state.answers[number]
        if isinstance(answer, Wire):
            self._end_with(answer)
            return
        if answer.status != 200:
            self._send_whole(answer.status, answer.headers, b"".join(answer.pieces))
            return
        try:
            self._stream(answer)
        except OSError:
            self._note_close()

    def _send_json(self, status: int, body: Any) -> None:
        self._send_whole(status, {"content-type": "application/json"}, json.dumps(body).encode())

    def _end_with(self, answer: Wire) -> None:
        self.close_connection = True
        self.connection.sendall(answer.data)
        if answer.reset:
            # Closed with a linger time of nothing, a connection is not ended but torn.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()

    def _send_whole(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, answer: Answer) -> None:
        self.send_response(200)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        left = answer.cut_after
        for piece in answer.pieces:
            sent = piece if left is None else piece[:left]
            if sent:
                self.wfile.write(f"{len(sent):x}\r\n".encode() + sent + b"\r\n")
            if left is not None:
                left -= len(sent)
                if left <= 0:
                    break
            if answer.pace and self._closed_within(answer.pace):
                return
        if answer.stall and self._closed_within(answer.stall):
            return
        if answer.cut_after is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(b"0\r\n\r\n")

    def _closed_within(self, seconds: float) -> bool:
        """Stay silent for so long, or until the client closes the connection or the server stops or is to go on."""
        end = time.monotonic() + seconds
        state = self.server_state
        while (left := end - time.monotonic()) > 0 and not (state.stopping.is_set() or state.going_on.is_set()):
            ready, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                self._note_close()
                return True
        return self.server_state.stopping.is_set()

    def _note_close(self) -> None:
        self.close_connection = True
        state = self.server_state
        with state.changed:
            state.closed += 1
            state.changed.notify_all()


def as_answers(script: Iterable[Mapping[str, Any] | Answer | Wire], start: int = 0) -> list[Answer | Wire]:
    """The script's entries as answers."""
    return [
        entry if isinstance(entry, Answer | Wire) else answer_of(entry, number)
        for number, entry in enumerate(script, start)
    ]
