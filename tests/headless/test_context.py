"""`kcode context`, as its user sees it. Nothing is ever sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.program import make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

USAGE = {"prompt_tokens": 4000, "completion_tokens": 100, "cached_tokens": 3072}
MOONSHOT = {"KCODE_ENDPOINT": "moonshot", "MOONSHOT_API_KEY": ""}


def test_without_a_session_it_tells_of_a_first_request(tmp_path: Path) -> None:
    program = make_program(tmp_path, more=MOONSHOT)
    (program.repository / "AGENTS.md").write_text("Be good. " * 50)
    done = program.run("context")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert shown.startswith("The first request of a new session, in tokens (~ estimated)\n\n  system prompt ")
    rows = [line.split("  ")[1] for line in shown.splitlines() if line.startswith("  ")]
    assert rows[:4] == ["system prompt", "tools", "instructions", "environment"]
    assert " of 262,144\n" in shown
    assert "new: about $0.00" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert not (program.home / ".local/state/kcode/sessions").exists()


def test_after_a_run_it_tells_of_its_next_request(tmp_path: Path, model_server: ModelServerFactory) -> None:
    read = reply(reasoning="I look.", calls=[("read_file", {"path": "calc/money.py"})], usage=USAGE)
    server = model_server([read, reply("It truncates.", reasoning="Hm.", usage=USAGE | {"prompt_tokens": 4500})])
    program = make_program(tmp_path, more=MOONSHOT | {"KCODE_BASE_URL": server.url})
    assert program.run("ask", "does it round?").returncode == 0
    shown, told = program.run("context"), program.run("context", "--json")
    (account,) = map(json.loads, told.stdout.splitlines())
    assert account["type"] == "context"
    assert (account["tokens"], account["is_exact"], account["replies"]) == (4600, True, 2)
    assert account["last_call"]["cached_input_tokens"] == 3072
    assert account["spent"]["input_tokens"] == 8500
    assert account["next_call"]["cached_input_tokens"] == 4352
    assert account["triggers"] == {"turn": 131_072, "any": 183_500}
    filled = {layer["name"] for layer in account["layers"] if layer["tokens"]}
    assert filled == {
        *("system prompt", "tools", "environment", "your messages"),
        *("reasoning", "text", "tool calls", "tool results"),
    }
    text = shown.stdout.decode()
    assert text.startswith(f"Session {account['session']}: its next request")
    for words in ("in all", "4,600", "last call   4,500 in (68% cached), 100 out", "so far      2 replies, ≈ $0.00"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80
    assert len(server.requests) == 2


def test_a_session_at_an_endpoint_that_only_a_flag_named_is_told_of_too(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    server = model_server([reply("It is a calculator.", usage=USAGE)], models=["qwen3-coder"])
    program = make_program(tmp_path, more={"KCODE_MODEL": ""})
    assert program.run("ask", "what is it?", "--base-url", server.url, "--model", "qwen3-coder").returncode == 0
    done = program.run("context")
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "model       qwen3-coder at " in shown
    assert "4,100    3% of 131,072" in shown
    assert "price unknown" in shown
    assert program.run("context", "--endpoint", "nowhere").returncode == 2
