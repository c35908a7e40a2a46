from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kcode.headless.baseline import describe_before
from kcode.results import CommandEnd, CommandResult, TestFailure, TestReport
from kcode.testing.verdict import failed_before
from tests.model_server import reply
from tests.program import MODULE, RIGHT, RUN_TESTS, TESTS, make_program
from tests.repositories import picture

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tests.model_server import ModelServer, ModelServerFactory

# Two tests fail from the start; the edit breaks a third and mends neither.
MORE = f"{TESTS}\n    def test_sign(self):\n        self.assertEqual(cents(-2.679), -2.68)\n"
BREAKS = (
    "edit_file",
    {"path": "calc/money.py", "edits": [{"old": "int(amount * 100) / 100", "new": "int(amount)"}]},
)


UNKNOWN = "did not run without this change"
ALL_UNKNOWN = "these tests did not run, so whether they are new is not known"


def run(
    *failing: str,
    code: int | None = None,
    passed: int | None = None,
    ran: Collection[str] | None = None,
    said: str = "",
    end: CommandEnd = CommandEnd.EXITED,
) -> TestReport:
    result = CommandResult(int(bool(failing)) if code is None else code, said, end)
    names = None if ran is None else frozenset(ran)
    return TestReport("t", result, passed, failures=tuple(map(TestFailure, failing)), ran=names)


@pytest.mark.parametrize(
    ("report", "before", "names", "words"),
    [
        (run("a", "b", "c"), run("c", "a", "x", passed=1), ["a", "c"], "2 of 3 failures were there before"),
        (run("a", "b"), run("a", "b"), ["a", "b"], "all 2 failures were there before"),
        (run("a", "b"), run(), [], "all 2 failures are new"),
        (run("a"), run("a"), ["a"], "that failure was there before"),
        (run("a"), run("b", passed=1), [], "that failure is new"),
        (run("a"), run("b", ran={"a", "b"}), [], "that failure is new"),
        (run(code=2), run(), None, "without this change they pass"),
        (run(code=2), run(code=2), None, "without this change they fail too"),
        (run("a"), run(code=2), None, "without this change that test did not run, so whether it is new is not known"),
        (run("a", "b"), run("t.py", passed=0), None, f"without this change {ALL_UNKNOWN}"),
        (run("a", "b"), run("t.py", ran={"t.py", "x"}), None, f"without this change {ALL_UNKNOWN}"),
        (run("a", "b"), run(passed=0), None, f"without this change {ALL_UNKNOWN}"),
        (
            run("a", "b"),
            run("x", passed=4, said="!!!! stopping after 1 failures !!!!"),
            None,
            f"without this change {ALL_UNKNOWN}",
        ),
        (run("a", "b"), run("x", passed=4, end=CommandEnd.TIMEOUT), None, f"without this change {ALL_UNKNOWN}"),
        (run("a", "b", "c"), run("a", ran={"a", "c"}), ["a"], f"1 of 3 failures were there before, and 1 {UNKNOWN}"),
        (run("b", "c"), run(ran={"c"}), [], f"0 of 2 failures were there before, and 1 {UNKNOWN}"),
        (run("a"), None, None, ""),
    ],
)
def test_what_failed_before_is_told_as_far_as_names_tell_it(
    report: TestReport, before: TestReport | None, names: list[str] | None, words: str
) -> None:
    assert failed_before(report, before) == names
    assert describe_before(report, before).removeprefix("; ") == words


def fix(tmp_path: Path, model_server: ModelServerFactory, call: Any, *arguments: str) -> tuple[int, bytes, str]:
    files = {"calc/__init__.py": "", "calc/money.py": MODULE, "tests/test_money.py": MORE}
    server = model_server([reply(calls=[call]), reply("Done.")])
    program = make_program(tmp_path, files, {"KCODE_BASE_URL": server.url})
    before = picture(program.repository)
    done = program.run("fix", "cents() rounds down", *arguments)
    assert picture(program.repository) == before
    assert list(program.home.rglob("partial-*")) == []
    return done.returncode, done.stdout, done.stderr.decode()


