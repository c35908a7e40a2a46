"""What a delta costs, and what an unread screen costs: `python -m bench.deltas KCODE [DELTAS]`."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import TYPE_CHECKING, Any, Literal

from bench.scripted import Row, clean_environment, make_repository, memory_of, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Kind = Literal["reasoning_content", "content"]
    Framing = Literal["chunks", "writes", "lump"]
    Screen = Literal["/dev/null", "a terminal"]

# codex, the leanest of the measured peers, takes 10 us; the next best 43.
DELTA_MICROSECONDS = 10.0
GROWTH_MIB, UNREAD_MIB = 8.0, 16.0
MIB = 1 << 20
FEW, ROUNDS = 20, 5
PACED, PACE_SECONDS = 1000, 0.001
FLOOD_MIB = 48
STILL_SECONDS, DEADLINE = 2.0, 60.0
# A benchmark that has gone wrong ends soon.
IDLE_SECONDS = "5"

NO_MODELS = b'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\n{"data":[]}'
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
WORDS = [
    "the",
    "function",
    "rounds",
    "amount",
    "cents",
    "test",
    "**bold**",
    "`code`",
    "list",
    "value",
    "path",
    "error",
    "returns",
    "module",
    "draft",
    "line",
]


@dataclass
class Hose:
    """An endpoint that answers one request with raw bytes; `sent` counts those that the system took from it.

    `started` is the CPU that the sender, a process, had used when its request came.
    """

    pieces: Sequence[bytes]
    pause: float = 0.0
    url: str = ""
    sent: int = 0
    sender: int = 0
    started: float = 0.0
    failure: OSError | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def answer(self, listening: socket.socket) -> None:
        """Send every piece with a write of its own to whoever asks for a chat; tell nothing of the models."""
        try:
            while not self.sent:
                connection, _ = listening.accept()
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    if _read_request(connection).startswith(b"POST "):
                        self.started = cpu_of(self.sender)
                        self._send(connection)
                    else:
                        connection.sendall(NO_MODELS)
        except OSError as error:
            self.failure = error
        self.ended.set()

    def _send(self, connection: socket.socket) -> None:
        for piece in self.pieces:
            connection.sendall(piece)
            self.sent += len(piece)
            if self.pause:
                time.sleep(self.pause)


def cpu_of(process: int) -> float:
    """Seconds of CPU that all threads of a running process have used so far."""
    # The number that clock_getcpuclockid(3) makes of a process's id.
    return time.clock_gettime((~process << 3) | 2)


def _read_request(connection: socket.socket) -> bytes:
    """A request's head; its body is read too."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += connection.recv(1 << 16)
    return head


@contextmanager
def hose(pieces: Sequence[bytes], pause: float = 0.0) -> Iterator[Hose]:
    """Serve the pieces to whoever comes first, until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(DEADLINE)
        served = Hose(pieces, pause, f"http://127.0.0.1:{listening.getsockname()[1]}/v1")
        thread = threading.Thread(target=served.answer, args=(listening,), daemon=True)
        thread.start()
        yield served
    thread.join(DEADLINE)


def environment_of(home: Path, served: Hose) -> dict[str, str]:
    return clean_environment(home, served.url) | {"TERM": "xterm-256color", "KCODE_IDLE_TIMEOUT": IDLE_SECONDS}


def events(kind: Kind, count: int) -> list[bytes]:
    """A reply of so many deltas of five characters; reasoning is followed by a word of text."""
    choose = random.Random(count).choice  # noqa: S311 - words that do not repeat themselves, the same in every run
    text = "".join(choose(WORDS) + ("\n\n" if place % 12 == 11 else " ") for place in range(count * 2))
    deltas: list[dict[str, Any]] = [{kind: text[start : start + 5]} for start in range(0, count * 5, 5)]
    if kind != "content":
        deltas.append({"content": "Done."})
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1758698452, "model": "kimi-k2-thinking"}
    chunks = [base | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    usage = {"prompt_tokens": 1000, "completion_tokens": count, "total_tokens": 1000 + count}
    chunks.append(base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})
    return [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks] + [b"data: [DONE]\n\n"]


def framed(body: Sequence[bytes], framing: Framing) -> list[bytes]:
    """The response as the writes that carry it: an HTTP chunk for each event, a bare write for each, or one of all."""
    whole = b"".join(body)
    if framing == "chunks":
        return [
            HEAD + b"transfer-encoding: chunked\r\n\r\n",
            *(b"%x\r\n%b\r\n" % (len(event), event) for event in body),
            b"0\r\n\r\n",
        ]
    head = HEAD + b"content-length: %d\r\n\r\n" % len(whole)
    return [head, *body] if framing == "writes" else [head + whole]


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which deltas come and are shown; `promised` is the case that the bound is for."""

    name: str
    kind: Kind = "content"
    framing: Framing = "chunks"
    screen: Screen = "/dev/null"
    pause: float = 0.0
    promised: bool = True


