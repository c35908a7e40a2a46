from __future__ import annotations

import json
import signal
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from kcode.draft.provenance import last_run
from kcode.draft.versions import TestRun, Versions
from kcode.piped import mark_piped
from tests.model_server import fault, reply
from tests.program import KEY, MODULE, RIGHT, RUN_TESTS, WRONG, Program, key_leaks, make_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

FIXED = [
    reply(reasoning="I look first.", calls=[("read_file", {"path": "calc/money.py"})]),
    reply(reasoning="It truncates.", calls=[RIGHT]),
    reply(calls=[RUN_TESTS]),
    reply("Rounded instead of truncated: `calc/money.py:5`.", reasoning="Done."),
]


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    """A program that talks to a server with the given script."""

    def make(script: list[Any], **more: str) -> tuple[Program, ModelServer]:
        server = model_server(script)
        return make_program(tmp_path, more={"KCODE_BASE_URL": server.url} | more), server

    return make


def test_a_fix_gives_a_patch_that_git_applies_and_leaves_the_tree_alone(start: Start) -> None:
    program, server = start(FIXED)
    (program.repository / "notes.txt").write_text("unsaved work\n")
    tests = program.repository / "tests/test_money.py"
    tests.write_text(tests.read_text() + "\n# mine\n")
    before, status = program.snapshot(), program.git("status", "--porcelain")
    done = program.run("fix", "cents() rounds down")
    assert (done.returncode, done.stdout[:10]) == (0, b"diff --git"), done.stderr.decode()
    assert (program.snapshot(), program.git("status", "--porcelain")) == (before, status)
    subprocess.run(["git", "apply"], cwd=program.repository, input=done.stdout, check=True)
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()
    assert b"tests pass: 2 passed" in done.stderr
    assert len(server.requests) == 4
    assert key_leaks(program, done.stdout, done.stderr) == []


def test_reasoning_goes_back_and_each_request_begins_like_the_one_before(start: Start) -> None:
    program, server = start(FIXED)
    program.run("fix", "cents() rounds down")
    messages = [request.json["messages"] for request in server.requests]
    replies = [m for m in messages[-1] if m["role"] == "assistant"]
    assert [m.get("reasoning_content", "") for m in replies] == ["I look first.", "It truncates.", ""]
    for before, after in pairwise(server.requests):
        head = before.body[: before.body.rindex(b"]")]
        assert after.body.startswith(head)


def test_without_a_test_run_by_the_model_kcode_runs_the_tests_itself(start: Start) -> None:
    program, _ = start([reply(calls=[RIGHT]), reply("Done.")])
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 0
    assert b"tests pass: 2 passed" in done.stderr


@pytest.mark.parametrize("target", ["test_plain", "no_test_has_this_name"])
def test_a_run_of_chosen_tests_proves_nothing_about_the_others(start: Start, target: str) -> None:
    program, _ = start([reply(calls=[WRONG, ("run_tests", {"target": target})]), reply("Done.")])
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 4
    assert b"tests fail: 1 passed, 1 failed" in done.stderr
    records = Versions(next(program.home.rglob("versions.jsonl")).parent).records()
    runs = [record.is_chosen for record in records if isinstance(record, TestRun)]
    assert runs == ([True, False] if target == "test_plain" else [False])  # without any test there was no run
    last = last_run(records)
    assert last is not None
    assert (last.passed, last.failed, last.is_chosen) == (1, 1, False)


def test_a_change_whose_tests_fail_is_given_with_exit_4(start: Start) -> None:
    program, _ = start([reply(calls=[WRONG]), reply("Done.")])
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 4
    assert done.stdout.startswith(b"diff --git")
    assert b"tests fail" in done.stderr


def test_no_change_is_exit_3_with_nothing_on_stdout(start: Start) -> None:
    program, _ = start([reply("Nothing is wrong here.")])
    done = program.run("fix", "is it right?")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"Nothing is wrong here." in done.stderr


def test_a_limit_is_exit_6_and_what_was_done_stays_pending(start: Start) -> None:
    program, _ = start(FIXED)
    done = program.run("fix", "cents() rounds down", "--max-steps", "2")
    assert (done.returncode, done.stdout) == (6, b"")
    assert b"limit of 2 steps" in done.stderr
    assert b"round(amount, 2)" in program.run("diff").stdout


def test_apply_writes_and_undo_brings_the_exact_bytes_back(start: Start) -> None:
    program, _ = start(FIXED)
    before = program.snapshot()
    done = program.run("fix", "cents() rounds down", "--apply")
    assert (done.returncode, done.stdout) == (0, b"")
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()
    assert program.run("undo").returncode == 0
    assert program.snapshot() == before
    assert program.run("redo").returncode == 0
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()


