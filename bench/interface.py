"""How the interface feels, at a pseudo-terminal and in tmux: `python -m bench.interface KCODE [SECONDS]`.

Each kind of text streams for SECONDS (60 unless said) at 200 deltas a second, while keys are typed. It takes some twelve
minutes with the usual SECONDS and wants a quiet machine. What tmux itself takes of the CPU is not counted.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from bench.pty_program import PtyProgram
from bench.scripted import QuietServer, Row, clean_environment, endpoint, make_repository, show
from bench.tmux_program import TmuxProgram
from kcode.messages import AssistantMessage, SystemMessage, UserMessage
from kcode.session.store import SessionLog, create_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("ready to go")
Minimal().run()
"""
PAINT_FACTOR, ENTER_MS, STREAM_CPU, ECHO_MS = 1.4, 50.0, 25.0, 60.0
IDLE_CPU, MEMORY_MIB, OPEN_SECONDS = 0.5, 120.0, 1.0
DELTAS_A_SECOND = 200
COMPOSER = b"@ files"
WORDS = (
    "draft",
    "hunk",
    "the",
    "parser",
    "keeps",
    "blank",
    "lines",
    "when",
    "tests",
    "pass",
    "a",
    "line",
    "is",
    "read",
)


def prose(number: int) -> str:
    return f"{WORDS[number % len(WORDS)]}{'.' if number % 17 == 16 else ''}{chr(10) * 2 if number % 90 == 89 else ' '}"


def fence(number: int) -> str:
    if number == 0:
        return "```python\n"
    return (
        f"    total_{number % 9} = add({number}, 1)  # {WORDS[number % len(WORDS)]}\n"[:40]
        if number % 9 == 0
        else f"x{number} "
    )


def bullets(number: int) -> str:
    return f"\n- {WORDS[number % len(WORDS)]} " if number % 9 == 0 else f"{WORDS[number % len(WORDS)]} "


def table(number: int) -> str:
    if number == 0:
        return "| name | value | note |\n| --- | ---: | --- |\n"
    return ("| ", f"{WORDS[number % len(WORDS)]} ", "| ", f"{number} ", "| why |\n")[(number - 1) % 5]


KINDS: dict[str, Callable[[int], str]] = {
    "prose": prose,
    "one code fence": fence,
    "one list": bullets,
    "one table": table,
}


@dataclass
class Paced:
    """Streams one kind of text at a steady pace until told to stop, whatever it is asked."""

    kind: Callable[[int], str] = prose
    deltas: int = 0
    arrivals: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@contextmanager
def paced_endpoint() -> Iterator[Paced]:
    """Serve on loopback until the block is left."""
    state = Paced()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def _send(self, delta: dict[str, Any], **more: Any) -> None:
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k2-thinking"}
            chunk |= {"choices": [{"index": 0, "delta": delta, "finish_reason": more.pop("finish", None)}]} | more
            data = b"data: " + json.dumps(chunk).encode() + b"\n\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        def do_POST(self) -> None:
            state.arrivals.append(time.monotonic())
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            started = time.monotonic()
            number = 0
            while number < state.deltas and not state.stop.is_set():
                self._send({"content": state.kind(number)})
                number += 1
                ahead = started + number / DELTAS_A_SECOND - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)
            self._send(
                {}, finish="stop", usage={"prompt_tokens": 9, "completion_tokens": number, "total_tokens": 9 + number}
            )
            self.wfile.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
            state.finished.set()

    server = QuietServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Bench:
    """Where things are, the program under test, and what it runs in."""

    kcode: str
    folder: Path
    home: Path
    terminal: type[PtyProgram] = PtyProgram

    def open(self, url: str, *arguments: str) -> PtyProgram:
        environment = clean_environment(self.home, url) | {"KCODE_MAX_STEPS": "1000"}
        return self.terminal([self.kcode, *arguments], self.folder, environment)

    def named(self, name: str) -> str:
        """A measure, with what it is measured in where that is not plain."""
        return f"{name} in tmux" if self.terminal is TmuxProgram else name


