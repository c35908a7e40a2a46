from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.results import CommandEnd
from kcode.sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.place import Place

    Marked = Callable[[str], list[int]]
    Eventually = Callable[[Callable[[], bool]], bool]

# Ignores TERM, and leaves two that have run away: one in a session of its own, one whose parent is gone.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]]
subprocess.Popen(sleep, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, sleep)
    os._exit(0)
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 7", 7), ("exit 129", 129), ("kill -9 $$", -9), ("kill -15 $$", -15), ("kill -11 $$", -11)],
)
def test_the_exit_code_is_the_commands_own(place: Place, script: str, code: int) -> None:
    result = place.sh(script)
    assert (result.exit_code, result.end) == (code, CommandEnd.EXITED)


def test_a_program_that_is_not_there_is_a_result_and_no_error_of_the_sandbox(place: Place) -> None:
    (place.drafted / "no-program").write_text("x")
    assert place.run("kcode-no-such-program").exit_code == 127
    assert "No such file" in place.run("kcode-no-such-program").output
    assert place.run("./no-program").exit_code == 126


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(
    place: Place, mark: str, marked: Marked
) -> None:
    result = place.python(STUBBORN, mark, "600", seconds=0.6)
    assert marked(mark) == []
    assert result.end is CommandEnd.TIMEOUT
    assert result.output == "ready\n[kcode ended the command after 0.6 seconds]\n"
    assert result.seconds < 5


def test_a_command_may_tidy_up_when_its_time_is_over(place: Place) -> None:
    script = "trap 'echo tidied; exit 3' TERM; echo ready; sleep 600 & wait"
    result = place.sh(script, seconds=0.5)
    assert (result.end, result.exit_code) == (CommandEnd.TIMEOUT, 3)
    assert result.output.startswith("ready\ntidied\n")


def test_what_a_command_leaves_behind_ends_with_it(place: Place, mark: str, marked: Marked) -> None:
    result = place.python(STUBBORN, mark, "0")
    assert (result.end, result.exit_code, result.output) == (CommandEnd.EXITED, 0, "ready\n")
    assert marked(mark) == []


def test_a_command_that_closes_its_output_is_waited_for(place: Place) -> None:
    result = place.sh("exec >&- 2>&-; sleep 0.3; echo x > late")
    assert result.exit_code == 0
    assert (place.drafted / "late").exists()


def test_a_cancelled_command_leaves_nothing_running(place: Place, mark: str, marked: Marked) -> None:
    async def cancel_when_ready() -> None:
        ready = asyncio.Event()
        argv = (sys.executable, "-c", STUBBORN, mark, "600")
        task = asyncio.create_task(place.start(*argv, on_output=lambda _: ready.set()))
        await asyncio.wait_for(ready.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert marked(mark) == []

    asyncio.run(cancel_when_ready())


def test_a_command_that_is_cancelled_at_once_leaves_nothing_running(place: Place, mark: str, marked: Marked) -> None:
    async def cancel_after(turns: int) -> None:
        task = asyncio.create_task(place.start("/bin/sh", "-c", "sleep 600; :", mark))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = len(list(Path("/proc/self/fd").iterdir()))
    for turns in range(8):
        asyncio.run(cancel_after(turns))
    assert marked(mark) == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_killed_kcode_takes_its_commands_along(
    place: Place, mark: str, marked: Marked, eventually: Eventually
) -> None:
    program = f"""
        import asyncio
        from pathlib import Path, PosixPath
        from kcode.draft.files import FolderMount, OverlayMount
        from kcode.sandbox import Limits, Rung, Sandbox, run_command
        asyncio.run(run_command(
            Sandbox(Rung({place.sandbox.name!r}), (), {place.sandbox.program!r}, {place.sandbox.version!r}),
            {place.mount!r}, [{sys.executable!r}, "-c", {STUBBORN!r}, {mark!r}, "600"],
            limits=Limits(), environment={place.environment!r}, on_output=lambda text: print(text, end="", flush=True)
        ))
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as kcode:
        assert kcode.stdout
        assert kcode.stdout.readline() == b"ready\n"
        assert len(marked(mark)) >= 3
        kcode.kill()
    assert eventually(lambda: marked(mark) == [])


def test_too_many_processes_end_the_command(place: Place, mark: str, marked: Marked) -> None:
    script = "for i in $(seq 1000); do sleep 600 & done; wait"
    result = place.run("/bin/sh", "-c", script, mark, limits=Limits(seconds=20, processes=60))
    if result.end is CommandEnd.EXITED:
        assert "fork" in result.output
    else:
        assert result.end is CommandEnd.FLOOD
        assert "more than 60 processes" in result.output
    assert marked(mark) == []
    assert result.seconds < 15


def test_a_command_is_held_to_its_limits(place: Place) -> None:
    script = """
import os, resource
print([resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)])
print(resource.getrlimit(resource.RLIMIT_AS)[0], open("/proc/self/oom_score_adj").read().strip())
"""
    limits = Limits(file_size=10_000_000, cpu_seconds=30)
    assert place.python(script, limits=limits).output == f"[0, 10000000, 30]\n{resource.RLIM_INFINITY} 1000\n"


def test_what_goes_beyond_a_limit_fails(best_place: Place) -> None:
    result = best_place.sh("head -c 20000000 /dev/zero > big", limits=Limits(file_size=10_000_000))
    assert result.exit_code != 0
    assert (best_place.drafted / "big").stat().st_size == 10_000_000
    hungry = best_place.python("bytearray(1 << 30)", limits=Limits(memory=300 << 20))
    assert "MemoryError" in hungry.output
    spinning = best_place.python("while True: pass", limits=Limits(seconds=20, cpu_seconds=1))
    assert (spinning.end, spinning.exit_code) == (CommandEnd.EXITED, -signal.SIGKILL)


def test_signals_are_as_a_command_expects_them(place: Place) -> None:
    # Python ignores SIGPIPE for itself; in a command that would make `yes | head` run on.
    status = place.sh("cat /proc/self/status").output
    ignored = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    blocked = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk"))
    # 32 and 33 are the C library's own, which it lets nobody set; below `make` they come ignored.
    own = 1 << 31 | 1 << 32
    assert (int(ignored, 16) & ~own, int(blocked, 16) & ~own) == (0, 0)


def test_a_command_costs_little_more_than_itself(best_place: Place) -> None:
    best_place.sh("true")
    started = time.perf_counter()
    for _ in range(5):
        best_place.run("true")
    # Measured: 35-50 ms on two cores; the bound leaves room for a busy machine.
    assert (time.perf_counter() - started) / 5 < 0.3