def test_the_pending_proposal_can_be_shown_and_applied_later(start: Start) -> None:
    program, _ = start(FIXED)
    patch = program.run("fix", "cents() rounds down").stdout
    assert program.run("diff").stdout == patch
    assert program.run("apply").returncode == 0
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()
    assert program.run("diff").returncode == 3


def test_what_git_applied_is_no_longer_pending(start: Start) -> None:
    program, _ = start(FIXED)
    done = program.run("fix", "cents() rounds down")
    subprocess.run(["git", "apply"], cwd=program.repository, input=done.stdout, check=True)
    for command in ("diff", "apply"):
        again = program.run(command)
        assert (again.returncode, again.stdout) == (3, b"")
        assert b"Nothing is pending here" in again.stderr


def test_a_file_that_the_user_changed_meanwhile_is_not_overwritten(start: Start) -> None:
    program, _ = start(FIXED)
    program.run("fix", "cents() rounds down")
    mine = MODULE + "# mine\n"
    (program.repository / "calc/money.py").write_text(mine)
    done = program.run("apply")
    assert done.returncode == 1
    assert b"calc/money.py" in done.stderr
    assert (program.repository / "calc/money.py").read_text() == mine


def test_a_later_run_that_changes_nothing_does_not_hide_what_is_pending(start: Start) -> None:
    program, _ = start([*FIXED, reply("Nothing to do.")])
    patch = program.run("fix", "cents() rounds down").stdout
    assert program.run("fix", "is it right?").returncode == 3
    assert program.run("diff").stdout == patch


def test_an_empty_patch_file_applies_nothing(start: Start, tmp_path: Path) -> None:
    program, _ = start(FIXED)
    program.run("fix", "cents() rounds down")
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open() as empty, program.start("apply", stdin=empty) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"No patch came" in err
    assert (program.repository / "calc/money.py").read_text() == MODULE


def test_from_a_sub_folder_the_patch_says_where_it_belongs(start: Start) -> None:
    program, _ = start(FIXED)
    inner = Program(program.repository / "tests", program.home, program.more)
    done = inner.run("fix", "cents() rounds down")
    assert done.returncode == 0
    assert f"The patch is for {program.repository}: apply it there".encode() in done.stderr


def test_a_patch_from_stdin_is_applied_through_the_journal(start: Start) -> None:
    program, _ = start(FIXED)
    patch = program.run("fix", "cents() rounds down").stdout
    assert program.run("apply", input=patch).returncode == 0
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()
    assert program.run("undo").returncode == 0
    assert (program.repository / "calc/money.py").read_text() == MODULE


def test_json_is_one_event_a_line_and_nothing_else(start: Start) -> None:
    program, _ = start(FIXED)
    done = program.run("fix", "cents() rounds down", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["thread.started", "turn.started"]
    assert kinds[-1] == "run.completed"
    assert {
        "item.started",
        "item.completed",
        "step.completed",
        "tests.finished",
        "turn.completed",
        "hunk.proposed",
    } <= set(kinds)
    assert events[-1] | {"tests": None} == {"type": "run.completed", "exit_code": 0, "applied": False, "tests": None}
    hunk = next(event for event in events if event["type"] == "hunk.proposed")
    assert (hunk["path"], hunk["new_lines"]) == ("calc/money.py", ["    return round(amount, 2)\n"])
    assert (hunk["within"], hunk["decision"], hunk["tests"]["ok"]) == (["def cents"], "pending", True)
    assert [cause["by"] for cause in hunk["causes"]] == ["edit_file"]


def test_the_issue_can_come_through_the_pipe(start: Start) -> None:
    program, server = start([*FIXED, reply("Nothing to do.")])
    assert program.run("fix", input=b"cents() rounds down\n").returncode == 0
    assert "cents() rounds down" in server.requests[0].json["messages"][-1]["content"]
    program.run("fix", "look at this", input=b"a log line\n")
    assert mark_piped("a log line") in server.requests[4].json["messages"][-1]["content"]


def test_an_empty_issue_is_a_usage_error(start: Start) -> None:
    program, server = start([])
    for done in (program.run("fix"), program.run("fix", "  "), program.run("fix", input=b" \n")):
        assert done.returncode == 2
        assert b"No issue was given" in done.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            fault(401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}}),
            2,
            b"KCODE_API_KEY",
        ),
        (fault(404, {"error": {"message": "Not found the model kimi-k9"}}), 2, b"kimi-k2-thinking"),
        (fault(429, {"error": {"message": "busy"}}, {"retry-after": "3600"}), 75, b"busy"),
        (fault(429, {"error": {"type": "exceeded_current_quota_error", "message": "recharge"}}), 1, b"recharge"),
    ],
)
def test_a_failing_endpoint_gives_the_right_code_and_words(start: Start, answer: Any, code: int, words: bytes) -> None:
    program, _ = start([answer] * 10)
    before = program.snapshot()
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert b"Traceback" not in done.stderr
    assert KEY.encode() not in done.stderr
    assert program.snapshot() == before


