"""What the conversation costs on the screen: `python -m bench.transcript [SECONDS]`.

A program with the transcript and a text field runs in a pseudo terminal; 200 pieces of four characters a second stream
into it while keys are typed, and a session's past is opened. CPU is that of the whole program, in % of one core.
"""

from __future__ import annotations

import asyncio
import fcntl
import itertools
import json
import os
import pty
import random
import select
import signal
import struct
import sys
import termios
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.widgets import TextArea

from bench.scripted import Row, memory_of, show
from kcode.events import ReasoningStreamed, ReplyFinished, TextStreamed
from kcode.messages import AssistantMessage, ToolCall, ToolMessage, Usage, UserMessage
from kcode.tui.texts import load_texts
from kcode.tui.themes import DEFAULT_THEME, own_themes
from kcode.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.app import ComposeResult

    from kcode.messages import Message

RATE, PIECE, COLUMNS, LINES = 200, 4, 120, 40
CPU_PERCENT, ECHO_MS, OPEN_SECONDS, GROWTH = 25.0, 60.0, 1.0, 1.25
MESSAGES, MEGABYTES = 5_000, 2
KEYS = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩБГДЖЗИЙЛПФЦЧШЩЫЭЮЯ"
KEY_SECONDS = 0.35
WORDS = (
    "the",
    "parser",
    "drops",
    "**blank**",
    "lines",
    "`code_of`",
    "and",
    "reads",
    "what",
    "it",
    "may,",
    "[file](https://a.b)",
)


def streamed(kind: str) -> Iterator[str]:
    """Endless text of a kind, in the pieces of a stream."""
    return _pieces(
        {
            "prose": _prose,
            "reasoning": _prose,
            "paragraph": _paragraph,
            "fence": _fence,
            "list": _list,
            "table": _table,
        }[kind]()
    )


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    text = ""
    while True:
        while len(text) < PIECE:
            text += next(lines)
        yield text[:PIECE]
        text = text[PIECE:]


def _sentences() -> Iterator[str]:
    choose = random.Random(1).choice  # noqa: S311 - the same words in every run
    while True:
        yield " ".join(choose(WORDS) for _ in range(14)) + ". "


def _paragraph() -> Iterator[str]:
    return _sentences()


def _prose() -> Iterator[str]:
    for number, sentence in enumerate(_sentences()):
        yield sentence + ("\n\n" if number % 5 == 4 else "")


def _fence() -> Iterator[str]:
    yield "```python\n"
    for number in itertools.count():
        yield f"    total_{number} = add(total_{number}, 'price', rows[{number}])  # {number}\n"


def _list() -> Iterator[str]:
    for number, sentence in enumerate(_sentences()):
        yield f"{'  ' * (number % 3)}- {sentence.strip()}\n"


def _table() -> Iterator[str]:
    yield "| name | what it does | count |\n|---|---|--:|\n"
    for number, sentence in enumerate(_sentences()):
        yield f"| item {number} | {sentence[:40].replace('`', '').strip()} | {number * number} |\n"


