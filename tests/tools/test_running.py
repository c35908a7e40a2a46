"""The tools that run something: run_tests and run_command; and what all ten cost the model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from kcode.errors import ToolError
from kcode.tooling import CommandEnd, CommandResult, TestFailure, TestReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.tooling import Tool, ToolResult
    from tests.tools.conftest import FolderView

    Use = Callable[..., ToolResult]


def test_a_command_gives_its_exit_code_and_output(use: Use) -> None:
    assert use("run_command", command="echo hello; exit 3").text.split(" after")[0] == "Exit code 3"
    assert use("run_command", command="echo hello").text.endswith("\nhello")
    assert use("run_command", command="true").text.endswith("(no output)")
    with pytest.raises(ToolError, match="empty"):
        use("run_command", command=" ")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (CommandResult(-9, "x"), "SIGKILL"),
        (CommandResult(-15, "x", CommandEnd.TIMEOUT, 120.0), "Stopped after 120.0 s"),
        (CommandResult(-15, "x", CommandEnd.FLOOD, 2.0), "wrote too much"),
        (CommandResult(-15, "x", CommandEnd.CANCELLED, 2.0), "Cancelled"),
        (CommandResult(0, "x", output_name="/tmp/kcode-output/3.txt"), "read_file /tmp/kcode-output/3.txt"),
        (CommandResult(0, "x", changed=("a.py", "b.py")), "Changed files: a.py, b.py"),
        (CommandResult(0, "x", changed=tuple(f"f{i}" for i in range(50))), "and 20 more"),
    ],
)
def test_how_a_command_ended_is_said(use: Use, view: FolderView, result: CommandResult, words: str) -> None:
    view.command_results.append(result)
    assert words in use("run_command", command="anything").text


def test_passing_tests_are_counted(use: Use, folder: Path) -> None:
    (folder / "test_a.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertTrue(1)\n"
    )
    result = use("run_tests")
    assert result.text.startswith("All tests pass in ")
    assert ": 1 passed." in result.text
    assert result.tests is not None
    assert result.tests.ok


def test_failing_tests_are_named_with_the_end_of_what_they_said(use: Use, view: FolderView) -> None:
    failures = tuple(TestFailure(f"t.py::test_{i}", f"E   assert {i}") for i in range(40))
    view.test_reports.append(TestReport("python -m pytest", CommandResult(1, "noise"), 3, 40, 1, failures))
    result = use("run_tests")
    assert result.summary == "40 failed, 3 passed, 1 skipped"
    assert "Tests fail in 0.0 s: 40 failed, 3 passed, 1 skipped." in result.text
    assert "  t.py::test_0\n" in result.text
    assert "and 10 more" in result.text
    assert "--- t.py::test_0\nE   assert 0" in result.text
    assert "noise" not in result.text
    assert len(result.text) < 15_000


def test_without_details_the_end_of_the_output_is_shown(use: Use, view: FolderView) -> None:
    output = "\n".join(f"line {i}" for i in range(500))
    for end, words in (
        (CommandEnd.EXITED, "The test run failed"),
        (CommandEnd.TIMEOUT, "did not end"),
        (CommandEnd.FLOOD, "wrote too much"),
    ):
        view.test_reports.append(TestReport("make test", CommandResult(2, output, end, 600.0)))
        text = use("run_tests").text
        assert words in text
        assert "line 499" in text
        assert "line 400" not in text


def test_no_way_to_test_is_an_error_that_says_what_to_do(use: Use, folder: Path) -> None:
    (folder / "a.txt").write_text("")
    with pytest.raises(ToolError, match="run_command"):
        use("run_tests")


def test_all_tools_together_cost_the_model_less_than_seven_kilobytes(tools: dict[str, Tool]) -> None:
    told = [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        for t in tools.values()
    ]
    assert len(told) == 10
    assert len(json.dumps(told, ensure_ascii=False).encode()) < 7_000


def test_only_what_must_be_given_is_required(tools: dict[str, Tool]) -> None:
    edits = tools["edit_file"].parameters["properties"]["edits"]
    assert edits["items"]["required"] == ["old", "new"]
    assert tools["search"].parameters["required"] == ["pattern"]
    assert tools["run_tests"].parameters["required"] == []