def test_no_key_says_which_key_and_where_to_put_it(tmp_path: Path) -> None:
    program = make_program(tmp_path, more={"KCODE_API_KEY": ""})
    done = program.run("fix", "x y")
    assert done.returncode == 2
    assert b"MOONSHOT_API_KEY" in done.stderr
    assert b"platform.moonshot.ai" in done.stderr


def test_the_home_folder_is_refused_unless_asked_for(start: Start) -> None:
    program, _ = start([reply("Nothing.")])
    done = Program(program.home, program.home, program.more).run("fix", "tidy up")
    assert done.returncode == 2
    assert b"home" in done.stderr


def test_a_path_outside_the_workspace_is_refused_and_the_model_told(start: Start) -> None:
    program, server = start(
        [
            reply(calls=[("read_file", {"path": "/etc/passwd"}), ("write_file", {"path": "../x", "content": "y"})]),
            reply("No."),
        ]
    )
    program.run("fix", "read the password file")
    results = [m["content"] for m in server.requests[1].json["messages"] if m["role"] == "tool"]
    assert all("outside the workspace" in text for text in results)
    assert not (program.repository.parent / "x").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_while_the_model_thinks_leaves_the_tree_and_the_right_code(
    start: Start, number: int, code: int
) -> None:
    program, server = start([reply("long", stall=60)])
    before = program.snapshot()
    with program.start("fix", "cents() rounds down") as process:
        server.wait_for_requests(1)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert b"Traceback" not in err
    server.wait_for_close()
    assert program.snapshot() == before


def test_ctrl_c_while_a_command_runs_ends_the_command(start: Start) -> None:
    program, _ = start([reply(calls=[RIGHT, ("run_command", {"command": "echo started > started; sleep 987"})])])
    before = program.snapshot()
    with program.start("fix", "cents() rounds down", "--json") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b'"item.started"' in line and b"sleep 987" in line:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130
    assert subprocess.run(["pgrep", "-f", "sleep 987"], capture_output=True, check=False).stdout == b""
    assert program.snapshot() == before
    assert b"round(amount, 2)" in program.run("diff").stdout


def test_a_closed_pipe_ends_quietly(start: Start) -> None:
    program, _ = start(FIXED)
    command = f"{program_line(program)} fix 'cents() rounds down' | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=program.repository, env=program.environment, capture_output=True, check=False
    )
    assert done.stdout.startswith(b"diff --git")
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def program_line(program: Program) -> str:
    with program.start("--version") as process:
        return " ".join(str(word) for word in process.args[:3])  # type: ignore[index]


def test_a_recorded_run_can_be_replayed_without_key_or_network(start: Start, tmp_path: Path) -> None:
    program, _ = start(FIXED)
    tape = tmp_path / "tape.jsonl"
    first = program.run("fix", "cents() rounds down", "--record", str(tape))
    assert KEY not in tape.read_text()
    offline = Program(program.repository, tmp_path / "home2", {"KCODE_API_KEY": ""})
    offline.home.mkdir()
    again = offline.run("fix", "cents() rounds down", "--replay", str(tape))
    assert (again.returncode, again.stdout) == (0, first.stdout)


def test_json_says_which_hunks_were_applied(start: Start) -> None:
    program, _ = start(FIXED)
    done = program.run("fix", "cents() rounds down", "--json", "--apply")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    proposed = [event for event in events if event["type"] == "hunk.proposed"]
    decided = [event for event in events if event["type"] == "hunk.decided"]
    assert [(event["path"], event["id"]) for event in decided] == [(event["path"], event["id"]) for event in proposed]
    assert [event["decision"] for event in decided] == ["applied"]
    assert "round(amount, 2)" in (program.repository / "calc/money.py").read_text()


def test_json_does_not_say_of_a_conflict_that_it_was_applied(start: Start) -> None:
    new = ("write_file", {"path": "new.py", "content": "new = 1\n"})
    program, server = start([reply(calls=[RIGHT, new])])
    with program.start("fix", "cents() rounds down", "--json", "--apply") as process:
        server.wait_for_requests(2)
        (program.repository / "calc/money.py").write_text(MODULE.replace("int(amount * 100) / 100", "floor(amount)"))
        server.add(*[reply("Done.")] * 9)
        out, _ = process.communicate(timeout=60)
    events = [json.loads(line) for line in out.splitlines()]
    assert {event["path"] for event in events if event["type"] == "hunk.proposed"} == {"calc/money.py", "new.py"}
    assert [event["path"] for event in events if event["type"] == "hunk.decided"] == ["new.py"]
    assert "floor(amount)" in (program.repository / "calc/money.py").read_text()
