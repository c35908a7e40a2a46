"""`kcode test` over a proposal that a session left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from kcode.draft.hunks import propose
from kcode.folders import state_folder
from tests.agent.proposals import FILES, edit, open_session_draft
from tests.program import Program, make_program
from tests.repositories import can_mount_overlay, picture

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.draft import Draft

CHECK = ("--test", "sh check.sh")


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return make_program(tmp_path, FILES)


@pytest.fixture
def draft(program: Program) -> Draft:
    """Two files of three that break their test, and a hunk that breaks nothing."""
    state = state_folder({"HOME": str(program.home)})
    draft, _ = open_session_draft(program.repository, state, "overlay" if can_mount_overlay() else "copy")
    edit(draft, "one/a.txt", ("line 1\n", "bad 1\n"), ("line 9\n", "good 9\n"))
    edit(draft, "two/c.txt", ("line 5\n", "bad 5\n"))
    return draft


def hunks(draft: Draft) -> list[str]:
    return [hunk.id for change in propose(draft.changes()).changes for hunk in change.hunks]


def test_the_words_choose_what_is_tested_and_the_exit_code_says_what_came_of_it(program: Program, draft: Draft) -> None:
    bad, good, other = hunks(draft)
    files = picture(program.repository)
    done = program.run("test", *CHECK)
    assert (done.returncode, done.stdout.decode()) == (
        4,
        "all 3 hunks: tests fail: 1 passed, 2 failed\n  one\n  two\n",
    ), done.stderr.decode()
    assert b"Testing the workspace with all 3 hunks" in done.stderr
    assert b"not ok 3 - two" in done.stderr
    done = program.run("test", "one", "--without", bad, "-q", *CHECK)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1 of 3 hunks: tests pass: 3 passed\n", b"")
    done = program.run("test", "--hunks", f"{good[:8]},{other}", "--json", *CHECK)
    assert done.returncode == 4
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["tests.started", "tests.finished", "run.completed"]
    assert (lines[0]["hunks"], lines[0]["total"], lines[1]["hunks"]) == ([good, other], 3, [good, other])
    assert (lines[1]["ok"], lines[1]["failures"], lines[2]["exit_code"]) == (False, ["two"], 4)
    assert picture(program.repository) == files


@pytest.mark.usefixtures("draft")
def test_a_hunk_that_conflicts_with_the_users_own_change_is_left_out(program: Program) -> None:
    file = program.repository / "two/c.txt"
    file.write_text(file.read_text().replace("line 5\n", "mine 5\n"))
    done = program.run("test", *CHECK)
    assert done.stdout.decode() == "2 of 3 hunks: tests fail: 2 passed, 1 failed\n  one\n", done.stderr.decode()
    assert b"Left out, since they conflict" in done.stderr
    done = program.run("test", "two/c.txt", *CHECK)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"conflicts with what you changed there since" in done.stderr


def test_bisect_names_the_hunk_and_each_run(program: Program, draft: Draft) -> None:
    bad, good, _ = hunks(draft)
    done = program.run("test", "one/a.txt", "--bisect", *CHECK)
    told = f"1 of 2 hunks makes the tests fail: one.\n  {bad}  one/a.txt:2\n"
    assert (done.returncode, done.stdout.decode()) == (0, told), done.stderr.decode()
    progress = done.stderr.decode().splitlines()
    assert progress[:4] == [
        "run 1: all 2 hunks: fails",
        "run 2: no hunk: passes",
        "run 3: all 2 hunks: fails",
        "run 4: no hunk: passes",
    ]
    done = program.run("test", "--bisect", "-q", *CHECK)
    other = f"Other hunks make others fail: two. To find them: kcode test --bisect --without {bad}\n"
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == f"1 of 3 hunks makes the tests fail: one.\n  {bad}  one/a.txt:2\n{other}"
    done = program.run("test", good, "--bisect", "--json", *CHECK)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = ["bisect.started", "probe.finished", "probe.finished", "bisect.completed", "run.completed"]
    assert [line["type"] for line in lines] == kinds
    assert (lines[1]["verdict"], lines[1]["tests"]["ok"]) == ("pass", True)
    assert (lines[3]["end"], lines[3]["hunks"], lines[4]["exit_code"], done.returncode) == ("no_difference", [], 3, 3)


def test_with_nothing_pending_only_the_workspace_can_be_tested(program: Program) -> None:
    done = program.run("test", *CHECK)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"kcode test --none" in done.stderr
    done = program.run("test", "--none", *CHECK)
    assert (done.returncode, done.stdout) == (0, b"no hunk: tests pass: 3 passed\n")
    done = program.run("test", "--none")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"kcode test --test CMD" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.txt"], b"no hunk and no file"),
        (["--bisect", "--without", "all"], b"none is chosen"),
    ],
)
def test_words_that_fit_nothing_are_a_usage_error(
    program: Program, draft: Draft, arguments: list[str], said: bytes
) -> None:
    assert hunks(draft)
    done = program.run("test", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_tests_and_leaves_nothing(
    program: Program, draft: Draft, number: signal.Signals, code: int
) -> None:
    word = f"sleep 8{os.getpid()}{number}"
    files, session = picture(program.repository), draft.folder.parent
    with program.start("test", "--test", f"echo started; {word}") as process:
        assert process.stderr
        while b"started" not in process.stderr.readline():
            assert process.poll() is None
        assert list(session.glob("partial-*")) != []
        process.send_signal(number)
        assert process.wait(20) == code
    assert list(session.glob("partial-*")) == []
    assert subprocess.run(["pgrep", "-f", word], capture_output=True, check=False).returncode == 1
    assert picture(program.repository) == files