def past(messages: int, characters: int) -> list[Message]:
    """A session of so many messages with so many characters in all."""
    each = characters // messages
    pieces = streamed("prose")
    told: list[Message] = []
    for number in range(messages // 4):
        text = ["".join(itertools.islice(pieces, each // PIECE)) for _ in range(4)]
        call = ToolCall(f"functions.run_command:{number}", "run_command", json.dumps({"command": text[0][:60]}))
        told += [
            UserMessage(text[0]),
            AssistantMessage("", text[1], (call,)),
            ToolMessage(call.id, call.name, text[2]),
            AssistantMessage(text[3]),
        ]
    return told


class Bench(App[None]):
    """The transcript above a field to type in; tells on stderr, as JSON, what it measured."""

    CSS = "TextArea { height: 3; border: none; }"

    def __init__(self, kind: str, seconds: float, messages: int) -> None:
        super().__init__()
        for theme in own_themes():
            self.register_theme(theme)
        self.theme = DEFAULT_THEME
        self._kind = kind
        self._seconds = seconds
        self._messages = messages
        self._transcript = Transcript(load_texts())

    def compose(self) -> ComposeResult:
        yield self._transcript
        yield TextArea()

    def on_ready(self) -> None:
        self.query_one(TextArea).focus()
        self.run_worker(self._measure())

    async def _measure(self) -> None:
        opened = 0.0
        if self._messages:
            history = past(self._messages, MEGABYTES * 1_000_000)
            began = time.perf_counter()
            self._transcript.load(history)
            painted = asyncio.Event()
            self.call_after_refresh(painted.set)
            await painted.wait()
            opened = time.perf_counter() - began
        _tell({"ready": True})
        lags: list[float] = []
        ticking = asyncio.create_task(_tick(lags))
        make = ReasoningStreamed if self._kind == "reasoning" else TextStreamed
        pieces = streamed(self._kind)
        spent, began, text = time.process_time(), time.perf_counter(), ""
        for number in range(int(self._seconds * RATE)):
            late = began + number / RATE - time.perf_counter()
            if late > 0:
                await asyncio.sleep(late)
            piece = next(pieces)
            text += piece
            self._transcript.show(make(piece))
        wall = time.perf_counter() - began
        spent = time.process_time() - spent
        ticking.cancel()
        self._transcript.show(ReplyFinished(AssistantMessage(text), Usage()))
        memory = memory_of(os.getpid()).get("VmRSS", 0.0)
        _tell({"cpu": spent / wall * 100, "wall": wall, "opened": opened, "lag": max(lags) * 1000, "memory": memory})


async def _tick(lags: list[float]) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.02)
        lags.append(time.perf_counter() - began - 0.02)


def _tell(what: dict[str, Any]) -> None:
    os.write(3, json.dumps(what).encode() + b"\n")


@dataclass(frozen=True, slots=True)
class Measured:
    cpu: float
    wall: float
    opened: float
    lag: float
    memory: float
    echoes: tuple[float, ...]
    written: int

    @property
    def echo(self) -> float:
        """The 90th percentile, in milliseconds."""
        return sorted(self.echoes)[int(len(self.echoes) * 0.9)] * 1000 if self.echoes else 0.0


def run(kind: str, seconds: float, messages: int = 0) -> Measured:
    """Run the program in a terminal of its own, type keys while it streams, and hear what it tells."""
    heard, telling = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.dup2(telling, 3)
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        os.execv(  # noqa: S606 - this very module, without a shell
            sys.executable, [sys.executable, "-m", "bench.transcript", "run", kind, str(seconds), str(messages)]
        )
    os.close(telling)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    try:
        return _listen(terminal, heard)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
        os.close(heard)


def _listen(terminal: int, heard: int) -> Measured:
    told = b""
    echoes: list[float] = []
    keys = itertools.cycle(KEYS)
    pressed, wanted, next_key, written = 0.0, b"", 0.0, 0
    while True:
        ready, _, _ = select.select([terminal, heard], [], [], 0.01)
        now = time.perf_counter()
        if terminal in ready:
            data = os.read(terminal, 1 << 16)
            written += len(data)
            if wanted and wanted in data:
                echoes.append(time.perf_counter() - pressed)
                wanted = b""
        if heard in ready:
            told += os.read(heard, 1 << 16)
            if told.count(b"\n") == 2:
                return Measured(**json.loads(told.split(b"\n")[1]), echoes=tuple(echoes), written=written)
        if told and not wanted and now >= next_key:
            wanted = next(keys).encode()
            pressed, next_key = now, now + KEY_SECONDS
            os.write(terminal, wanted)


def measure(seconds: float) -> list[Row]:
    rows: list[Row] = []
    plain = {}
    for kind in ("prose", "fence", "list", "table", "paragraph", "reasoning"):
        got = plain[kind] = run(kind, seconds)
        name = f"{kind}, {seconds:.0f} s of {RATE} pieces/s"
        rows += [
            Row(f"CPU: {name}", f"{got.cpu:.1f} %", f"<= {CPU_PERCENT:.0f} %", got.cpu <= CPU_PERCENT),
            Row("  keys echo, 90th percentile", f"{got.echo:.0f} ms", f"<= {ECHO_MS:.0f} ms", got.echo <= ECHO_MS),
            Row(
                "  longest pause; written; memory",
                f"{got.lag:.0f} ms; {got.written / seconds / 1000:.0f} kB/s; {got.memory:.0f} MiB",
            ),
        ]
    late = run("prose", seconds, MESSAGES)
    bound = plain["prose"].cpu * GROWTH + 1
    return [
        *rows,
        Row(
            f"{MESSAGES:,} messages of {MEGABYTES} MB open",
            f"{late.opened:.2f} s",
            f"<= {OPEN_SECONDS:.0f} s",
            late.opened <= OPEN_SECONDS,
        ),
        Row("CPU: prose at their end", f"{late.cpu:.1f} %", f"<= {bound:.1f} %", late.cpu <= bound),
        Row("  keys echo, 90th percentile", f"{late.echo:.0f} ms", f"<= {ECHO_MS:.0f} ms", late.echo <= ECHO_MS),
        Row("  longest pause; memory", f"{late.lag:.0f} ms; {late.memory:.0f} MiB"),
    ]


def main(arguments: Sequence[str]) -> bool:
    """Print the table; True when every bound is kept."""
    if arguments[:1] == ["run"]:
        Bench(arguments[1], float(arguments[2]), int(arguments[3])).run()
        return True
    return show(measure(float(arguments[0]) if arguments else 60.0))


if __name__ == "__main__":
    main(sys.argv[1:])
