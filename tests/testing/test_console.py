"""What the readers make of real runners' output; those without a file here are written after the runner's own docs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.testing.console import read_output
from kcode.testing.gojson import read_go
from kcode.testing.junit import read_junit
from kcode.testing.outcome import failure

PRINTED = Path(__file__).parent / "printed"


@pytest.mark.parametrize(
    ("name", "counts", "failures"),
    [
        (
            "jest.txt",
            (1, 2, 1),
            {
                "./a.test.js \u203a half \u203a odd": "Expected: 3",
                "broken/b.test.js \u203a Test suite failed to run": "Cannot find module './absent'",
            },
        ),
        (
            "vitest.txt",
            (1, 2, 1),
            {"a.test.mjs > half > odd": "expected 2 to be 3", "b.test.mjs [ b.test.mjs ]": "Cannot find module"},
        ),
        ("mocha.txt", (1, 1, 1), {"half odd": "2 == 3"}),
        ("node.txt", (1, 2, 1), {"breaks": "2 == 3", "inner bad": "boom"}),
    ],
)
def test_what_was_recorded(name: str, counts: tuple[int, int, int], failures: dict[str, str]) -> None:
    outcome = read_output((PRINTED / name).read_text())
    assert outcome is not None
    assert (outcome.passed, outcome.failed, outcome.skipped) == counts
    assert {failure.name for failure in outcome.failures} == set(failures)
    for one in outcome.failures:
        assert failures[one.name] in one.detail
        assert "\x1b" not in one.detail


@pytest.mark.parametrize(
    ("output", "counts", "names"),
    [
        ("== 3 passed, 1 skipped in 0.12s ==\n", (3, 0, 1), []),
        (
            "FAILED t.py::A::b - assert 0\n1 failed, 2 errors, 3 warnings in 61.00s (0:01:01)\n",
            (0, 3, 0),
            ["t.py::A::b"],
        ),
        ("no tests ran in 0.01s\n", (0, 0, 0), []),
        ("1 passed in 0.1s\n2 passed, 1 xfailed in 0.2s\n", (3, 0, 1), []),
        ("Ran 3 tests in 0.001s\n\nOK (skipped=1, expected failures=1)\n", (1, 0, 2), []),
        (
            (
                f"{'=' * 70}\nERROR: test_x (unittest.loader._FailedTest.test_x)\n{'-' * 70}\nImportError: no\n\n"
                f"{'-' * 70}\nRan 1 test in 0.000s\n\nFAILED (errors=1)\n"
            ),
            (0, 1, 0),
            ["test_x"],
        ),
        (
            (
                f"{'=' * 70}\nFAIL: test_a (m.T)\n{'-' * 70}\nAssertionError\n\n{'-' * 70}\nRan 2 tests in 0.1s\n\n"
                "FAILED (failures=1)\n"
            ),
            (1, 1, 0),
            ["m.T.test_a"],
        ),
        (
            (
                "test a::b ... FAILED\n\n---- a::b stdout ----\npanicked\n\nfailures:\n    a::b\n\n"
                "test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n"
                "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
            ),
            (5, 1, 2),
            ["a::b"],
        ),
        ("TAP version 13\nok 1 - a # SKIP no\nnot ok 2 - b # TODO later\nnot ok 3\n1..3\n", (0, 1, 2), ["test 3"]),
        (
            "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/x (0.00s)\n        a.go:3: no\nFAIL\nFAIL\tpkg/a\t0.1s\nok  \tpkg/b\t0.2s\n",
            (None, 1, None),
            ["TestA/x"],
        ),
        ("FAIL\tpkg/a [build failed]\nFAIL\n", (None, 1, None), ["pkg/a"]),
        (
            (
                "[ERROR] Tests run: 2, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! - in FooTest\n"
                "[ERROR] Failures: \n[ERROR]   FooTest.bar:12 expected:<1> but was:<2>\n[INFO] \n"
                "[ERROR] Tests run: 5, Failures: 1, Errors: 0, Skipped: 1\n"
            ),
            (3, 1, 1),
            ["FooTest.bar"],
        ),
        (
            "FooTest > bar() FAILED\n    java.lang.AssertionError at FooTest.java:12\n\n5 tests completed, 1 failed, 1 skipped\n",
            (3, 1, 1),
            ["FooTest > bar()"],
        ),
        (
            (
                "Failures:\n\n  1) Foo bars\n     Failure/Error: expect\n\nFinished in 0.1 seconds\n5 examples, 1 failure, 1 pending\n\n"
                "Failed examples:\n\nrspec ./spec/a_spec.rb:3 # Foo bars\n"
            ),
            (3, 1, 1),
            ["./spec/a_spec.rb:3 Foo bars"],
        ),
        (
            "  1) Failure:\nFooTest#test_bar [test/a.rb:9]:\nExpected: 1\n\n5 runs, 9 assertions, 1 failures, 0 errors, 1 skips\n",
            (3, 1, 1),
            ["FooTest#test_bar"],
        ),
        ("OK (5 tests, 9 assertions)\n", (5, 0, 0), []),
        (
            "1) FooTest::testBar\nFailed asserting\n\nFAILURES!\nTests: 5, Assertions: 9, Failures: 1, Skipped: 1.\n",
            (3, 1, 1),
            ["FooTest::testBar"],
        ),
        (
            "  Failed Ns.Foo.Bar [3 ms]\n  Error Message:\n   no\nFailed!  - Failed:     1, Passed:     3, Skipped:     1, Total:     5, Duration: 9 ms\n",
            (3, 1, 1),
            ["Ns.Foo.Bar"],
        ),
        (
            "  1) test bars (FooTest)\n     test/a.exs:3\n\nFinished in 0.1 seconds\n5 tests, 1 failure, 1 skipped\n",
            (3, 1, 1),
            ["test bars (FooTest)"],
        ),
        (
            "80% tests passed, 1 tests failed out of 5\n\nThe following tests FAILED:\n\t  3 - bars (Failed)\n",
            (4, 1, None),
            ["bars"],
        ),
        (
            " ERRORS \n\nbars => ./a_test.ts:3:6\nerror: AssertionError\n\n FAILURES \n\nbars => ./a_test.ts:3:6\n\nFAILED | 3 passed | 1 failed (9ms)\n",
            (3, 1, 0),
            ["bars => ./a_test.ts:3:6"],
        ),
    ],
)
def test_a_runners_summary_is_read(
    output: str, counts: tuple[int | None, int | None, int | None], names: list[str]
) -> None:
    outcome = read_output(output)
    assert outcome is not None
    assert (outcome.passed, outcome.failed, outcome.skipped) == counts
    assert [failure.name for failure in outcome.failures] == names
    assert read_output(output.replace("\n", "\r\n")) == outcome
    assert read_output(f"\x1b[31m{output.replace(chr(10), chr(27) + '[0m' + chr(10))}") == outcome


@pytest.mark.parametrize("output", ["", "hello\n", "ok\n", "FAILED\n", "3 passed the exam\n", "Tests: none\n"])
def test_other_output_is_not_taken_for_a_summary(output: str) -> None:
    assert read_output(output) is None


@given(st.text())
def test_no_output_breaks_the_readers(text: str) -> None:
    read_output(text)
    read_go(text.encode())
    read_junit(text.encode())


@pytest.mark.parametrize("line", ["x" * 200_000, "=" * 200_000, " " * 200_000, "1) " * 50_000, "FAIL " * 40_000])
def test_an_enormous_line_is_read_quickly(line: str) -> None:
    begin = time.monotonic()
    read_output(f"{line}\n" * 5)
    assert time.monotonic() - begin < 5


def test_two_runners_in_one_command_are_added() -> None:
    outcome = read_output("2 passed in 0.1s\n\nRan 3 tests in 0.1s\n\nOK\n")
    assert outcome is not None
    assert outcome.passed == 5


def test_a_junit_report_is_read() -> None:
    outcome = read_junit(b"""<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>
      <testcase classname="tests.test_a.TestA" name="test_b[x]" file="tests/test_a.py"><failure message="short">long
