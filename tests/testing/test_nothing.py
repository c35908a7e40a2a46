"""Runs that had no test to run, as each runner tells it, and runs that only look so."""

from __future__ import annotations

import pytest

from kcode.results import CommandEnd, CommandResult
from kcode.testing.console import read_output
from kcode.testing.nothing import describe_test_files, ran_nothing


def told(output: str, code: int, end: CommandEnd = CommandEnd.EXITED) -> bool:
    return ran_nothing(CommandResult(code, output, end), read_output(output))


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("no tests ran in 0.01s\n", 5),
        ("222 deselected in 1.60s\n", 5),
        ("ERROR: not found: /w/t.py::test_x\n(no match in any of [<Module t.py>])\n\nno tests ran in 0.00s\n", 4),
        ("Ran 0 tests in 0.000s\n\nOK\n", 0),
        ("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", 5),
        ("running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out\n", 0),
        ("No tests found, exiting with code 1\nRun with `--passWithNoTests`\n", 1),
        ("\x1b[31mNo test files found, exiting with code 1\x1b[39m\n", 1),
        ("\n  0 passing (1ms)\n", 0),
        ('Error: No test files found: "test"\n', 1),
        ("TAP version 13\n1..0\n", 0),
        ("No examples found.\n\n0 examples, 0 failures\n", 0),
        ("No tests executed!\n", 1),
        ("There are no tests to run\n", 0),
        ('[ERROR] Failed to execute goal: No tests matching pattern "Foo" were executed! (Set -D...)\n', 1),
        ("> No tests found for given includes: [*foo*](--tests filter)\n", 1),
        ("No test matches the given testcase filter `FullyQualifiedName~x` in a.dll\n", 0),
        ("No tests were found!!!\n", 0),
        ("error: No test modules found\n", 1),
    ],
)
def test_no_test_to_run_is_told_from_a_failure(output: str, code: int) -> None:
    assert told(output, code)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("1 passed in 0.01s\n", 0),
        ("1 skipped in 0.01s\n", 0),
        ("ERROR t.py\n1 error in 0.2s\n", 2),
        ("no tests ran in 0.01s\n", 3),
        ("usage: pytest [options]\nerror: unrecognized arguments: --cov\n", 4),
        ("error: could not compile `x`\n", 101),
        ("fine\n", 0),
        ("", 1),
        ("1 passed in 0.1s\nNo tests executed!\n", 1),
    ],
)
def test_other_ends_are_not_taken_for_it(output: str, code: int) -> None:
    assert not told(output, code)


def test_a_run_that_was_stopped_may_have_had_tests() -> None:
    assert not told("no tests ran in 0.01s\n", 5, CommandEnd.TIMEOUT)


def test_where_tests_are_is_said_by_folder() -> None:
    files = ["README.md", "tests/__init__.py", "tests/conftest.py", "tests/test_a.py", "tests/data/x.json"]
    files += ["src/a.test.ts", "src/b.spec.js", "src/contest.py", "src/latest.py", "x_test.go", "p/FooTest.java"]
    assert describe_test_files(files) == ("Test files are in src (2), tests (1), the top folder (1), p (1).")
    assert describe_test_files(["a.py", "contest.py"]) == "No test files were found."
    assert len(describe_test_files([f"d{i}/test_a.py" for i in range(100)])) < 200
