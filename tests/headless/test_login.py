from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from kcode.settingsfiles import read_credentials
from tests.model_server import fault, reply
from tests.program import KEY, Program, make_program
from tests.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory

NO_KEYRING = {"KCODE_API_KEY": "", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
BACKEND = """\
import json, os, pathlib
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

class Keyring(KeyringBackend):
    name = "the test's keyring"
    priority = 9
    path = pathlib.Path(os.environ["HOME"], "keyring.json")

    def _read(self):
        if os.environ.get("LOCKED"):
            raise KeyringLocked("it is locked")
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, username):
        return self._read().get(f"{service} {username}")

    def set_password(self, service, username, password):
        self.path.write_text(json.dumps(self._read() | {f"{service} {username}": password}))

    def delete_password(self, service, username):
        self.path.write_text(json.dumps({k: v for k, v in self._read().items() if k != f"{service} {username}"}))
"""


def program_in(folder: Path, **more: str) -> Program:
    return make_program(folder, more=NO_KEYRING | {"TERM": "xterm-256color"} | more)


def credentials(program: Program) -> Path:
    return program.home / ".config/kcode/credentials"


def host(server: ModelServer) -> str:
    return server.url.removeprefix("http://").removesuffix("/v1")


def at(server: ModelServer) -> tuple[str, ...]:
    return ("--base-url", server.url, "--model", "kimi-k2-thinking")


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def test_a_piped_key_is_tried_and_stored_for_its_owner_alone(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program, server = program_in(tmp_path), model_server([reply("Hi")], key=KEY)
    done = program.run("login", "--base-url", server.url, input=f"{KEY}\n".encode())
    assert done.returncode == 0, done.stderr
    path = credentials(program)
    assert read_credentials(path) == {host(server): KEY}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KEY.encode() not in done.stdout + done.stderr
    # What was stored is used, for that host.
    assert program.run("ask", "x y", *at(server)).stdout == b"Hi\n"
    assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


def test_a_refused_key_is_not_stored_and_not_repeated(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program, server = program_in(tmp_path), model_server(key="sk-another")
    done = program.run("login", "--base-url", server.url, input=KEY.encode())
    assert done.returncode == 2
    assert b"401" in done.stderr
    assert b"not stored" in done.stderr
    assert KEY.encode() not in done.stderr
    assert not credentials(program).exists()
    done = program.run("login", "--base-url", server.url, "--no-check", input=KEY.encode())
    assert done.returncode == 0
    assert read_credentials(credentials(program)) == {host(server): KEY}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply("Hi"), 0),
        (fault(401, {"error": {"message": "Incorrect API key provided"}}), 2),
        (fault(403, {"error": {"message": "no"}}), 2),
        (fault(402, {"error": {"message": "Insufficient credits"}}), 0),
        (fault(503, "down"), 5),
        (fault(200, {"error": {"code": 401, "message": "Invalid API key"}}), 2),
    ],
)
def test_where_the_list_is_for_anybody_the_smallest_reply_is_asked_for(
    tmp_path: Path, model_server: ModelServerFactory, answer: dict[str, Any], code: int
) -> None:
    program, server = program_in(tmp_path), model_server([answer], models=["qwen", "kimi-k2-thinking"])
    done = program.run("login", "--base-url", server.url, input=KEY.encode())
    assert done.returncode == code, done.stderr
    assert credentials(program).exists() == (code == 0)
    (request,) = server.requests
    assert (request.json["model"], request.json["max_tokens"]) == ("kimi-k2-thinking", 1)


def test_an_endpoint_that_cannot_be_reached_leaves_it_to_the_user(tmp_path: Path) -> None:
    program, url = program_in(tmp_path), closed_port()
    done = program.run("login", "--base-url", url, input=KEY.encode())
    assert done.returncode == 5
    assert b"Could not reach" in done.stderr
    assert b"--no-check" in done.stderr
    assert not credentials(program).exists()
    screen = Screen(program, "login", "--base-url", url)
    screen.wait_for("not shown: ")
    screen.type(f"{KEY}\n")
    screen.wait_for("Store it all the same? [y/n]")
    screen.type("y\n")
    assert screen.end() == 0
    assert list(read_credentials(credentials(program)).values()) == [KEY]