text</failure></testcase>
      <testcase classname="tests.test_a" name="test_c" file="tests/test_a.py"><skipped message="no"/></testcase>
      <testcase classname="" name="tests.test_d" file="tests/test_d.py"><error
        message="collection failure">E   ImportError: x</error></testcase>
      <testcase classname="Foo" name="bar"/>
      <testcase classname="group" name="c" status="notrun"/>
      </testsuite></testsuites>""")
    assert outcome is not None
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, 2)
    assert [(one.name, one.detail) for one in outcome.failures] == [
        ("tests/test_a.py::TestA::test_b[x]", "short\nlong\ntext"),
        ("tests/test_d.py", "E   ImportError: x"),
    ]


def test_a_junit_report_says_each_thing_once() -> None:
    outcome = read_junit(b"""<testsuites><testsuite>
      <testcase classname="A" name="pytest"><failure message="assert [1, 2] == [3]&#10;[+3 more lines; full report in element text]"
        >a.py:1: in f
    assert [1, 2] == [3]
             ^^^
E   assert [1, 2] == [3]
E
E     At index 0
</failure></testcase>
      <testcase classname="A" name="begins"><failure message="expected 1">expected 1
 at A.java:3</failure></testcase>
      <testcase classname="A" name="apart"><failure message="expected 1">at A.java:3</failure>
        <error message="teardown">too</error></testcase>
      </testsuite></testsuites>""")
    assert outcome is not None
    assert [one.detail for one in outcome.failures] == [
        "a.py:1: in f\n    assert [1, 2] == [3]\nE   assert [1, 2] == [3]\nE     At index 0",
        "expected 1\n at A.java:3",
        "expected 1\nteardown\nat A.java:3\ntoo",
    ]


def test_what_pytest_says_of_every_failure_is_left_out() -> None:
    detail = """ImportError while importing test module '/w/tests/test_a.py'.
