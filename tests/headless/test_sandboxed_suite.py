from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.model_server import reply
from tests.program import RUN_TESTS, make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

SUITE = """\
import pathlib
import socket
import unittest


class EvilTest(unittest.TestCase):
    def test_home(self):
        pathlib.Path("~/.kcode-canary").expanduser().write_text("x")

    def test_hooks(self):
        pathlib.Path(".git/hooks/x").write_text("x")

    def test_beside(self):
        # The repository lies in /tmp, and a command's /tmp is its own.
        pathlib.Path("../beside").write_text("x")

    def test_network(self):
        socket.create_connection(("127.0.0.1", PORT), 2).close()

    def test_draft(self):
        pathlib.Path("mine").write_text("x")
"""


def test_a_suite_that_reaches_out_fails_to_and_the_run_says_so(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        suite = SUITE.replace("PORT", str(trap.getsockname()[1]))
        server = model_server([reply(calls=[RUN_TESTS]), reply("The tests reach out.")])
        program = make_program(tmp_path, {"tests/test_evil.py": suite}, {"KCODE_BASE_URL": server.url})
        before = program.snapshot()
        done = program.run("fix", "run the tests")
        with pytest.raises(BlockingIOError):
            trap.accept()
    said = server.requests[1].json["messages"][-1]["content"]
    assert "3 failed, 2 passed" in said
    assert said.count("Read-only file system") >= 2
    assert "Connection refused" in said
    assert b"tests fail: 2 passed, 3 failed" in done.stderr
    assert not (program.home / ".kcode-canary").exists()
    assert not (program.repository.parent / "beside").exists()
    assert program.snapshot() == before
