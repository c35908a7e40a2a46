from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from tests.program import KEY, Program, make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

ROWS: list[dict[str, Any]] = [
    {"id": "qwen/qwen3-coder", "context_length": 131072, "pricing": {"prompt": "0.0000002", "completion": "0.000001"}},
    {
        "id": "moonshotai/kimi-k2-thinking",
        "context_length": 262144,
        "pricing": {"prompt": "0.0000006", "completion": "0.0000025", "input_cache_read": "0.00000015"},
        "supported_parameters": ["reasoning", "tools"],
    },
    {"id": "evil\x1b[2Jname"},
]


def program_in(folder: Path) -> Program:
    return make_program(folder, more={"KCODE_API_KEY": "", "KCODE_MODEL": ""})


def test_the_table_holds_what_is_known_and_marks_the_one_in_use(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server(models=ROWS)
    done = program_in(tmp_path).run("models", "--base-url", server.url, "--model", "qwen/qwen3-coder")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    assert lines[0] == ["model", "context", "in", "out", "cached", "can"]
    assert lines[1] == ["moonshotai/kimi-k2-thinking", "262,144", "0.60", "2.50", "0.15", "reasoning"]
    assert lines[2] == ["*", "qwen/qwen3-coder", "131,072", "0.20", "1.00", "-"]
    assert lines[3] == ["evil␛[2Jname", "-", "-", "-", "-"]
    assert max(map(len, done.stdout.decode().splitlines())) <= 80


def test_json_gives_one_object_a_model(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server(models=ROWS)
    done = program_in(tmp_path).run("models", "--base-url", server.url, "--json")
    first, *_, last = (json.loads(line) for line in done.stdout.splitlines())
    assert first == {
        "type": "model",
        "id": "moonshotai/kimi-k2-thinking",
        "window": 262144,
        "input_price": 0.6,
        "output_price": 2.5,
        "cached_price": 0.15,
        "price_date": None,
        "reasoning": True,
        "tools": True,
        "images": None,
        "in_use": False,
    }
    assert last == {"type": "models.completed", "endpoint": "custom", "base_url": server.url, "count": 3}


def test_of_hundreds_the_kimi_models_are_shown(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server(models=[*(f"m{n}" for n in range(300)), "kimi-k3"])
    program = program_in(tmp_path)
    done = program.run("models", "--base-url", server.url, "--model", "kimi-k2-thinking")
    assert [line.split()[0] for line in done.stdout.decode().splitlines()] == ["model", "kimi-k3"]
    assert b"300 more models: kcode models --all" in done.stderr
    assert b"kimi-k2-thinking would be used and is not among them" in done.stderr
    assert len(program.run("models", "--base-url", server.url, "--all").stdout.splitlines()) == 302


def test_a_key_that_is_wanted_or_wrong_is_said(tmp_path: Path, model_server: ModelServerFactory) -> None:
    server = model_server(key=KEY)
    program = program_in(tmp_path)
    done = program.run("models", "--base-url", server.url)
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"kcode login --base-url {server.url}" in done.stderr.decode()
    wrong = Program(program.repository, program.home, program.more | {"KCODE_API_KEY": "sk-wrong-0123456789"})
    done = wrong.run("models", "--base-url", server.url)
    assert (done.returncode, b"key was refused" in done.stderr) == (2, True)
    assert b"sk-wrong" not in done.stderr


def test_a_server_without_a_list_and_one_that_is_not_there_are_said(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_in(tmp_path)
    done = program.run("models", "--base-url", model_server(models=[]).url)
    assert (done.returncode, b"has no list of models" in done.stderr) == (1, True)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    done = program.run("models", "--base-url", url)
    assert (done.returncode, b"Could not reach" in done.stderr) == (75, True)
