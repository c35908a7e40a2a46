"""Random keys, clicks and sizes over every screen: `python -m bench.randomkeys KCODE [SECONDS] [SEED]`.

200 keys a second for SECONDS (60 unless said) while scripted turns change files. Nothing may end the program but a key that
is meant to; the terminal must be left as it was, and the session must be there to be read and gone on with.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.pty_program import PtyProgram
from bench.scripted import Row, clean_environment, endpoint, make_repository, show

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

KEYS_A_SECOND, BATCH = 200, 20
SECONDS_A_SCREEN = 1.5
LETTERS = "abcdefghijklmnopqrstuvwxyzAJNW/@!?.-+012 漢é"
CONTROLS = [
    bytes([code]) for code in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26)
]
NAMED = [
    *(b"\x1b[" + end for end in (b"A", b"B", b"C", b"D", b"H", b"F", b"5~", b"6~", b"3~", b"Z", b"1;3A", b"1;3B")),
    *(b"\r", b"\x1b", b"\t", b"\x7f", b" ", b"\x1b\r", b"\x1bb", b"\x1bf"),
    *(b"\x1bOP", b"\x1bOQ", b"\x1bOR", b"\x1bOS", b"\x1b[15~", b"\x1b[17~", b"\x1b[18~"),
]
# Screens that keys alone rarely reach; what stands in the composer is cleared first.
OPENED = [b"/settings", b"/journal", b"/theme", b"/model", b"/help", b"/context", b"/sessions", b"/diff", b"/test"]
# Leaving on purpose: asked for by keys, or by the end of input.
LEFT = {0, 130}


def replies(count: int = 2_000) -> list[dict[str, Any]]:
    """Turns that think, change a file, run the tests and answer, one after the other."""
    steps: list[dict[str, Any]] = []
    for number in range(count // 3):
        path = f"notes/note_{number % 9}.md"
        text = "".join(f"line {line} of {number}\n" for line in range(number % 30 + 1))
        steps += [
            {
                "reasoning": f"Note {number}. " * 20,
                "calls": [{"name": "write_file", "arguments": {"path": path, "content": text}}],
            },
            {"reasoning": "Look.", "calls": [{"name": "read_file", "arguments": {"path": "shop/module_1.py"}}]},
            {"text": f"**Done** {number}.\n\n- a list\n- `code`\n\n```python\nprint({number})\n```"},
        ]
    return steps


def one_key(chance: random.Random, columns: int, rows: int) -> bytes:
    """A key, or now and then a click or the wheel."""
    kind = chance.random()
    if kind < 0.45:
        return chance.choice(LETTERS).encode()
    if kind < 0.85:
        return chance.choice(NAMED)
    if kind < 0.95:
        return chance.choice(CONTROLS)
    button = chance.choice([0, 0, 0, 64, 65])
    place = b"%d;%d;%d" % (button, chance.randint(1, columns), chance.randint(1, rows))
    return b"\x1b[<" + place + b"M" + (b"\x1b[<" + place + b"m" if button == 0 else b"")


def batches(chance: random.Random, seconds: float) -> Iterator[bytes | tuple[int, int]]:
    """What is sent every tenth of a second: keys, or first another size of the terminal."""
    columns, rows = 100, 30
    for number in range(round(seconds * KEYS_A_SECOND / BATCH)):
        if chance.random() < 0.03:
            columns, rows = chance.choice([(80, 24), (150, 45), (100, 30), (40, 12), (121, 33)])
            yield columns, rows
        if number % round(SECONDS_A_SCREEN * KEYS_A_SECOND / BATCH) == 0:
            yield b"\x1b\x1b\x1b\x1b\x15" + chance.choice(OPENED) + b"\r"
        else:
            yield b"".join(one_key(chance, columns, rows) for _ in range(BATCH))


class Trial:
    """One program after the other, each going on where the one before was left."""

    def __init__(self, kcode: str, folder: Path, home: Path, url: str) -> None:
        self._kcode, self._folder = kcode, folder
        self._environment = clean_environment(home, url) | {"EDITOR": "true", "KCODE_MAX_STEPS": "100000"}
        self.left = 0
        self.faults: list[str] = []

    def run(self, chance: random.Random, seconds: float) -> None:
        sent = batches(chance, seconds)
        is_over = False
        while not is_over:
            with PtyProgram([self._kcode, *(["-c"] if self.left else [])], self._folder, self._environment) as program:
                program.wait_for(b"kimi-k2-thinking")
                is_over = self._send_all(program, sent)
                if is_over:
                    program.process.terminate()
                self._judge(program, {143} if is_over else LEFT)
            self.left += not is_over

    def _send_all(self, program: PtyProgram, sent: Iterator[bytes | tuple[int, int]]) -> bool:
        """Send what is left of it; False where the program was left before."""
        for one in sent:
            if program.process.poll() is not None:
                return False
            if isinstance(one, tuple):
                program.resize(*one)
                continue
            try:
                program.type(one)
            except OSError:
                return False
            time.sleep(BATCH / KEYS_A_SECOND)
        before = program.written
        program.resize(90, 28)
        time.sleep(2)
        if program.written == before and program.process.poll() is None:
            self.faults.append("nothing is drawn any more")
        return program.process.poll() is None

    def _judge(self, program: PtyProgram, expected: set[int]) -> None:
        try:
            code = program.process.wait(20)
        except subprocess.TimeoutExpired:
            self.faults.append("it does not end")
            return
        if code not in expected:
            self.faults.append(f"exit code {code}: {program.last_words()}")
        elif "Traceback" in program.last_words():
            self.faults.append(program.last_words())

    def ask(self, *arguments: str, fine: Collection[int] = (0,)) -> str:
        """What the program prints for these arguments; a fault where it ends otherwise than is `fine`."""
        done = subprocess.run(
            [self._kcode, *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode not in fine:
            self.faults.append(f"kcode {' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-300:]}")
        return done.stdout


def main(kcode: str, seconds: float, seed: int) -> bool:
    """Print what came of it; True where nothing went wrong."""
    chance = random.Random(seed)  # noqa: S311 - keys keep no secret
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch, endpoint(replies()) as served:
        folder = make_repository(Path(scratch) / "repository", 20)
        trial = Trial(str(Path(kcode).absolute()), folder, Path(scratch) / "home", served.url)
        trial.run(chance, seconds)
        told = [json.loads(line) for line in trial.ask("sessions", "--json").splitlines()]
        sessions = [one["id"] for one in told if "id" in one]
        for session in sessions:
            trial.ask("export", session)
        trial.ask("diff", fine=(0, 3))
    for fault in trial.faults:
        sys.stderr.write(f"{fault}\n")
    keys = round(seconds * KEYS_A_SECOND)
    return show(
        [
            Row(f"{keys:,} random keys, seed {seed}: faults", str(len(trial.faults)), "0", not trial.faults),
            Row("  ... requests meanwhile", str(len(served.arrivals))),
            Row("  ... times that it was left by keys, and gone on with", str(trial.left)),
            Row("  ... sessions that can be read", str(len(sessions)), ">= 1", len(sessions) > 0),
        ]
    )


if __name__ == "__main__":
    more = sys.argv[2:]
    sys.exit(not main(sys.argv[1], float(more[0]) if more else 60.0, int(more[1]) if more[1:] else 1))