CASES = (
    Case("text, an HTTP chunk and a write each"),
    Case("reasoning, the same", "reasoning_content"),
    Case("text, a write each, not chunked", framing="writes"),
    Case("text, all in one write", framing="lump"),
    Case("reasoning on a terminal", "reasoning_content", screen="a terminal", promised=False),
    Case("text, 1 ms between them", pause=PACE_SECONDS, promised=False),
)


@dataclass(frozen=True, slots=True)
class Outlet:
    """A standard stream of the program: `given` is its end, `taken` what came out of the other."""

    given: int
    taken: bytearray
    thread: threading.Thread


def drained(pair: tuple[int, int]) -> Outlet:
    """A pipe or a terminal that is read as fast as it is written."""
    reader, writer = pair
    taken = bytearray()

    def drain() -> None:
        # A terminal whose program has ended fails where a pipe ends.
        with contextlib.suppress(OSError):
            while data := os.read(reader, 1 << 16):
                taken.extend(data)
        os.close(reader)

    thread = threading.Thread(target=drain, daemon=True)
    thread.start()
    return Outlet(writer, taken, thread)


def cpu_seconds(kcode: str, folder: Path, home: Path, case: Case, count: int) -> float:
    """CPU of a `kcode ask` whose answer goes into a pipe, from the request's arrival to the end of the process.

    What comes before is the same for every reply, and at 0.6 s would drown what is measured here.
    """
    stdout = drained(os.pipe())
    stderr = drained(os.openpty()) if case.screen == "a terminal" else None
    with hose(framed(events(case.kind, count), case.framing), case.pause) as served:
        environment = environment_of(home, served)
        program = Popen(
            [kcode, "ask", "does it round?"],
            cwd=folder,
            env=environment,
            stdin=DEVNULL,
            stdout=stdout.given,
            stderr=stderr.given if stderr else DEVNULL,
        )
        served.sender = program.pid
        for outlet in filter(None, (stdout, stderr)):
            os.close(outlet.given)
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    stdout.thread.join(DEADLINE)
    if program.returncode or not stdout.taken:
        raise SystemExit(f"kcode ask, {case.name}: {len(stdout.taken)} bytes, exit {program.returncode}")
    return usage.ru_utime + usage.ru_stime - served.started


def json_microseconds(count: int) -> float:
    """What the machine takes just now for what no client can do without."""
    lines = [event.removeprefix(b"data: ") for event in events("content", count)[:-1]]
    spent = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        for line in lines:
            json.loads(line)
        spent.append(time.thread_time() - started)
    return min(spent) / len(lines) * 1e6


