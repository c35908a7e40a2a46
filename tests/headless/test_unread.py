"""Somebody started kcode and does not read what it says: it waits, and a signal ends it all the same."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.model_server import raw, reply
from tests.program import make_program
from tests.providers.streams import DONE, chunk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

WORDS = "".join(f"thought number {number} of many, each of them new\n" for number in range(4000))
DEADLINE = 30.0


def wait_until_full(process: subprocess.Popen[bytes], writer: int) -> None:
    """Wait until the pipe takes no more, so that the program waits for its reader."""
    end = time.monotonic() + DEADLINE
    while select.select([], [writer], [], 0)[1]:
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("stream", "number", "code"), [("stderr", signal.SIGINT, 130), ("stdout", signal.SIGTERM, 143)]
)
def test_a_signal_ends_it_though_nobody_reads(
    tmp_path: Path, model_server: ModelServerFactory, stream: str, number: signal.Signals, code: int
) -> None:
    # A reply that does not end: there is no other way out.
    server = model_server([raw(chunk({"reasoning_content": WORDS}), chunk({"content": WORDS}) + DONE, stall=60.0)])
    program = make_program(tmp_path, {"a.txt": "x\n"}, {"KCODE_BASE_URL": server.url})
    reader, writer = os.pipe()
    outlets = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | {stream: writer}
    with program.start("ask", "why?", *(["--json"] if stream == "stdout" else []), **outlets) as process:
        wait_until_full(process, writer)
        process.send_signal(number)
        assert process.wait(DEADLINE) == code
    os.close(reader)
    os.close(writer)


def test_what_is_read_late_is_whole(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = make_program(tmp_path, {"a.txt": "x\n"}, {"KCODE_BASE_URL": model_server([reply(WORDS)]).url})
    reader, writer = os.pipe()
    with program.start("ask", "why?", stdout=writer, stderr=subprocess.DEVNULL) as process:
        wait_until_full(process, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            assert file.read().decode() == WORDS
        assert process.wait(DEADLINE) == 0
