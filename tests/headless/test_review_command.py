"""`kcode review` as a program: the panes at a terminal, and what comes out of a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.program import MODULE, make_program
from tests.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory


def test_a_patch_from_a_pipe_is_reviewed_at_the_terminal_and_comments_come_out(tmp_path: Path) -> None:
    program = make_program(tmp_path, more={"TERM": "xterm-256color"})
    (program.repository / "calc/money.py").write_text(MODULE.replace("int(", "round("))
    screen = Screen(program, script='git diff | KCODE review - --comments > "$HOME/out.md"')
    screen.wait_for("accept")
    screen.type("c")
    screen.wait_for("Comment")
    screen.type("cents?\r")
    screen.wait_for("# cents?")
    screen.type("q")
    assert screen.end() == 0
    told = (program.home / "out.md").read_text()
    assert told.startswith("## calc/money.py:5\n\ncents?\n\n```diff\n-    return int(amount * 100) / 100\n")
    assert "\x1b" not in told


def test_in_a_pipe_the_model_writes_the_review(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server([reply(text="calc/money.py:5 loses cents.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    done = program.run("review", "HEAD", input=b"")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"calc/money.py:5 loses cents.\n"
    asked = server.requests[0].json["messages"][-1]["content"]
    assert "Review this change (git's HEAD)." in asked
    assert "+    return int(amount * 100) / 100" in asked
    assert "run_command" not in {tool["function"]["name"] for tool in server.requests[0].json["tools"]}


def test_what_cannot_be_reviewed_is_said(tmp_path: Path) -> None:
    program = make_program(tmp_path)
    assert program.run("review", input=b"").returncode == 3
    unknown = program.run("review", "no-such-branch..", input=b"")
    assert unknown.returncode == 2
    assert b"is no commit and no range" in unknown.stderr
    refused = program.run("review", "HEAD", "--comments", input=b"")
    assert refused.returncode == 5
    assert b"need a terminal" in refused.stderr
