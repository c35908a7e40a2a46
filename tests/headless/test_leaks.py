"""A server that lets everything through as content: the thought in its tags, the call in its tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.model_server import raw
from tests.program import make_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

LEAKED = (
    " <think>I look.</think>Let me see.<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0"
    '<|tool_call_argument_begin|>{"path": "calc/money.py"}<|tool_call_end|><|tool_calls_section_end|>'
)


def content(text: str) -> Any:
    """Each character of the text in a chunk of its own."""
    deltas: list[dict[str, Any]] = [{"content": character} for character in text]
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return raw(*(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n")


@pytest.mark.parametrize("thought", ["<think>Clear.</think>", ""])
def test_a_leaked_call_runs_and_goes_back_as_one(
    tmp_path: Path, model_server: ModelServerFactory, thought: str
) -> None:
    server = model_server([content(LEAKED), content(f"{thought}It truncates.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    done = program.run("ask", "does it round?")
    assert (done.returncode, done.stdout.decode()) == (0, "It truncates.\n")
    shown = done.stderr.decode()
    assert "I look." in shown
    assert "Let me see." in shown or "calc/money.py" in shown
    assert "<|" not in shown
    assert "think>" not in shown
    assistant, result = server.requests[1].json["messages"][-2:]
    assert assistant["content"] == "<think>I look.</think>Let me see."
    assert [call["function"]["name"] for call in assistant["tool_calls"]] == ["read_file"]
    assert result["tool_call_id"] == assistant["tool_calls"][0]["id"]
    assert "def cents" in result["content"]


def test_a_call_that_the_answer_quotes_does_not_run(tmp_path: Path, model_server: ModelServerFactory) -> None:
    answer = f"K2 writes calls like this:\n\n```\n{LEAKED.partition('see.')[2]}\n```\n"
    server = model_server([content(answer)])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    done = program.run("ask", "how do calls look?")
    assert (done.returncode, done.stdout.decode()) == (0, answer)
    assert len(server.requests) == 1
