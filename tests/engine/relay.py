"""Stands between kcode and the engine: keeps what passes, caps the output of a model that never ends by itself, and takes
the chance out of its choice of words, so that a run can be run again.
"""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SECONDS = 300


@dataclass
class Relay:
    """`requests` are the bodies that kcode sent, `statuses` what the engine said to each; `passed` tells of any byte."""

    engine: str
    tokens: int
    requests: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    passed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        owner = self

        class Handler(_Handler):
            relay = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, with `/v1`."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(SECONDS)


class _Handler(BaseHTTPRequestHandler):
    relay: Relay
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Nothing goes to the tests' stderr."""

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.relay.requests.append(body)
        asked = [body.pop(name) for name in ("max_completion_tokens", "max_tokens") if name in body]
        pinned = {"max_tokens": min([self.relay.tokens, *asked]), "temperature": 0, "seed": 1}
        self._pass_on(json.dumps(body | pinned).encode())

    def _pass_on(self, body: bytes) -> None:
        engine = http.client.HTTPConnection(urlsplit(self.relay.engine).netloc, timeout=SECONDS)
        try:
            engine.request(self.command, self.path, body, {"content-type": "application/json"})
            answer = engine.getresponse()
            if self.command == "POST":
                self.relay.statuses.append(answer.status)
            self.send_response(answer.status)
            self.send_header("content-type", answer.headers.get("content-type", ""))
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while data := answer.read1(1 << 16):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                self.relay.passed.set()
            self.wfile.write(b"0\r\n\r\n")
        except (OSError, http.client.HTTPException):
            # Whoever broke off, the other side is to see it.
            self.close_connection = True
        finally:
            engine.close()