def first_paint(bench: Bench, rounds: int = 9) -> list[Row]:
    """Seconds to the first paint, in turns with the smallest app there is."""
    python = str(Path(bench.kcode).with_name("python"))
    own: list[float] = []
    smallest: list[float] = []
    for round_ in range(rounds + 1):
        with bench.terminal([python, "-c", MINIMAL], bench.folder, clean_environment(bench.home)) as program:
            minimal = program.wait_for(b"ready to go") - program.started
        with bench.open("http://127.0.0.1:9/v1") as program:
            painted = program.wait_for(COMPOSER) - program.started
        if round_:
            smallest.append(minimal)
            own.append(painted)
    factor = median(own) / median(smallest)
    return [
        Row(bench.named("first paint, smallest Textual app"), f"{median(smallest):.3f} s"),
        Row(
            bench.named("first paint, kcode"),
            f"{median(own):.3f} s, {factor:.2f}x",
            f"<= {PAINT_FACTOR}x",
            factor <= PAINT_FACTOR,
        ),
    ]


def enter_to_request(bench: Bench, rounds: int = 7) -> Row:
    """Milliseconds from the key to the request's arrival, once the session is open."""
    taken: list[float] = []
    with paced_endpoint() as served:
        served.deltas = 1
        with bench.open(served.url) as program:
            program.wait_for(b"kimi-k2-thinking")
            time.sleep(3)
            for number in range(rounds):
                served.finished.clear()
                program.type(f"question {number}".encode())
                time.sleep(0.5)
                pressed = program.type(b"\r")
                if not served.finished.wait(20):
                    raise SystemExit("no request came")
                taken.append((served.arrivals[-1] - pressed) * 1000)
                time.sleep(0.7)
    worst = median(taken[1:])
    return Row(
        bench.named("Enter to request"),
        f"{worst:.0f} ms [{min(taken):.0f}..{max(taken):.0f}]",
        f"<= {ENTER_MS:.0f} ms",
        worst <= ENTER_MS,
    )


def stream(bench: Bench, name: str, seconds: float, *arguments: str, of: str = "") -> list[Row]:
    """CPU of the program, and how long a key takes to be seen, while one kind of text streams."""
    echoes: list[float] = []
    with paced_endpoint() as served:
        served.kind, served.deltas = KINDS[name], int(seconds * DELTAS_A_SECOND)
        with bench.open(served.url, *arguments) as program:
            program.wait_for(b"kimi-k2-thinking")
            time.sleep(3)
            program.type(b"go\r")
            while not served.arrivals:
                time.sleep(0.01)
            begun, cpu = time.monotonic(), program.cpu()
            for number in range(50):
                time.sleep(seconds / 50 * 0.9)
                sign = chr(0x0416 + number % 40).encode()
                program.forget()
                pressed = program.type(sign)
                echoes.append((program.wait_for(sign, 20) - pressed) * 1000)
            served.finished.wait(seconds * 3)
            wall = time.monotonic() - begun
            used = (program.cpu() - cpu) / wall * 100
            late = wall - seconds
    echo = quantiles(echoes, n=10)[-1]
    name = bench.named(of or name)
    return [
        Row(f"{name}: CPU", f"{used:.1f} %", f"<= {STREAM_CPU:.0f} %", used <= STREAM_CPU),
        Row(
            f"{name}: key echo, 90th percentile",
            f"{echo:.0f} ms, max {max(echoes):.0f}",
            f"<= {ECHO_MS:.0f} ms",
            echo <= ECHO_MS,
        ),
        Row(f"{name}: behind at the end", f"{late:.2f} s", "<= 1 s", late <= 1),
    ]


