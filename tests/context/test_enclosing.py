"""Where a hunk stands in its file."""

from __future__ import annotations

from kcode.context.enclosing import enclosing
from kcode.draft.files import REGULAR, Change, FileState
from kcode.draft.hunks import propose

INVOICE = """\
import os

LIMIT = 3


class Invoice(Base):
    rate = 2

    def total(self, lines: list[int]) -> int:
        if lines:
            return sum(lines)
        return 0

    async def send(self):
        pass


def alone():
    return 1
"""


def standing(path: str, before: str | None, after: str | None) -> list[tuple[str, ...]] | None:
    was, now = (None if text is None else FileState(REGULAR, text.encode()) for text in (before, after))
    (change,) = propose([Change(path, was, now)]).changes
    found = enclosing(change)
    return None if found is None else [found[hunk.id] for hunk in change.hunks]


def test_a_hunk_stands_in_its_method_and_class() -> None:
    after = INVOICE.replace("return sum(lines)", "return sum(lines) + 1").replace("pass", "await post()")
    assert standing("a.py", INVOICE, after) == [("class Invoice", "def total"), ("class Invoice", "async def send")]


def test_outside_of_all_definitions_there_is_none() -> None:
    assert standing("a.py", INVOICE, INVOICE.replace("import os", "import sys")) == [()]
    assert standing("a.py", INVOICE, INVOICE.replace("LIMIT = 3", "LIMIT = 4")) == [("LIMIT",)]


def test_lines_that_are_taken_out_stand_where_they_stood() -> None:
    assert standing("a.py", INVOICE, INVOICE.replace("        return 0\n", "")) == [("class Invoice", "def total")]
    whole = INVOICE[INVOICE.index("    async def") : INVOICE.index("\n\ndef alone")]
    assert standing("a.py", INVOICE, INVOICE.replace(whole, "")) == [("class Invoice", "async def send")]
    assert standing("a.py", INVOICE, None) == [()]


def test_a_function_that_is_new_is_named() -> None:
    after = INVOICE + "\n\ndef fresh(\n    a,\n):\n    return a\n"
    assert standing("a.py", INVOICE, after) == [("def fresh",)]


def test_a_hunk_over_two_functions_stands_in_what_holds_both() -> None:
    start, end = INVOICE.index("            return sum"), INVOICE.index("        pass")
    assert standing("a.py", INVOICE, INVOICE[:start] + "            x()\n" + INVOICE[end:]) == [
        ("class Invoice", "def total")
    ]
    assert standing("a.py", INVOICE, INVOICE[:start] + INVOICE[end:]) == [("class Invoice",)]


def test_javascript_is_read_and_other_languages_are_not() -> None:
    code = (
        "export class Cart extends Base {\n  add(item) {\n    return 1\n  }\n}\nconst sum = (a) => {\n  return 2\n}\n"
    )
    changed = code.replace("1", "3").replace("2", "4")
    assert standing("a.js", code, changed) == [("export class Cart", "add"), ("const sum",)]
    assert standing("a.txt", code, changed) is None
