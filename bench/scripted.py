"""What the measurements share: a scripted endpoint on loopback, a small repository, and one timed run of a program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from kcode.providers.cassette import script_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Dialect = Literal["reasoning_content", "reasoning", "reasoning_details", "think"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program: seconds of wall clock and of CPU, the times of its start and end, and its exit code."""

    wall: float
    cpu: float
    started: float
    ended: float
    exit_code: int
    stderr: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `kept` is None where nothing is promised."""

    name: str
    value: str
    bound: str = ""
    kept: bool | None = None


@dataclass
class Endpoint:
    """Answers the n-th request with the n-th reply; notes when each came and went, and the sender's memory in MiB."""

    replies: Sequence[Mapping[str, Any]]
    arrivals: list[float] = field(default_factory=list)
    departures: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    peak: float = 0.0
    sender: int | None = None
    url: str = ""

    def note_arrival(self) -> int:
        self.arrivals.append(time.monotonic())
        if self.sender is not None:
            sizes = memory_of(self.sender)
            self.memory.append(sizes.get("VmRSS", 0.0))
            self.peak = sizes.get("VmHWM", 0.0)
        return len(self.arrivals) - 1


def memory_of(process: int) -> dict[str, float]:
    """A process's memory now (VmRSS) and at its peak (VmHWM) in MiB; nothing of one that is gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: int(size) / 1024 for name, size in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", text, re.MULTILINE)}


def streamed(reply: Mapping[str, Any], number: int, dialect: Dialect) -> list[bytes]:
    """A scripted reply as the pieces of a stream, its reasoning spelled as the dialect does."""
    if dialect == "think":
        tagged = f"<think>{reply['reasoning']}</think>{reply.get('text', '')}"
        return script_pieces({**reply, "reasoning": "", "text": tagged}, number)
    pieces = script_pieces(reply, number)
    if dialect == "reasoning_content":
        return pieces
    spoken: list[bytes] = []
    for piece in pieces:
        if b'"reasoning_content"' not in piece:
            spoken.append(piece)
            continue
        chunk = json.loads(piece.removeprefix(b"data: "))
        text = chunk["choices"][0]["delta"].pop("reasoning_content")
        chunk["choices"][0]["delta"] = {"reasoning": text}
        if dialect == "reasoning_details":
            detail = {"type": "reasoning.text", "text": text, "format": "unknown", "index": 0}
            chunk["choices"][0]["delta"]["reasoning_details"] = [detail]
        spoken.append(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    return spoken


class QuietServer(ThreadingHTTPServer):
    """Says nothing of a client that left in the middle of an answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet."""


@contextmanager
def endpoint(replies: Sequence[Mapping[str, Any]], dialect: Dialect = "reasoning_content") -> Iterator[Endpoint]:
    """Serve the replies on loopback until the block is left."""
    state = Endpoint(replies)
    bodies = [b"".join(streamed(reply, number, dialect)) for number, reply in enumerate(replies)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise the body waits 40 ms for the acknowledgement of the headers.
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def do_POST(self) -> None:
            number = state.note_arrival()
            self.rfile.read(int(self.headers["content-length"]))
            body = bodies[min(number, len(bodies) - 1)]
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            state.departures.append(time.monotonic())

    server = QuietServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_repository(folder: Path, files: int) -> Path:
    """A git repository of so many Python files of about 40 lines each."""
    package = folder / "shop"
    package.mkdir(parents=True)
    for number in range(files):
        functions = (f"def part_{number}_{n}(value):\n    return value + {n}\n\n\n" for n in range(10))
        (package / f"module_{number}.py").write_text("".join(functions), encoding="utf-8")
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgSign=false")
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", "-C", folder, *arguments], check=True)
    return folder


def clean_environment(home: Path, url: str = "", model: str = "kimi-k2-thinking") -> dict[str, str]:
    """The environment of a user who has set nothing but the endpoint."""
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "KCODE_BASE_URL": url,
        "KCODE_API_KEY": "sk-bench",
        "KCODE_MODEL": model,
    }


def timed(argv: Sequence[str], folder: Path, environment: Mapping[str, str], watch: Endpoint | None = None) -> Run:
    """Run a program to its end; `watch` is told its process id."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        started = time.monotonic()
        program = subprocess.Popen(
            argv, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        )
        if watch is not None:
            watch.sender = program.pid
        _, status, usage = os.wait4(program.pid, 0)
        ended = time.monotonic()
        program.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        said = stderr.read()
    return Run(ended - started, usage.ru_utime + usage.ru_stime, started, ended, program.returncode, said)


def show(rows: Sequence[Row]) -> bool:
    """Print measure, value, bound and whether it is kept; returns True when every bound is."""
    widths = [
        max(len(text) for text in column) for column in zip(*((r.name, r.value, r.bound) for r in rows), strict=True)
    ]
    for row in rows:
        verdict = "" if row.kept is None else "ok" if row.kept else "OVER"
        print(f"{row.name:<{widths[0]}}  {row.value:>{widths[1]}}  {row.bound:<{widths[2]}}  {verdict}".rstrip())
    return all(row.kept is not False for row in rows)


def spread(values: Sequence[float]) -> str:
    """Median and range in seconds."""
    return f"{median(values):.3f} s [{min(values):.3f}..{max(values):.3f}]"
