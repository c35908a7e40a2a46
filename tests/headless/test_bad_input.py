from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.model_server import reply
from tests.program import KEY, RIGHT, RUN_TESTS, Program, key_leaks, make_program
from tests.repositories import picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory

    Start = Callable[..., tuple[Program, ModelServer]]

FIXED = [reply(calls=[RIGHT, RUN_TESTS]), reply("Done.")]
FIX = "fix 'cents() rounds down'"
KCODE = '"$0" -m kcode'


@pytest.fixture
def start(tmp_path: Path, model_server: ModelServerFactory) -> Start:
    def make(script: list[Any], **more: str) -> tuple[Program, ModelServer]:
        server = model_server(script)
        return make_program(tmp_path, more={"KCODE_BASE_URL": server.url} | more), server

    return make


def run_shell(program: Program, script: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script of the shell's in the repository; `KCODE` in it is kcode's command line."""
    return subprocess.run(
        ["/bin/sh", "-c", script.replace("KCODE", KCODE), sys.executable],
        cwd=program.repository,
        env=program.environment | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def refuses(program: Program, done: subprocess.CompletedProcess[bytes], code: int, words: str) -> None:
    """Assert that kcode said what is wrong, without a traceback and without the key."""
    said = done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b""), said
    assert words in said
    assert "Traceback" not in said
    assert key_leaks(program, done.stderr) == []


@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
@pytest.mark.parametrize("command", ["--version", "doctor"])
def test_an_stdout_that_takes_nothing_is_an_error_in_words(tmp_path: Path, command: str, where: str) -> None:
    program = make_program(tmp_path)
    refuses(program, run_shell(program, f"KCODE {command} {where}"), 1, "stdout cannot be written")


@pytest.mark.parametrize("where", ["> /dev/full", ">&-", "--json > /dev/full", "<&- >&- 2>&-"])
def test_a_product_that_cannot_be_written_is_still_pending(start: Start, where: str) -> None:
    program, _ = start(FIXED)
    before = picture(program.repository)
    done = run_shell(program, f"KCODE {FIX} {where}")
    assert done.returncode == 1
    assert picture(program.repository) == before
    if "2>&-" not in where:
        refuses(program, done, 1, "stdout cannot be written")
    if "--json" not in where:
        assert program.run("diff").stdout.startswith(b"diff --git")


@pytest.mark.parametrize("where", ["2>&-", "2> /dev/full", "<&-"])
def test_progress_that_cannot_be_written_does_not_harm_the_product(start: Start, where: str) -> None:
    program, _ = start(FIXED)
    done = run_shell(program, f"KCODE {FIX} {where}")
    assert (done.returncode, done.stdout[:10]) == (0, b"diff --git")


def test_an_answer_that_stdout_does_not_take_is_on_stderr(start: Start) -> None:
    program, _ = start([reply("It truncates.")])
    refuses(program, run_shell(program, "KCODE ask 'what does cents() do?' > /dev/full"), 1, "It truncates.")


def test_json_is_utf_8_in_a_locale_that_is_not(start: Start) -> None:
    program, _ = start([reply("Zürich → 東京")])
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_shell(program, "KCODE ask --json 'where to?'", **plain)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["text"] == "Zürich → 東京"


def test_a_pipe_that_somebody_made_non_blocking_is_waited_for(start: Start) -> None:
    program, server = start([reply(calls=[("write_file", {"path": "big.txt", "content": "line\n" * 60_000})])])
    server.add(reply("Done."))
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with program.start("fix", "make it big", "--test", "true", stdout=writer) as process:
        os.close(writer)
        # The pipe is full long before kcode has written all of it.
        server.wait_for_requests(2)
        time.sleep(0.3)
        with os.fdopen(reader, "rb") as file:
            patch = file.read()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert patch.count(b"\n+line") == 60_000


def test_stdin_without_an_end_is_refused(start: Start) -> None:
    program, server = start([])
    refuses(program, run_shell(program, f"yes | KCODE {FIX}"), 2, "More than 8 MiB")
    assert server.requests == []


def test_a_pipe_that_stays_silent_is_waited_for_for_three_seconds(start: Start) -> None:
    program, server = start([reply("Nothing.")])
    reader, writer = os.pipe()
    started = time.monotonic()
    with program.start("ask", "what is this?", stdin=reader) as process:
        server.wait_for_requests(1)
        waited = time.monotonic() - started
        process.communicate(timeout=20)
    os.close(reader)
    os.close(writer)
    assert process.returncode == 0
    assert 3 <= waited < 12


def test_bytes_that_are_no_text_reach_the_model_as_text(start: Start) -> None:
    program, server = start([reply("Nothing.")] * 2)
    assert program.run("ask", input=b"what is \xff\xfe\0 this?\xed\xa0\x80").returncode == 0
    assert "what is \ufffd\ufffd\0 this?" in server.requests[0].json["messages"][-1]["content"]
    done = run_shell(program, "KCODE ask \"$(printf 'what is \\377 this?')\"")
    assert done.returncode == 0, done.stderr
    assert server.requests[1].json["messages"][-1]["content"].startswith("what is ")


def test_an_issue_that_no_window_holds_is_not_sent(start: Start) -> None:
    program, server = start([])
    done = program.run("fix", input=os.urandom(500_000).hex().encode())
    refuses(program, done, 6, "the window of 262,144")
    assert server.requests == []


@pytest.mark.parametrize(("patch", "code"), [(b"", 5), (b"diff --git a/x b/x\n", 1)])
def test_apply_takes_nothing_but_the_patch_of_its_pipe(start: Start, patch: bytes, code: int) -> None:
    # Of `kcode fix … | kcode apply` nothing comes while fix works, and nothing at all when it fails.
    program, _ = start(FIXED)
    program.run("fix", "cents() rounds down")
    before = picture(program.repository)
    done = program.run("apply", input=patch)
    assert done.returncode == code, done.stderr
    assert picture(program.repository) == before
    assert program.run("apply").returncode == 0


@pytest.mark.parametrize("key", ["sk-first\nsecond-0123456789", "sk-ключ-0123456789"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(start: Start, key: str) -> None:
    program, server = start([], KCODE_API_KEY=key)
    done = program.run("ask", "is this a key?")
    refuses(program, done, 2, "Copy it again")
    assert b"0123456789" not in done.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "text", "mode", "words"),
    [
        ("config.toml", "[[[", 0o600, "not valid TOML"),
        ("config.toml", "modell = 3", 0o600, "there is no setting modell"),
        ("config.toml", "max_steps = 0", 0o600, "above 0"),
        ("config.toml", "api_key = 'x'", 0o600, "credentials"),
        ("credentials", f"moonshot = '{KEY}'", 0o644, "chmod 600"),
        ("credentials", f"moonshot = {KEY}", 0o600, "not valid TOML"),
    ],
)
def test_broken_settings_name_the_file(tmp_path: Path, name: str, text: str, mode: int, words: str) -> None:
    program = make_program(tmp_path, more={"KCODE_API_KEY": ""})
    file = program.home / ".config/kcode" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    file.chmod(mode)
    done = program.run("fix", "x y")
    file.unlink()
    refuses(program, done, 2, str(file))
    assert words in done.stderr.decode()


def test_a_tool_of_the_users_own_that_fails_is_named(start: Start) -> None:
    program, _ = start([])
    tool = program.home / ".config/kcode/tools/mine.py"
    tool.parent.mkdir(parents=True)
    tool.write_text("1 / 0\n")
    refuses(program, program.run("ask", "x y"), 1, str(tool))


def make_file(folder: Path) -> None:
    folder.write_text("")


def make_loop(folder: Path) -> None:
    folder.symlink_to(folder.name)


@pytest.mark.parametrize("spoil", [make_file, make_loop])
@pytest.mark.parametrize("command", [("ask", "x y"), ("undo",)])
def test_a_state_folder_that_is_none_is_named(
    start: Start, spoil: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    state = "state"
    program, server = start([])
    spoil(program.home / state)
    program.more["XDG_STATE_HOME"] = str(program.home / state)
    refuses(program, program.run(*command), 1, str(program.home / state))
    assert server.requests == []


@pytest.mark.parametrize("home", ["", None, "/nonexistent"])
def test_a_home_that_is_not_there_does_no_harm(start: Start, tmp_path: Path, home: str | None) -> None:
    program, _ = start([reply("Nothing.")], XDG_STATE_HOME=str(tmp_path / "state"))
    unset = "unset HOME; " if home is None else ""
    done = run_shell(program, f"{unset}KCODE ask 'anything?'", HOME=home or "")
    assert done.returncode == 0, done.stderr


def test_the_root_is_refused_and_the_home_folder_is_taken_when_asked_for(start: Start) -> None:
    program, server = start(FIXED)
    shutil.copytree(program.repository, program.home, dirs_exist_ok=True)
    before = picture(program.home)
    refuses(program, program.run("ask", "what is here?", "-C", "/"), 2, "--anywhere")
    refuses(program, program.run("diff", "-C", str(program.home)), 2, "--anywhere")
    assert server.requests == []
    done = program.run("fix", "cents() rounds down", "-C", str(program.home), "--anywhere")
    assert (done.returncode, done.stdout[:10]) == (0, b"diff --git"), done.stderr
    assert {name: found for name, found in picture(program.home).items() if name in before} == before


def test_tests_that_hang_end_with_the_time_limit(start: Start) -> None:
    program, _ = start([reply(calls=[RIGHT]), reply("Done.")])
    done = program.run("fix", "cents() rounds down", "--test", "sleep 1000", "--timeout", "2")
    assert done.returncode == 4
    assert "tests fail: stopped after" in done.stderr.decode()
    assert "round(amount, 2)" in done.stdout.decode()


ATTACKS = (
    "trap '' TERM INT HUP; while :; do sleep 1; done",
    "yes",
    "setsid sh -c 'trap \"\" TERM; exec sleep 7654' > /dev/null 2>&1 < /dev/null &",
)


def test_commands_that_will_not_end_are_ended_and_the_model_is_told(start: Start) -> None:
    calls = [("run_command", {"command": command, "seconds": 2}) for command in ATTACKS]
    program, server = start([reply(calls=[RIGHT, *calls]), reply("Done.")])
    before = picture(program.repository)
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 0, done.stderr
    told = [m["content"] for m in server.requests[1].json["messages"] if m["role"] == "tool"]
    assert ["Stopped after" in text for text in told] == [False, True, True, False]
    assert subprocess.run(["pgrep", "-f", "sleep 7654"], capture_output=True, check=False).stdout == b""
    assert picture(program.repository) == before


def test_changes_that_no_proposal_can_hold_are_named(start: Start) -> None:
    big = ("run_command", {"command": "head -c 70000000 /dev/zero > 'big one.bin'"})
    program, _ = start([reply(calls=[RIGHT, big]), reply("Done.")])
    program.git("rm", "-q", "--cached", "calc/money.py")
    (program.repository / ".gitignore").write_text("calc/\n")
    done = program.run("fix", "cents() rounds down")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"! Not proposed, since git ignores it: calc/money.py." in done.stderr
    assert b"! Not proposed, since it is too large or cannot be read: big one.bin." in done.stderr


def test_a_full_disk_under_the_draft_costs_nothing_that_was_there(start: Start) -> None:
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    flood = ("run_command", {"command": "head -c 9000000 /dev/urandom > big.bin"})
    program, server = start([reply(calls=[RIGHT, flood]), reply("Done.")])
    before = picture(program.repository)
    script = """
        mkdir ~/state; mount -t tmpfs -o size=256k none ~/state || exit 99
        KCODE fix 'cents() rounds down' --test true > ~/patch; echo $?
        rm -rf ~/state/kcode/sessions/*/outputs ~/state/kcode/sessions/*/draft/upper/big.bin
        KCODE diff; echo $?
    """
    inner = script.replace("KCODE", KCODE)
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", inner, sys.executable],
        cwd=program.repository,
        env=program.environment | {"XDG_STATE_HOME": str(program.home / "state")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    first, *patch, last = done.stdout.decode().splitlines()
    said = done.stderr.decode()
    assert (first, last) == ("1", "0"), said
    assert "+    return round(amount, 2)" in patch
    assert "is full" in said
    assert "Traceback" not in said
    assert "is full" in server.requests[1].json["messages"][-1]["content"]
    assert picture(program.repository) == before
