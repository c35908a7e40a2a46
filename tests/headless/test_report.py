from __future__ import annotations

import json

import pytest

from kcode.events import ToolCallFinished, UserWarned
from kcode.headless.jsonlines import write_event
from kcode.headless.report import Reporter, describe_tests, describe_usage, title_of
from kcode.headless.terminal import Terminal
from kcode.messages import ToolCall, Usage
from kcode.results import CommandEnd, CommandResult, TestFailure, TestReport, ToolResult


def report(code: int = 0, end: CommandEnd = CommandEnd.EXITED, **counts: int) -> TestReport:
    failures = tuple(TestFailure(f"test_{n}") for n in range(counts.get("failed", 0)))
    result = CommandResult(code, "", end, 600.0)
    return TestReport("make test", result, counts.get("passed"), counts.get("failed"), failures=failures)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (report(passed=5), "tests pass: 5 passed"),
        (report(), "tests pass: exit code 0"),
        (report(1, passed=5, failed=2), "tests fail: 5 passed, 2 failed (test_0, test_1)"),
        (report(1, failed=9), "tests fail: 9 failed (test_0, test_1, test_2 and 6 more)"),
        (report(-9, CommandEnd.TIMEOUT), "tests fail: stopped after 600 s, before their end"),
        (report(-9, CommandEnd.FLOOD), "tests fail: stopped after 600 s, for what they did"),
    ],
)
def test_a_test_run_is_one_line(found: TestReport, words: str) -> None:
    assert describe_tests(found) == words


def test_a_price_that_is_not_known_is_not_said_to_be_nothing() -> None:
    assert describe_usage(Usage(1000, 50, 900), 1) == "1 step, 1,000 tokens in (90% cached), 50 out, price unknown"
    assert describe_usage(Usage(1000, 50, 0, 0.01), 2) == "2 steps, 1,000 tokens in (0% cached), 50 out, $0.0100"
    assert describe_usage(Usage(), 1) == "1 step, tokens not reported, price unknown"
    assert describe_usage(Usage(cost=0.0), 0) == "no reply"


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(8, 50, 8, 0.01, 40), "8 tokens in (100% cached), 50 out (80% reasoning), $0.0100"),
        (Usage(8, 50, 0, 0.01, 0), "8 tokens in (0% cached), 50 out, $0.0100"),
        (Usage(8, 50, 0, 0.0123, None, True), "8 tokens in (0% cached), 50 out, ≈ $0.0123"),
        (Usage(8, 50, 0, 0.00001, None, True), "8 tokens in (0% cached), 50 out, ≈ <$0.0001"),
        (Usage(8, 50, 0, 0.0), "8 tokens in (0% cached), 50 out, free"),
    ],
)
def test_reasoning_estimates_and_what_is_free_are_said(usage: Usage, words: str) -> None:
    assert describe_usage(usage, 1) == f"1 step, {words}"


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ('{"path": "a.py", "start": 3}', "run a.py"),
        ('{"command": "echo 1\\necho 2"}', "run echo 1 echo 2"),
        ('{"command": "' + "x" * 90 + '"}', "run " + "x" * 60 + "…"),
        ('{"path": "a\\u001b[2J"}', "run a␛[2J"),
        ('{"edits": []}', "run"),
        ("{}", "run"),
        ("{broken", "run"),
    ],
)
def test_a_call_is_named_by_its_first_argument(arguments: str, title: str) -> None:
    assert title_of(ToolCall("1", "run", arguments)) == title


@pytest.mark.parametrize(
    ("result", "mark"),
    [
        (ToolResult("ok"), "✓"),
        (ToolResult("Exit code 1", went_well=False), "·"),
        (ToolResult("There is no file a.", failed=True), "✗"),
    ],
)
def test_only_what_went_well_is_ticked_off(result: ToolResult, mark: str, capsys: pytest.CaptureFixture[str]) -> None:
    call = ToolCall("functions.run_command:0", "run_command", '{"command": "grep x a"}')
    Reporter(Terminal({"TERM": "dumb"}), quiet=False).report(ToolCallFinished(call, result, 0.0))
    assert capsys.readouterr().err == f"{mark} run_command grep x a\n"


def test_a_warning_reaches_the_user_and_programs(capfd: pytest.CaptureFixture[str]) -> None:
    warning = UserWarned("calc/AGENTS.md is not text\x1b[2J; it is left out.")
    Reporter(Terminal({})).report(warning)
    write_event(warning)
    out, err = capfd.readouterr()
    assert err == "! calc/AGENTS.md is not text␛[2J; it is left out.\n"
    assert json.loads(out) == {"type": "warning", "text": warning.text}