def test_failures_that_were_there_before_are_told_apart_and_still_give_exit_4(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    code, product, told = fix(tmp_path, model_server, BREAKS)
    assert (code, product[:10]) == (4, b"diff --git")
    assert "Running the tests over your files as they are" in told
    assert "2 of 3 failures were there before" in told


def test_programs_get_their_names(tmp_path: Path, model_server: ModelServerFactory) -> None:
    code, product, told = fix(tmp_path, model_server, BREAKS, "--json", "-q")
    end = json.loads(product.splitlines()[-1])
    assert (code, end["exit_code"], end["tests"]["failed"]) == (4, 4, 3)
    old = end["tests"]["failed_before"]
    assert sorted(name.rpartition(".")[2] for name in old) == ["test_sign", "test_up"]
    assert set(old) < set(end["tests"]["failures"])
    assert "over your files" not in told


def test_nothing_is_run_twice_where_the_tests_pass(tmp_path: Path, model_server: ModelServerFactory) -> None:
    code, product, told = fix(tmp_path, model_server, RIGHT, "--json")
    assert code == 0
    assert json.loads(product.splitlines()[-1])["tests"]["failed_before"] is None
    assert "over your files" not in told


def results_of(server: ModelServer) -> list[str]:
    return [message["content"] for message in server.requests[-1].json["messages"] if message["role"] == "tool"]


@pytest.mark.parametrize("first", [(), (RUN_TESTS,)], ids=["the run over the draft first", "a run before any change"])
def test_the_model_is_told_which_failures_do_not_come_from_its_change(
    tmp_path: Path, model_server: ModelServerFactory, first: tuple[Any, ...]
) -> None:
    files = {"calc/__init__.py": "", "calc/money.py": MODULE, "tests/test_money.py": MORE}
    one = ("run_tests", {"target": "tests/test_money.py"})
    server = model_server([reply(calls=[*first, BREAKS, RUN_TESTS, one]), reply("Done.")])
    program = make_program(tmp_path, files, {"KCODE_BASE_URL": server.url})
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 4
    *before, _, whole, part = results_of(server)
    assert all("fail without your changes" not in text for text in before)
    for text in (whole, part):
        (line,) = [line for line in text.splitlines() if line.startswith("Of these, fail without your changes too:")]
        assert ("test_sign" in line, "test_up" in line, "test_plain" in line) == (True, True, False)
    # It is known by then, so it is not found out again.
    assert "Running the tests over your files as they are" not in done.stderr.decode()
    assert "2 of 3 failures were there before" in done.stderr.decode()


MENDS = ("write_file", {"path": "calc/late.py", "content": "LATE = 1\n"})


def test_a_run_that_never_got_to_the_tests_tells_nothing_of_them(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    files = {
        "calc/__init__.py": "",
        "calc/money.py": MODULE,
        "tests/test_money.py": f"import calc.late\n{MORE}",
    }
    server = model_server([reply(calls=[MENDS, RUN_TESTS]), reply("Done.")])
    program = make_program(tmp_path, files, {"KCODE_BASE_URL": server.url})
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 4
    assert "Without your changes none of these tests ran" in results_of(server)[-1]
    assert "these tests did not run, so whether they are new is not known" in done.stderr.decode()


def test_what_the_tests_leave_behind_is_no_part_of_the_patch(tmp_path: Path, model_server: ModelServerFactory) -> None:
    leaving = f"from pathlib import Path\n{TESTS}\n    def test_file(self):\n        Path('left').write_text('x')\n"
    files = {"calc/__init__.py": "", "calc/money.py": MODULE, "tests/test_money.py": leaving}
    server = model_server([reply(calls=[RUN_TESTS, RIGHT, RUN_TESTS]), reply("Done.")])
    program = make_program(tmp_path, files, {"KCODE_BASE_URL": server.url})
    done = program.run("fix", "cents() rounds down")
    assert done.returncode == 0
    assert done.stdout.count(b"diff --git") == 1
    first, _, second = results_of(server)
    assert "The tests left these files; they are not part of the proposal unless you change them: left" in first
    assert "left" not in second
    assert "only the tests made it: left." in done.stderr.decode()