def idle(bench: Bench, seconds: float = 15.0) -> list[Row]:
    """What an open session takes while nobody does anything."""
    with bench.open("http://127.0.0.1:9/v1") as program:
        program.wait_for(COMPOSER)
        time.sleep(6)
        before = program.cpu()
        time.sleep(seconds)
        used = (program.cpu() - before) / seconds * 100
        memory = program.memory()
    return [
        Row("idle: CPU", f"{used:.2f} %", f"<= {IDLE_CPU} %", used <= IDLE_CPU),
        Row("idle: memory", f"{memory:.0f} MiB"),
    ]


def long_session(bench: Bench, messages: int = 5_000) -> tuple[list[Row], str]:
    """Seconds from the start to the last message of a long session on the screen; and the session."""
    root, state = bench.folder.resolve(), bench.home / ".local/state/kcode"
    session = create_session(
        state, root, datetime.now(UTC), version="1", command="chat", model="kimi-k2-thinking", endpoint="custom"
    )
    paragraph = " ".join(WORDS * 4)
    with SessionLog(session) as log:
        log.append_message(SystemMessage("You help."))
        for number in range(messages // 2):
            log.append_message(UserMessage(f"Question {number}: {paragraph}"))
            end = "THE-VERY-END" if number == messages // 2 - 1 else paragraph
            log.append_message(AssistantMessage(f"Answer {number}.\n\n- {paragraph}\n- {end}", f"I think. {paragraph}"))
    taken = []
    for _ in range(4):
        with bench.open("http://127.0.0.1:9/v1", "-r", session.id) as program:
            painted = program.wait_for(COMPOSER, 60)
            taken.append(program.wait_for(b"THE-VERY-END") - painted)
    opened = median(taken[1:])
    name = f"{messages:,} messages open, after the first paint"
    return [Row(name, f"{opened:.2f} s", f"<= {OPEN_SECONDS} s", opened <= OPEN_SECONDS)], session.id


def memory_after(bench: Bench, calls: int = 300) -> Row:
    """MiB at the end of a session of so many calls."""
    reads: list[dict[str, Any]] = [
        {
            "reasoning": f"Looking at module {number % 60} next, since the parser may keep its blank lines there.",
            "calls": [{"name": "read_file", "arguments": {"path": f"shop/module_{number % 60}.py"}}],
            "usage": {"prompt_tokens": 1000 + 10 * number, "completion_tokens": 20},
        }
        for number in range(calls)
    ]
    with (
        endpoint([*reads, {"reasoning": "Nothing.", "text": "ALL-IS-READ"}]) as served,
        bench.open(served.url) as program,
    ):
        program.wait_for(b"kimi-k2-thinking")
        time.sleep(3)
        program.type(b"read it all\r")
        program.wait_for(b"ALL-IS-READ", 300)
        time.sleep(2)
        memory = program.memory()
    return Row(f"memory after {calls} calls", f"{memory:.0f} MiB", f"<= {MEMORY_MIB:.0f} MiB", memory <= MEMORY_MIB)


def feel(bench: Bench, seconds: float) -> list[Row]:
    """What depends on the terminal too: the first paint, Enter, and keys while each kind of text streams."""
    # What is typed while a text streams is kept, and stands there the next time in the place of the signs waited for.
    rows = [*first_paint(bench), enter_to_request(bench)]
    return [*rows, *(row for name in KINDS for row in stream(bench, name, seconds))]


def main(kcode: str, seconds: float) -> bool:
    """Measure one after the other; True when every bound is kept."""
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch:
        bench = Bench(
            str(Path(kcode).absolute()), make_repository(Path(scratch) / "repository", 60), Path(scratch) / "home"
        )
        rows = [*idle(bench), memory_after(bench), *feel(bench, seconds)]
        opened, session = long_session(bench)
        rows += opened
        rows += stream(
            bench, "prose", seconds / 3, "-r", session, of=f"prose at the end of {opened[0].name[:5]} messages"
        )
        if shutil.which("tmux"):
            rows += feel(replace(bench, terminal=TmuxProgram, home=Path(scratch) / "home in tmux"), seconds)
        else:
            rows.append(Row("in tmux", "not measured: it is not installed"))
    return show(rows)


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60.0))