Hint: make sure your test modules/packages have valid Python names.
Traceback:
/usr/lib/python3.11/importlib/__init__.py:126: in import_module
    return _bootstrap._gcd_import(name[level:], package, level)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
tests/test_a.py:1: in <module>
    import absent
E   ModuleNotFoundError: No module named 'absent'
"""
    assert failure("x", detail).detail.split("\n")[1:] == [
        "tests/test_a.py:1: in <module>",
        "    import absent",
        "E   ModuleNotFoundError: No module named 'absent'",
    ]


def test_a_report_with_entities_or_damage_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuites><testcase name="&b;"/></testsuites>'
    assert read_junit(bomb) is None
    assert read_junit("<!DOCTYPE x><testsuites/>".encode("utf-16")) is None
    assert read_junit(b"<testsuites><testcase") is None
    assert read_junit(b"") is None


def test_gos_json_is_read_by_its_innermost_tests() -> None:
    lines = [
        '{"Action":"run","Package":"p","Test":"TestA"}',
        '{"Action":"output","Package":"p","Test":"TestA/x","Output":"    a_test.go:3: no\\n"}',
        '{"Action":"fail","Package":"p","Test":"TestA/x"}',
        '{"Action":"pass","Package":"p","Test":"TestA/y"}',
        '{"Action":"fail","Package":"p","Test":"TestA"}',
        '{"Action":"skip","Package":"p","Test":"TestB"}',
        '{"Action":"fail","Package":"p"}',
        '{"Action":"output","Package":"q","Output":"q/a.go:1: undefined: z\\n"}',
        '{"Action":"fail","Package":"q"}',
        "not json",
    ]
    outcome, printed = read_go("\n".join(lines).encode())
    assert outcome is not None
    assert (outcome.passed, outcome.failed, outcome.skipped) == (1, 2, 1)
    assert [(one.name, one.detail.strip()) for one in outcome.failures] == [
        ("p.TestA/x", "a_test.go:3: no"),
        ("q", "q/a.go:1: undefined: z"),
    ]
    assert "undefined: z" in printed


def test_a_long_detail_keeps_its_beginning_and_its_end() -> None:
    lines = failure("x", "\n".join(f"line {i}" for i in range(100)) + "\n" + "y" * 1000).detail.split("\n")
    assert lines[0] == "line 0"
    assert lines[4] == "…"
    assert len(lines) == 17
    assert len(lines[-1]) < 310