def measure_deltas(kcode: str, folder: Path, home: Path, count: int) -> list[Row]:
    """What a delta costs over the same run with few of them, so that the end does not count either.

    The least of the rounds counts on both sides: another program on the machine only ever adds.
    """
    few: dict[str, list[float]] = {case.name: [] for case in CASES}
    many: dict[str, list[float]] = {case.name: [] for case in CASES}
    for _ in range(ROUNDS):
        for case in CASES:
            few[case.name].append(cpu_seconds(kcode, folder, home, case, FEW))
            many[case.name].append(cpu_seconds(kcode, folder, home, case, PACED if case.pause else count))
    rows = [Row("CPU of json.loads alone, for each delta", f"{json_microseconds(count):.1f} us")]
    for case in CASES:
        deltas = (PACED if case.pause else count) - FEW
        cost = (min(many[case.name]) - min(few[case.name])) / deltas * 1e6
        bound = f"<= {DELTA_MICROSECONDS:.0f} us" if case.promised else ""
        kept = cost <= DELTA_MICROSECONDS if case.promised else None
        rows.append(Row(f"CPU a delta: {case.name}", f"{cost:.1f} us", bound, kept))
    return rows


@dataclass(frozen=True, slots=True)
class Flood:
    """A run whose endpoint sends a lot: the peak of memory, and what was sent, both in MiB."""

    peak: float
    sent: float


def flood(kcode: str, folder: Path, home: Path, writes: Sequence[bytes], *, is_read: bool) -> Flood:
    """Let the endpoint send all, or until it is held up because nobody reads the program's screen."""
    reader, writer = os.pipe()
    with hose(writes) as served:
        argv, environment = [kcode, "ask", "does it round?"], environment_of(home, served)
        program = Popen(argv, cwd=folder, env=environment, stdin=DEVNULL, stdout=DEVNULL, stderr=writer)
        os.close(writer)
        screen = drained((reader, -1)) if is_read else None
        peak, sent, since = 0.0, 0, time.monotonic()
        while program.poll() is None and (is_read or not sent or time.monotonic() - since < STILL_SECONDS):
            if served.sent != sent:
                sent, since = served.sent, time.monotonic()
            peak = memory_of(program.pid).get("VmHWM", peak)
            time.sleep(0.01)
        program.kill()
        program.wait()
    if screen is None:
        os.close(reader)
    elif served.failure:
        raise SystemExit(f"kcode ask left the endpoint: {served.failure}, exit {program.returncode}")
    return Flood(peak, sent / MIB)


def measure_memory(kcode: str, folder: Path, home: Path) -> list[Row]:
    """What a flood takes over a run with few deltas, read and unread."""
    many = events("reasoning_content", FLOOD_MIB * MIB // len(events("reasoning_content", 1)[0]))
    comments = [b": keep-alive\n\n" * 100] * (FLOOD_MIB * MIB // 1400) + events("content", FEW)
    idle = flood(kcode, folder, home, framed(events("reasoning_content", FEW), "chunks"), is_read=True)
    unread = flood(kcode, folder, home, framed(many, "chunks"), is_read=False)
    rows = [
        Row(f"sent of {FLOOD_MIB} MiB while nobody reads", f"{unread.sent:.1f} MiB", f"<= {UNREAD_MIB:.0f} MiB",
            unread.sent <= UNREAD_MIB)
    ]  # fmt: skip
    runs = {
        "nobody reads the screen": unread,
        f"{FLOOD_MIB} MiB of deltas": flood(kcode, folder, home, framed(many, "chunks"), is_read=True),
        f"{FLOOD_MIB} MiB of comments": flood(kcode, folder, home, framed(comments, "chunks"), is_read=True),
    }
    for name, run in runs.items():
        growth = run.peak - idle.peak
        rows.append(
            Row(
                f"memory over a short run: {name}",
                f"{growth:.1f} MiB",
                f"<= {GROWTH_MIB:.0f} MiB",
                growth <= GROWTH_MIB,
            )
        )
    return rows


def main(kcode: str, count: int) -> bool:
    """Print the table; True when every bound is kept."""
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch:
        folder, home = make_repository(Path(scratch) / "repository", 20), Path(scratch) / "home"
        return show(measure_deltas(kcode, folder, home, count) + measure_memory(kcode, folder, home))


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