def test_at_a_terminal_the_key_is_not_shown(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program, server = program_in(tmp_path), model_server(key=KEY)
    screen = Screen(program, "login", "--base-url", server.url)
    screen.wait_for("not shown: ")
    screen.type(f"{KEY}\n")
    assert screen.end() == 0
    assert KEY not in screen.text
    assert read_credentials(credentials(program)) == {host(server): KEY}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_question_leaves_the_terminal_as_it_was(tmp_path: Path, number: int, code: int) -> None:
    screen = Screen(program_in(tmp_path), "login", "moonshot")
    screen.wait_for("not shown: ")
    assert not termios.tcgetattr(screen.master)[3] & termios.ECHO
    screen.process.send_signal(number)
    assert screen.process.wait(60) == code
    assert termios.tcgetattr(screen.master)[3] & termios.ECHO
    os.close(screen.master)


def test_without_a_name_the_endpoints_are_listed_and_one_is_asked_for(tmp_path: Path) -> None:
    program = program_in(tmp_path, MOONSHOT_API_KEY="sk-from-the-environment-7890")
    screen = Screen(program, "login", "--no-check")
    screen.wait_for("Which one?")
    assert "MOONSHOT_API_KEY …7890" in screen.text
    assert "from-the-environment" not in screen.text
    screen.type("nonsense\n")
    screen.wait_for("a number from 1 to")
    screen.wait_for("Which one?")
    screen.type("openrouter\n")
    screen.wait_for("openrouter.ai/keys")
    screen.wait_for("not shown: ")
    screen.type(f"{KEY}\n")
    screen.wait_for("To use it: --endpoint openrouter")
    assert screen.end() == 0
    assert read_credentials(credentials(program)) == {"openrouter": KEY}


@dataclass(frozen=True)
class AfterPipe(Program):
    """The program with an empty pipe as its stdin, at a terminal that it can open by name."""

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        command = ["setsid", "--ctty", "--wait", "sh", "-c", 'true | "$@"', "sh", sys.executable, "-m", "kcode"]
        return subprocess.Popen([*command, *arguments], cwd=self.repository, env=self.environment, **options)


@pytest.mark.skipif(not shutil.which("setsid"), reason="there is no setsid here to give the program a terminal")
def test_the_terminal_is_asked_also_where_stdin_is_an_empty_pipe(tmp_path: Path) -> None:
    plain = program_in(tmp_path)
    screen = Screen(AfterPipe(plain.repository, plain.home, plain.more), "login", "moonshot", "--no-check")
    screen.wait_for("not shown: ")
    screen.type(f"{KEY}\n")
    assert screen.end() == 0
    assert KEY not in screen.text
    assert read_credentials(credentials(plain)) == {"moonshot": KEY}


@pytest.mark.parametrize(
    ("arguments", "piped", "code", "words"),
    [
        (["login", "moonshot"], b"", 5, "No key was given"),
        (["login", "moonshot"], b"two words", 2, "blank"),
        (["login", "moonshot"], b"two\nlines", 2, "line break"),
        (["login"], KEY.encode(), 2, "kcode login NAME"),
        (["login", "moonshine"], KEY.encode(), 2, "no endpoint 'moonshine'"),
        (["login", "custom"], KEY.encode(), 2, "--base-url"),
        (["login", "--base-url", "http://example.org/v1"], KEY.encode(), 2, "not encrypted"),
        (["login", KEY], b"", 2, "looks like a key"),
        (["logout"], b"", 2, "kcode logout NAME"),
        (["logout", "moonshot"], b"", 2, "No key is stored"),
    ],
)
def test_what_cannot_be_done_is_said_and_stores_nothing(
    tmp_path: Path, arguments: list[str], piped: bytes, code: int, words: str
) -> None:
    program = program_in(tmp_path)
    done = program.run(*arguments, input=piped)
    assert (done.returncode, done.stdout) == (code, b""), done.stderr
    assert words in done.stderr.decode()
    assert KEY.encode() not in done.stderr
    assert not credentials(program).exists()


def test_a_file_that_others_can_read_is_told_before_the_key_is_asked_for(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    credentials(program).parent.mkdir(parents=True)
    credentials(program).write_text("")
    credentials(program).chmod(0o644)
    screen = Screen(program, "login", "moonshot")
    assert screen.end() == 2
    assert "chmod 600" in screen.text
    assert "not shown" not in screen.text


def test_the_list_shows_where_keys_come_from_and_logout_takes_one_away(tmp_path: Path) -> None:
    program = program_in(tmp_path, OPENROUTER_API_KEY="sk-environment-4321")
    program.run("login", "moonshot", "--no-check", input=KEY.encode())
    program.run("login", "--base-url", "https://llm.example/v1", "--no-check", input=KEY.encode())
    listed = program.run("login", "--list").stdout.decode()
    lines = [" ".join(line.split()) for line in listed.splitlines()]
    assert {"moonshot stored …cdef", "openrouter OPENROUTER_API_KEY …4321", "llm.example stored …cdef"} <= set(lines)
    assert KEY not in listed
    assert program.run("logout", "moonshot").returncode == 0
    assert read_credentials(credentials(program)) == {"llm.example": KEY}
    assert program.run("logout", "--base-url", "https://llm.example/v1").returncode == 0
    assert read_credentials(credentials(program)) == {}


def test_with_a_keyring_the_file_holds_a_mark_alone(tmp_path: Path, model_server: ModelServerFactory) -> None:
    pytest.importorskip("keyring")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "fakering.py").write_text(BACKEND)
    keyring = {"PYTHON_KEYRING_BACKEND": "fakering.Keyring", "PYTHONPATH": str(tmp_path / "modules")}
    program, server = program_in(tmp_path, **keyring), model_server([reply("Hi")] * 2, key=KEY)
    place = at(server)
    done = program.run("login", *place, input=KEY.encode())
    assert b"in the keyring (the test's keyring)" in done.stderr, done.stderr
    assert KEY not in credentials(program).read_text()
    assert program.run("ask", "x y", *place).stdout == b"Hi\n"
    assert "keyring" in program.run("login", "--list").stdout.decode()
    locked = Program(program.repository, program.home, program.more | {"LOCKED": "1"})
    done = locked.run("ask", "x y", *place)
    assert (done.returncode, b"it is locked" in done.stderr) == (2, True)
    assert program.run("logout", *place[:2]).returncode == 0
    assert KEY not in (program.home / "keyring.json").read_text()
    # A keyring that takes nothing is no reason to lose the key.
    done = locked.run("login", *place, input=KEY.encode())
    assert b"it is locked" in done.stderr
    assert read_credentials(credentials(program)) == {host(server): KEY}


def test_a_run_without_a_key_in_the_keyring_does_not_load_it(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program, server = program_in(tmp_path), model_server([reply("Hi")], key=KEY)
    program.run("login", "--base-url", server.url, input=KEY.encode())
    timed = Program(program.repository, program.home, program.more | {"PYTHONPROFILEIMPORTTIME": "1"})
    done = timed.run("ask", "x y", *at(server))
    assert done.stdout == b"Hi\n"
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.decode().splitlines()}
    assert "kcode" in loaded
    assert "keyring" not in loaded
