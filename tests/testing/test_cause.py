"""Which failures are said to have one cause, and which are not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.testing.cause import find_cause

FIXTURE = """file /w/tests/test_a.py, line {line}
  def {name}(benchmark): pass
E       fixture 'benchmark' not found
>       available fixtures: cache, capfd
"""
CHECK = "tests/test_a.py:{line}: in {name}\n    assert half({n}) == {n}\nE   assert 0 == {n}\n"
RAISED = "tests/test_a.py:{line}: in {name}\n    f()\nsrc/a.py:3: in f\nE   {error}\n"
UNITTEST = """Traceback (most recent call last):
  File "/w/tests/test_a.py", line {line}, in {name}
    self.assertEqual(half({n}), {n})
AssertionError: 0 != {n}
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ("t.py::test_alpha", FIXTURE.format(line=3, name="test_alpha")),
            ("t.py::TestA::test_beta[1]", FIXTURE.format(line=99, name="test_beta")),
        ),
        (
            ("t.py::test_half[1]", CHECK.format(line=3, name="test_half", n=1)),
            ("t.py::test_half[3]", CHECK.format(line=3, name="test_half", n=3)),
        ),
        (
            ("t.py::test_alpha", RAISED.format(line=3, name="test_alpha", error="KeyError: 'cents'")),
            ("t.py::test_beta", RAISED.format(line=9, name="test_beta", error="KeyError: 'cents'")),
        ),
        (
            ("t.py::test_alpha", "E   OSError: no /tmp/pytest-of-me/pytest-7/test_alpha0/x, <object at 0x7f00>"),
            ("t.py::test_beta", "E   OSError: no /tmp/pytest-of-me/pytest-7/test_beta0/x, <object at 0x8f10>"),
        ),
        (
            ("m.TestHalf.test_half", UNITTEST.format(line=3, name="test_half", n=1)),
            ("m.TestHalf.test_half", UNITTEST.format(line=3, name="test_half", n=3)),
        ),
        (
            ("a::alpha", "thread 'a::alpha' (123) panicked at src/lib.rs:12:5:\ncalled `unwrap()` on a `None` value"),
            ("a::bravo", "thread 'a::bravo' (456) panicked at src/lib.rs:12:5:\ncalled `unwrap()` on a `None` value"),
        ),
        (
            ("half odd", "TypeError: Cannot read properties of undefined (reading 'x')\n    at a.test.js:3:4"),
            ("half even", "TypeError: Cannot read properties of undefined (reading 'x')\n    at a.test.js:9:4"),
        ),
    ],
    ids=["fixture", "check", "raised", "address", "unittest", "rust", "node"],
)
def test_failures_that_differ_in_names_and_numbers_have_one_cause(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert find_cause(*one) == find_cause(*other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CHECK.format(line=3, name="test_a", n=1), CHECK.format(line=9, name="test_a", n=1)),
        (UNITTEST.format(line=3, name="test_a", n=1), UNITTEST.format(line=9, name="test_a", n=1)),
        (
            RAISED.format(line=3, name="test_a", error="KeyError: 'cents'"),
            RAISED.format(line=3, name="test_a", error="KeyError: 'total'"),
        ),
        ("a.py:3: in f\nE   NotImplementedError", "a.py:9: in f\nE   NotImplementedError"),
        ("a.py:3: in f\nE   KeyError: 3", "a.py:9: in f\nE   KeyError: 4"),
        ("a.py:3: in f\nE   Failed: DID NOT RAISE", "a.py:9: in f\nE   Failed: DID NOT RAISE"),
        ("Failure/Error: expect(x)\n # ./a_spec.rb:3", "Failure/Error: expect(x)\n # ./a_spec.rb:9"),
        ("    a_test.go:3: no", "    a_test.go:9: no"),
    ],
)
def test_what_only_looks_alike_has_causes_of_its_own(one: str, other: str) -> None:
    assert find_cause("t.py::test_a", one) != find_cause("t.py::test_a", other)


def test_a_failure_of_which_nothing_was_said_has_no_cause() -> None:
    assert find_cause("test_alpha", "") == ""


@given(st.text(), st.text())
def test_no_text_breaks_it(name: str, detail: str) -> None:
    find_cause(name, detail)


@pytest.mark.parametrize("text", ["x" * 200_000, "a." * 100_000, "E   " + "1" * 200_000, "\n" * 200_000])
def test_an_enormous_text_is_read_quickly(text: str) -> None:
    begin = time.monotonic()
    assert len(find_cause("test_alpha", text)) < 20_000
    assert time.monotonic() - begin < 2
