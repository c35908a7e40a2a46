"""One command: start it, take its output, and see that nothing of it is left, however it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from typing import TYPE_CHECKING

from kcode.errors import SandboxError
from kcode.results import CommandEnd, CommandResult
from kcode.sandbox.capture import Capture
from kcode.sandbox.launch import Task, launch_of
from kcode.sandbox.processes import Handle, ask_to_end, descendants, kill_group
from kcode.sandbox.rungs import Rung
from kcode.sandbox.surroundings import OUTPUT_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from kcode.draft.files import Mount
    from kcode.sandbox.rungs import Limits, Sandbox

_TICK = 0.2  # between two looks at the number of processes
_GRACE = 1.0  # from TERM to KILL
_LAST_WAIT = 5.0  # for the kernel to bury what was killed
_MOST_ASKED = 2048  # processes that get a TERM; a tree that still grows is killed soon enough
_DRAIN = 0.5  # for output still in the pipe after the end

# What shells make of a signal is 128 + its number. 129 is left alone: it is git's code for a wrong command line.
_SIGNAL_CODES = {128 + number: -number for number in (2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 24, 25, 31)}


async def run_command(
    sandbox: Sandbox,
    mount: Mount,
    argv: Sequence[str],
    *,
    folder: str = "",
    limits: Limits,
    environment: Mapping[str, str],
    passed_names: Collection[str] = (),
    outputs: Path | None = None,
    reports: Path | None = None,
    output_file: Path | None = None,
    on_output: Callable[[str], None] | None = None,
) -> CommandResult:
    """Run `argv` over the mount, in `folder` relative to the workspace, and wait until nothing of it runs any more.

    Of the user's `environment` only a few names are passed on, and those in `passed_names`. The command finds the
    folder `outputs` at /tmp/kcode-output, read-only, and `reports` at /tmp/kcode-report, where it may write.
    `output_file`, a file in `outputs`, is made only when the output is too long to be returned whole. `on_output` gets
    the text as it comes. Two commands over one overlay must not run at once.

    Raises SandboxError when the command could not be started in isolation and NoSandboxError when there is no
    sandbox; a program that is not found is a result with exit code 127. When cancelled, everything is killed first.
    """
    task = Task(mount, argv, folder, limits, environment, passed_names, outputs, reports)
    running = _Running(Capture(limits.output, output_file, on_output))
    started = time.monotonic()
    try:
        await running.start(sandbox, task)
        end, note = await running.wait(limits)
        if end is not CommandEnd.EXITED:
            await running.stop()
        await running.settle()
    finally:
        running.kill()
        await running.close()
    name = f"{OUTPUT_FOLDER}/{output_file.name}" if output_file else None
    kept = name if running.capture.is_cut and not running.capture.file_error else None
    code, problem = running.outcome(stopped=end is not CommandEnd.EXITED)
    output = problem or running.capture.text(name)
    if note:
        output += ("" if output.endswith("\n") or not output else "\n") + f"[{note}]\n"
    return CommandResult(code, output, end, time.monotonic() - started, kept)


class _Running:
    """A started launcher: its pipes, its status lines and the process below which the command's tree hangs."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._exited: asyncio.Task[int] | None = None
        self._child: Handle | None = None
        self._lines = b""
        self._status: dict[str, int | str] = {}
        self._flood = asyncio.Event()
        self._ended = {"output": asyncio.Event(), "status": asyncio.Event()}
        self._readers: dict[str, int] = {}
        self._lifeline = -1
        self._supervised = False
        self._killed = False

    async def start(self, sandbox: Sandbox, task: Task) -> None:
        try:
            await self._start(sandbox, task)
        except OSError as error:
            raise SandboxError(f"No command can be started: {error}.") from error
        self._loop.add_reader(self._readers["output"], self._read_output)
        self._loop.add_reader(self._readers["status"], self._read_status)

    async def _start(self, sandbox: Sandbox, task: Task) -> None:
        self._supervised = sandbox.rung in {Rung.SEATBELT, Rung.UNISOLATED}
        with contextlib.ExitStack() as closing:
            output = self._open_pipe("output", closing)
            status = self._open_pipe("status", closing)
            lifeline, self._lifeline = os.pipe()
            closing.callback(os.close, lifeline)
            launch = launch_of(sandbox, task, status=status, lifeline=lifeline, closing=closing)
            # From this thread: the kernel ends the launcher with the thread that started it.
            self._process = await asyncio.create_subprocess_exec(
                *launch.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=launch.environment,
                cwd="/",
                pass_fds=launch.descriptors,
                start_new_session=True,
            )
        self._exited = asyncio.create_task(self._process.wait())

    def _open_pipe(self, name: str, closing: contextlib.ExitStack) -> int:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        self._readers[name] = reader
        closing.callback(os.close, writer)
        return writer

    def _read_output(self) -> None:
        data = self._read("output")
        if data and not self._flood.is_set():
            self.capture.feed(data)
        if self.capture.flooded:
            self._flood.set()

    def _read_status(self) -> None:
        *lines, self._lines = (self._lines + self._read("status")).split(b"\n")
        for line in lines:
            self._take_status(line.decode("utf-8", "replace"))

    def _read(self, name: str) -> bytes:
        try:
            data = os.read(self._readers[name], 1 << 16)
        except BlockingIOError:
            return b""
        if not data:
            self._loop.remove_reader(self._readers[name])
            self._ended[name].set()
        return data

    def _take_status(self, line: str) -> None:
        if line.startswith("{"):
            self._status |= json.loads(line)
        else:
            word, _, rest = line.partition(" ")
            self._status[word] = rest if word == "error" else int(rest)
        child = self._status.get("child-pid")
        if self._child is None and isinstance(child, int):
            self._child = Handle(child)

    async def wait(self, limits: Limits) -> tuple[CommandEnd, str]:
        """Wait for the end, or for the limit that must be enforced from outside, with a note on it for the output."""
        assert self._process
        assert self._exited
        deadline = self._loop.time() + limits.seconds
        flood = asyncio.create_task(self._flood.wait())
        try:
            while (left := deadline - self._loop.time()) > 0:
                pair = {self._exited, flood}
                await asyncio.wait(pair, timeout=min(left, _TICK), return_when=asyncio.FIRST_COMPLETED)
                if self._flood.is_set():
                    return CommandEnd.FLOOD, f"kcode ended the command after {limits.output:,} bytes of output"
                if self._exited.done():
                    return CommandEnd.EXITED, ""
                # The kernel's own limit does not hold for real root, nor where bubblewrap alone makes the namespace.
                # However fast it forks, the whole namespace dies with its first process.
                if len(descendants(self._process.pid, limits.processes)) > limits.processes:
                    self.kill()
                    return CommandEnd.FLOOD, f"kcode ended the command: it had more than {limits.processes:,} processes"
        finally:
            flood.cancel()
        return CommandEnd.TIMEOUT, f"kcode ended the command after {limits.seconds:g} seconds"

    async def stop(self) -> None:
        """TERM to the command and all that it started, then, after a moment of grace, KILL; nothing if that was sent."""
        if self._killed:
            return
        if self._process and self._exited and self._child and not self._exited.done():
            # The namespace's first process is among them; the kernel spares it, so it lives to report.
            ask_to_end(descendants(self._process.pid, _MOST_ASKED))
            await asyncio.wait({self._exited}, timeout=_GRACE)
        self.kill()

    def kill(self) -> None:
        """End everything now. The namespace dies with its first process; a supervisor ends with its lifeline."""
        self._cut_lifeline()
        self._killed = True
        if self._exited and self._exited.done():
            return
        killed = self._child is not None and self._child.kill()
        if not killed and self._process and not self._supervised:
            kill_group(self._process.pid)

    def _cut_lifeline(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    async def settle(self) -> None:
        """Wait until the tree is gone and the last output is read; a daemon that holds the pipe is not waited for."""
        assert self._process
        assert self._exited
        await asyncio.wait({self._exited}, timeout=_LAST_WAIT)
        if not self._exited.done():
            kill_group(self._process.pid)
            await self._exited
        for ended in self._ended.values():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _DRAIN)
        if self._child and self._child.fileno() >= 0:
            await self._wait_readable(self._child.fileno())

    async def _wait_readable(self, descriptor: int) -> None:
        gone = asyncio.Event()
        self._loop.add_reader(descriptor, gone.set)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), _LAST_WAIT)
        finally:
            self._loop.remove_reader(descriptor)

    async def close(self) -> None:
        """After `kill`: give everything back, even when the wait for the buried is cut short by a cancellation."""
        try:
            if self._exited and not self._exited.done():
                await asyncio.wait({self._exited}, timeout=_LAST_WAIT)
        finally:
            if self._process and self._process.returncode is None:
                kill_group(self._process.pid)
            self._cut_lifeline()
            for reader in self._readers.values():
                self._loop.remove_reader(reader)
                os.close(reader)
            if self._child:
                self._child.close()
            self.capture.finish()

    def outcome(self, *, stopped: bool) -> tuple[int, str]:
        """The exit code, and what to say in the output's place when the program could not be run.

        Raises SandboxError when the isolation failed, so that its failure is never taken for the command's.
        """
        status, text = self._status, self.capture.text(None)
        if isinstance(status.get("signal"), int):
            return -int(status["signal"]), ""
        if isinstance(code := status.get("exit-code"), int):
            return _SIGNAL_CODES.get(code, code), ""
        returned = self._process.returncode if self._process else None
        if stopped:
            return -signal.SIGKILL, ""
        if "error" not in status and text.startswith("bwrap: execvp "):
            reason = text.removeprefix("bwrap: execvp ").strip()
            return 126 if "ermission denied" in reason else 127, f"kcode: {reason}\n"
        if "error" not in status and self._child and returned is not None and returned < 0:
            return returned, ""
        said = str(status.get("error") or " ".join(text.split()) or f"its launcher ended with {returned}")
        raise SandboxError(f"The command did not run, since it could not be isolated: {said}")
