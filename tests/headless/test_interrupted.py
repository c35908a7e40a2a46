"""Runs that are cut off at their worst moments: what the user has is whole, and the next command goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.model_server import ModelServer, reply
from tests.program import RIGHT, RUN_TESTS, Program, make_program
from tests.repositories import picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.model_server import ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

FIXED = [reply(calls=[RIGHT, RUN_TESTS]), reply("Done.")]
FILES = 100


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    def make(script: list[Any], **more: str) -> tuple[Program, ModelServer]:
        server = model_server(script)
        return make_program(tmp_path, more={"KCODE_BASE_URL": server.url} | more), server

    return make


def timeless(folder: Path) -> dict[str, tuple[int, bytes, int]]:
    return picture(folder, times=False)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.001)


def running(word: str) -> bool:
    return subprocess.run(["pgrep", "-f", word], capture_output=True, check=False).returncode == 0


def go_on(program: Program, before: dict[str, Any]) -> None:
    """Assert that diff, apply and undo work, and bring everything back to how it was."""
    shown = program.run("diff")
    assert shown.returncode in {0, 3}, shown.stderr
    applied = program.run("apply")
    assert applied.returncode == shown.returncode, applied.stderr
    if not shown.returncode:
        assert timeless(program.repository) != before
        assert program.run("undo").returncode == 0
    assert timeless(program.repository) == before


@pytest.mark.parametrize("requests", [1, 2])
def test_a_kill_while_the_model_thinks(start: Start, requests: int) -> None:
    script = [reply(calls=[RIGHT, RUN_TESTS])] * (requests - 1) + [reply("long", stall=60)]
    program, server = start(script)
    before = timeless(program.repository)
    with program.start("fix", "cents() rounds down") as process:
        server.wait_for_requests(requests)
        process.kill()
    assert timeless(program.repository) == before
    assert program.run("diff").returncode == (0 if requests == 2 else 3)
    go_on(program, before)


@pytest.mark.parametrize("requests", [1, 2])
def test_what_was_changed_before_ctrl_c_is_told(start: Start, requests: int) -> None:
    script = [reply(calls=[RIGHT, RUN_TESTS])] * (requests - 1) + [reply("long", stall=60)]
    program, server = start(script)
    with program.start("fix", "cents() rounds down") as process:
        server.wait_for_requests(requests)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, b"What was changed so far is kept: kcode diff" in err) == (130, requests == 2)


@pytest.mark.parametrize("rounds", [[signal.SIGKILL], [signal.SIGINT, signal.SIGINT], [signal.SIGTERM, signal.SIGHUP]])
def test_signals_while_a_command_runs_leave_no_process(start: Start, rounds: list[signal.Signals]) -> None:
    word = f"sleep 9{os.getpid()}"
    program, _ = start([reply(calls=[RIGHT, ("run_command", {"command": f"setsid {word} & echo x > x; {word}"})])])
    before = timeless(program.repository)
    with program.start("fix", "cents() rounds down") as process:
        wait_until(lambda: running(f"^{word}$"), "the command")
        for number in rounds:
            process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert b"Traceback" not in err
    wait_until(lambda: not running(f"^{word}$"), "the command's end")
    assert timeless(program.repository) == before
    go_on(program, before)


def make_much_pending(program: Program) -> None:
    """Leave a proposal that takes a while to write: old files changed and removed, new ones made."""
    for number in range(FILES):
        (program.repository / f"gone{number}.txt").write_text(f"{number}\n")
    program.git("add", "-A")
    done = program.run("fix", "change much", "--test", "true")
    assert done.returncode == 0, done.stderr


MUCH = [
    reply(calls=[("run_command", {"command": f"rm gone*.txt; for i in $(seq {FILES}); do echo $i > new$i.txt; done"})]),
    reply("Done."),
]


def interrupt_apply(program: Program, number: signal.Signals, left: int) -> int:
    """Send the signal when so many of the files that are to go are still there; returns kcode's exit code."""
    folder = program.repository
    with program.start("apply") as process:
        wait_until(
            lambda: process.poll() is not None or len(list(folder.glob("gone*"))) <= left,
            "the first files",
        )
        process.send_signal(number)
        process.communicate(timeout=20)
    return process.returncode


@pytest.mark.parametrize("left", [FILES - 1, FILES // 2, 0])
def test_a_kill_while_files_are_written_is_settled_by_the_next_command(start: Start, left: int) -> None:
    program, _ = start(MUCH)
    make_much_pending(program)
    before = timeless(program.repository)
    assert interrupt_apply(program, signal.SIGKILL, left) == -signal.SIGKILL
    assert timeless(program.repository) != before
    done = program.run("apply")
    assert done.returncode == 0, done.stderr
    assert b"had been interrupted; it was taken back" in done.stderr
    assert len(done.stderr) < 1000, "not every file is named"
    assert {f"new{number + 1}.txt" for number in range(FILES)} <= timeless(program.repository).keys()
    assert program.run("undo").returncode == 0
    assert timeless(program.repository) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_while_files_are_written_takes_them_back(start: Start, number: signal.Signals, code: int) -> None:
    program, _ = start(MUCH)
    make_much_pending(program)
    before = timeless(program.repository)
    assert interrupt_apply(program, number, FILES // 2) == code
    assert timeless(program.repository) == before
    go_on(program, before)


def test_a_run_that_was_started_with_nohup_outlives_its_terminal(start: Start) -> None:
    program, server = start([reply(calls=[RIGHT]), reply("Done.", pace=0.2)])
    command = [
        "/bin/sh",
        "-c",
        "trap '' HUP; exec \"$@\"",
        "sh",
        *program_words(program),
        "fix",
        "x y",
        "--test",
        "true",
    ]
    with subprocess.Popen(
        command,
        cwd=program.repository,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        server.wait_for_requests(2)
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out[:10]) == (0, b"diff --git"), err


def program_words(program: Program) -> list[str]:
    with program.start("--version") as process:
        return [str(word) for word in process.args][:3]  # type: ignore[union-attr]


def test_two_runs_at_once_do_not_harm_each_other(tmp_path: Path, model_server: ModelServerFactory) -> None:
    first = make_program(tmp_path, more={"KCODE_BASE_URL": model_server(FIXED).url})
    second = Program(first.repository, first.home, {"KCODE_BASE_URL": model_server(FIXED).url})
    before = timeless(first.repository)
    with first.start("fix", "cents() rounds down") as one, second.start("fix", "cents() rounds down") as two:
        patches = {one.communicate(timeout=60)[0], two.communicate(timeout=60)[0]}
    assert (one.returncode, two.returncode, len(patches)) == (0, 0, 1)
    assert timeless(first.repository) == before
    applying = [first.start("apply") for _ in range(3)]
    for process in applying:
        process.communicate(timeout=60)
    # Who comes second finds nothing left, or a file that is no longer what it was.
    assert min(process.returncode for process in applying) == 0
    assert all(process.returncode in {1, 3} for process in applying if process.returncode)
    assert "round(amount, 2)" in (first.repository / "calc/money.py").read_text()
    assert first.run("undo").returncode == 0
    assert timeless(first.repository) == before
