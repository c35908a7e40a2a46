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
    assert not use("run_command", command="exit 1").went_well
    assert use("run_command", command="true").went_well
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


def test_the_saved_output_is_named_once(use: Use, view: FolderView) -> None:
    name = "/tmp/kcode-output/3.txt"
    view.command_results.append(
        CommandResult(0, f"a\n[... 9 bytes cut; the whole output is in {name} ...]\nb", output_name=name)
    )
    assert use("run_command", command="anything").text.count(name) == 1


def test_passing_tests_are_counted(use: Use, folder: Path) -> None:
    (folder / "test_a.py").write_text(
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertTrue(1)\n"
    )
    result = use("run_tests")
    assert result.text.startswith("All tests pass in ")
    assert ": 1 passed." in result.text
    assert result.tests is not None
    assert result.tests.ok


def test_failing_tests_are_named_with_what_they_said(use: Use, view: FolderView) -> None:
    failures = tuple(TestFailure(f"t.py::test_{i}", f"E   assert {i}", f"cause {i}") for i in range(40))
    view.test_reports.append(TestReport("python -m pytest", CommandResult(1, "noise"), 3, 42, 1, failures))
    result = use("run_tests")
    assert result.summary == "42 failed, 3 passed, 1 skipped"
    assert "Tests fail in 0.0 s: 42 failed, 3 passed, 1 skipped." in result.text
    assert (
        "--- t.py::test_7\nE   assert 7\n34 more failures not shown: run a narrower target\n  t.py::test_8\n"
        in result.text
    )
    assert result.text.endswith("  t.py::test_37\n  … and 2 more")
    assert "noise" not in result.text
    assert len(result.text) < 15_000


def test_failures_with_one_cause_are_shown_by_one_example(use: Use, view: FolderView) -> None:
    failures = [TestFailure(f"t.py::test_{i}", f"E   fixture 'x' not found by {i}", "fixture") for i in range(15)]
    failures.insert(3, TestFailure("t.py::other", "E   assert 0", "other"))
    report = TestReport("pytest", CommandResult(1, "noise"), 0, 16, 0, tuple(failures))
    view.test_reports.append(report)
    text = use("run_tests").text
    assert "--- 15 failures with this cause:\n  t.py::test_0\n  t.py::test_1\n" in text
    assert (
        "  t.py::test_9\n  … and 5 more\nThe first of them said:\nE   fixture 'x' not found by 0\n--- t.py::other\n"
        in text
    )
    assert text.count("not found") == 1
    assert "not shown" not in text


def test_the_saved_output_is_named_where_there_is_one(use: Use, view: FolderView) -> None:
    result = CommandResult(1, "x", output_name="/tmp/kcode-output/3.txt")
    view.test_reports.append(TestReport("pytest", result, 0, 1, 0, (TestFailure("a", "b", "b"),)))
    assert use("run_tests").text.endswith("The full output: read_file /tmp/kcode-output/3.txt")


def test_failures_of_which_nothing_was_said_are_named_before_the_output(use: Use, view: FolderView) -> None:
    view.test_reports.append(TestReport("make", CommandResult(1, "why"), 0, 1, 0, (TestFailure("a"),)))
    assert use("run_tests").text.endswith("Failing:\n  a\nEnd of the output:\nwhy")


def test_why_pytest_did_not_go_on_is_said(use: Use, view: FolderView) -> None:
    output = "!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!\n1 error in 0.1s\n"
    view.test_reports.append(TestReport("pytest", CommandResult(2, output), 0, 1, 0, (TestFailure("a", "b", "b"),)))
    assert "\npytest: Interrupted: 1 error during collection\n" in use("run_tests").text


@pytest.mark.parametrize(
    ("counts", "target", "words"),
    [
        ((3, 0, 1), "", "All tests pass in 0.0 s: 3 passed, 1 skipped."),
        ((3, 0, 0), "tests/a.py", "The tests of tests/a.py pass in 0.0 s: 3 passed."),
        ((0, 0, 2), "", "No test ran in 0.0 s: 0 passed, 2 skipped."),
        ((None, None, None), "", "All tests pass in 0.0 s: passed."),
    ],
)
def test_what_passed_is_said(
    use: Use, view: FolderView, counts: tuple[int | None, int | None, int | None], target: str, words: str
) -> None:
    view.test_reports.append(TestReport("pytest", CommandResult(0, ""), *counts))
    assert use("run_tests", target=target).text == f"{words}\nCommand: pytest"


def test_colours_of_the_output_are_left_out(use: Use, view: FolderView) -> None:
    coloured = "\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1b[2Kend\n"
    view.command_results.append(CommandResult(0, coloured))
    assert use("run_command", command="anything").text.endswith(":\nred link end")
    view.test_reports.append(TestReport("make test", CommandResult(1, coloured)))
    assert use("run_tests").text.endswith(":\nred link end")


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


def test_all_tools_together_cost_the_model_less_than_five_and_a_half_kilobytes(tools: dict[str, Tool]) -> None:
    told = [
        {"type": "function", "function": {"name": t.name, "description": t.description, "parameters": t.parameters}}
        for t in tools.values()
    ]
    assert len(told) == 10
    assert len(json.dumps(told, ensure_ascii=False).encode()) < 5_500


def test_only_what_must_be_given_is_required(tools: dict[str, Tool]) -> None:
    edits = tools["edit_file"].parameters["properties"]["edits"]
    assert edits["items"]["required"] == ["old", "new"]
    assert tools["search"].parameters["required"] == ["pattern"]
    assert tools["run_tests"].parameters["required"] == []
