"""Real runners over real little projects."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from kcode.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kcode.results import TestReport
    from kcode.testing import Project

    Test = Callable[..., TestReport]
    Make = Callable[[Mapping[str, str]], Project]

PYTEST = {
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-ra'\n",
    "calc/__init__.py": "def half(x):\n    return x // 2\n",
    "tests/test_half.py": """
import pytest
from calc import half

class TestHalf:
    def test_even(self):
        assert half(4) == 2

    @pytest.mark.parametrize("x", [1, 3])
    def test_odd(self, x):
        print("some output")
        assert half(x) * 2 == x

@pytest.mark.skip
def test_later():
    pass
""",
}
UNITTEST = {
    "calc.py": "def half(x):\n    return x // 2\n",
    "tests/test_half.py": """
import unittest
from calc import half

class TestHalf(unittest.TestCase):
    def test_even(self):
        self.assertEqual(half(4), 2)

    def test_odd(self):
        self.assertEqual(half(3), 1.5)

    @unittest.skip("later")
    def test_later(self):
        pass

    @unittest.expectedFailure
    def test_known(self):
        self.fail()
""",
}


def test_pytest_gives_counts_and_names_from_its_report(make: Make, test: Test) -> None:
    report = test(make(PYTEST))
    assert (report.passed, report.failed, report.skipped) == (1, 2, 1)
    assert [failure.name for failure in report.failures] == [
        "tests/test_half.py::TestHalf::test_odd[1]",
        "tests/test_half.py::TestHalf::test_odd[3]",
    ]
    assert (
        "assert (half(x) * 2) == x" in report.failures[0].detail or "assert (0 * 2) == 1" in report.failures[0].detail
    )
    assert report.failures[0].detail.count("assert (0 * 2) == 1") == 1
    assert report.failures[0].cause == report.failures[1].cause
    assert report.command == f"{sys.executable} -m pytest -q"
    assert not report.ok


@pytest.mark.parametrize(
    ("target", "counts"),
    [
        ("tests/test_half.py", (1, 2, 1)),
        ("tests/test_half.py::TestHalf::test_odd[3]", (0, 1, 0)),
        ("tests.test_half.TestHalf.test_even", (1, 0, 0)),
        ("test_even", (1, 0, 0)),
    ],
)
def test_a_target_of_pytest(make: Make, test: Test, target: str, counts: tuple[int, int, int]) -> None:
    report = test(make(PYTEST), target=target)
    assert (report.passed, report.failed, report.skipped) == counts


def test_a_run_of_pytest_leaves_no_files_in_the_project(make: Make, test: Test, tmp_path: Path) -> None:
    before = make(PYTEST).files
    test(make(PYTEST))
    root = tmp_path / "work"
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()) == sorted(before)


def test_a_file_that_cannot_be_collected_is_a_failure(make: Make, test: Test) -> None:
    report = test(make(PYTEST | {"tests/test_broken.py": "import pytest, absent_module\n"}))
    assert report.failed
    assert "No module named 'absent_module'" in "".join(failure.detail for failure in report.failures)
    assert "test_broken" in report.failures[0].name


@pytest.mark.parametrize("target", ["no_such_name", "calc/__init__.py", "tests/test_half.py::test_absent"])
def test_a_target_of_pytest_without_tests_is_told_so(make: Make, test: Test, target: str) -> None:
    with pytest.raises(
        ToolError, match=f"^No tests were collected from {target}. Test files are in tests \\(1\\)."
    ) as none:
        test(make(PYTEST), target=target)
    assert f"Command: {sys.executable} -m pytest -q" in str(none.value)


def test_a_target_of_unittest_without_tests_is_told_so(make: Make, test: Test) -> None:
    with pytest.raises(ToolError, match=r"^No tests were collected from no_such_name"):
        test(make(UNITTEST), target="no_such_name")


def test_a_project_where_no_tests_are_collected_has_none(make: Make, test: Test) -> None:
    with pytest.raises(ToolError, match=r"^No tests were collected\. No test files were found\."):
        test(make({"pyproject.toml": "[tool.pytest.ini_options]\n", "calc.py": "x = 1\n"}))


def test_a_plugin_that_is_missing_is_a_failure_and_not_a_lack_of_tests(make: Make, test: Test) -> None:
    options = "[tool.pytest.ini_options]\naddopts = '--no-such-option'\n"
    report = test(make(PYTEST | {"pyproject.toml": options}))
    assert not report.ok
    assert "no-such-option" in report.result.output


def test_the_projects_own_environment_is_used_first(make: Make, test: Test, tmp_path: Path) -> None:
    project = make(PYTEST)
    python = tmp_path / "work" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "own environment"\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    report = test(project, target="tests", interpreters=("/absent/python",))
    assert report.result.output.startswith("own environment")
    assert report.command == ".venv/bin/python -m pytest -q tests"


def test_an_environment_without_pytest_is_passed_over(make: Make, test: Test, tmp_path: Path) -> None:
    project = make(PYTEST)
    python = tmp_path / "work" / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    assert test(project).passed == 1
    report = test(project, interpreters=())
    assert not report.ok
    assert "pytest is not installed in any Python here. Tried: venv/bin/python." in report.result.output


def test_unittest_gives_counts_names_and_details(make: Make, test: Test) -> None:
    report = test(make(UNITTEST))
    assert (report.passed, report.failed, report.skipped) == (1, 1, 2)
    (failure,) = report.failures
    assert failure.name == "test_half.TestHalf.test_odd"
    assert failure.detail.endswith("AssertionError: 1 != 1.5")


@pytest.mark.parametrize(
    ("target", "passed", "failed"),
    [
        ("tests/test_half.py", 1, 1),
        ("tests", 1, 1),
        ("tests/test_half.py::TestHalf::test_even", 1, 0),
        ("test_odd", 0, 1),
    ],
)
@pytest.mark.parametrize("is_package", [False, True])
def test_a_target_of_unittest(
    make: Make, test: Test, target: str, passed: int, failed: int, *, is_package: bool
) -> None:
    report = test(make(UNITTEST | ({"tests/__init__.py": ""} if is_package else {})), target=target)
    assert (report.passed, report.failed) == (passed, failed)


def test_a_module_that_unittest_cannot_import_is_a_failure(make: Make, test: Test) -> None:
    report = test(make(UNITTEST | {"tests/test_broken.py": "import unittest, absent\nunittest.TestCase\n"}))
    assert report.failed == 2
    assert "test_broken" in {failure.name for failure in report.failures}


def test_pytest_style_falls_back_to_unittest_where_pytest_is_missing(make: Make, test: Test, tmp_path: Path) -> None:
    project = make(UNITTEST | {"conftest.py": ""})
    python = tmp_path / "python"
    # An interpreter without site-packages has no pytest.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    python.chmod(0o755)
    lenient = UNITTEST["tests/test_half.py"].replace("from calc import half", "half = lambda x: x // 2")
    report = test(make(dict.fromkeys(project.files, "") | {"tests/test_half.py": lenient}), interpreters=(str(python),))
    assert (report.passed, report.failed) == (1, 1)
    assert report.command == f"{python} -m unittest discover -v -s tests -p 'test*.py'"


def test_a_subproject_runs_in_its_own_folder(make: Make, test: Test) -> None:
    project = make({f"backend/{name}": text for name, text in PYTEST.items()})
    report = test(project, target="backend/tests/test_half.py::TestHalf::test_even")
    assert (report.passed, report.command) == (
        1,
        f"cd backend && {sys.executable} -m pytest -q tests/test_half.py::TestHalf::test_even",
    )
    assert test(project).passed == 1


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo here")
def test_cargo(make: Make, test: Test) -> None:
    project = make(
        {
            "Cargo.toml": '[package]\nname = "calc"\nversion = "0.1.0"\nedition = "2021"\n',
            "src/lib.rs": "pub fn half(x: i32) -> i32 { x / 2 }\n",
            "tests/halves.rs": "#[test] fn even() { assert_eq!(calc::half(4), 2); }\n"
            "#[test] fn odd() { assert_eq!(calc::half(3) * 2, 3); }\n#[test] #[ignore] fn later() {}\n",
        }
    )
    report = test(project)
    assert (report.passed, report.failed, report.skipped) == (1, 1, 1)
    assert report.failures[0].name == "odd"
    assert "left: 2" in report.failures[0].detail
    report = test(project, target="tests/halves.rs::even")
    assert report.command == "cargo test --offline --no-fail-fast --test halves even"
    assert (report.passed, report.failed, report.ok) == (1, 0, True)
    with pytest.raises(ToolError, match="No tests were collected from absent_name"):
        test(project, target="absent_name")


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")
def test_npm_with_nodes_own_runner(make: Make, test: Test) -> None:
    project = make(
        {
            "package.json": '{"name": "calc", "version": "1.0.0", "scripts": {"test": "node --test"}}',
            "half.test.js": "const test = require('node:test'); const assert = require('assert');\n"
            "test('even', () => {});\ntest('odd', () => assert.equal(1, 2));\ntest('later', {skip: true}, () => {});\n"
            "test.describe('group', () => { test.it('inner', () => { throw new Error('boom') }) });\n",
            "other.test.js": "require('node:test')('other', () => {});\n",
        }
    )
    report = test(project)
    assert (report.passed, report.failed, report.skipped) == (2, 2, 1)
    assert {failure.name for failure in report.failures} == {"odd", "inner"}
    assert "boom" in next(failure.detail for failure in report.failures if failure.name == "inner")
    report = test(project, target="other.test.js")
    assert (report.passed, report.ok) == (1, True)


@pytest.mark.skipif(shutil.which("ctest") is None, reason="there is no ctest here")
def test_ctest_writes_its_report(make: Make, test: Test) -> None:
    project = make(
        {
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.21)\nproject(x NONE)\nenable_testing()\n"
            'add_test(NAME good COMMAND true)\nadd_test(NAME bad COMMAND sh -c "echo why; exit 1")\n'
        }
    )
    report = test(project)
    assert (report.passed, report.failed) == (1, 1)
    assert report.failures[0].name == "bad"
    assert test(project, target="good").ok
    with pytest.raises(ToolError, match="No tests were collected from absent_name"):
        test(project, target="absent_name")


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_reads_whatever_its_target_runs(make: Make, test: Test) -> None:
    project = make(
        {"Makefile": ".PHONY: check\ncheck:\n\t@echo '1..2'; echo 'ok 1 - a'; echo 'not ok 2 - b'; exit 1\n"}
    )
    report = test(project)
    assert (report.passed, report.failed, report.failures[0].name) == (1, 1, "b")
    assert report.command == "make check"
    assert "takes no target" in test(project, target="b").command


def test_the_users_own_command_is_run_as_it_is(make: Make, test: Test) -> None:
    project = make(PYTEST)
    report = test(project, custom=f"{sys.executable} -m pytest -p no:cacheprovider tests", target="ignored")
    assert (report.passed, report.failed, report.skipped) == (1, 2, 1)
    assert report.command.endswith("tests (all tests: it takes no target)")
    assert report.failures[0].name == "tests/test_half.py::TestHalf::test_odd[1]"
    assert "assert" in report.failures[0].detail
    report = test(project, custom="echo fine")
    assert (report.ok, report.passed, report.command) == (True, None, "echo fine")
    assert not test(project, custom="exit 3").ok
    report = test(project, custom=f"{sys.executable} -m pytest -p no:cacheprovider calc")
    assert (report.ok, report.passed) == (False, 0)


def test_a_command_that_hides_its_failures_is_not_ok(make: Make, test: Test) -> None:
    report = test(make(UNITTEST), custom=f"{sys.executable} -m unittest discover tests || true")
    assert report.result.exit_code == 0
    assert not report.ok


def test_a_project_without_tests_is_told_so(make: Make, test: Test) -> None:
    with pytest.raises(ToolError, match="run_command"):
        test(
            make(
                {
                    "README.md": "",
                    "package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}',
                }
            )
        )
    with pytest.raises(ToolError, match=r"Did you mean tests/test_half\.py"):
        test(make(PYTEST), target="test/test_half.py")
