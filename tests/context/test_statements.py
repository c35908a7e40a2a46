"""What stands in no definition is told too, and together with the definitions it is the whole file."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.context.extract import extract
from kcode.context.symbols import read_symbols


def rows(path: str, text: str) -> list[tuple[int, int, str]]:
    return [(one.start, one.end, one.text) for one in extract(path, text.encode()).symbols if one.depth == 0]


def test_imports_and_statements_have_rows_of_their_own() -> None:
    text = '"""A cart."""\n\nimport os\nimport sys\n\n\nclass A:\n    x = 1\n\n    y = 2\n\n\n# Why.\nmain(A())\n\n\ndef f():\n    pass\n'
    assert rows("a.py", text) == [
        (1, 6, '"""A cart."""; import os; import sys'),
        (7, 12, "class A:"),
        (13, 16, "main(A())"),
        (17, 18, "def f():"),
    ]


def test_go_and_typescript() -> None:
    assert rows("a.go", '// By us.\n\npackage a\n\nimport (\n\t"fmt"\n\t"os"\n)\n\nfunc F() {}\n') == [
        (1, 9, 'package a; import ("fmt"; "os"'),
        (10, 10, "func F() {}"),
    ]
    assert rows(
        "a.ts", "import { a } from './a'\n\ndescribe('it', () => {\n  const f = () => 1\n})\n\nexport { a }\n"
    ) == [
        (1, 3, "import { a } from './a'; describe('it', () => {"),
        (4, 6, "const f = () => 1"),
        (7, 7, "export { a }"),
    ]


def test_comments_alone_are_told_and_what_is_long_is_cut() -> None:
    assert rows("a.py", "# Only this.\n\n\ndef f(): ...\n")[0] == (1, 3, "# Only this.")
    (row,) = rows("a.py", "\n\nimport " + ", ".join(f"module{n}" for n in range(30)) + "\n")
    assert (row[0], row[1], len(row[2])) == (3, 3, 62)


LINES = st.sampled_from(
    [
        "import os",
        "def f():",
        "    pass",
        "class A:",
        "    x = 1",
        "",
        "",
        "x = 1",
        "# why",
        "if x:",
        "    def g(): ...",
        ")",
    ]
)


@given(st.lists(LINES, max_size=25))
@settings(max_examples=150, deadline=None)
def test_every_line_with_a_word_is_in_a_row_and_no_definition_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = extract("a.py", text.encode()).symbols
    definitions = read_symbols("a.py", text.encode()) or ()
    assert [(one.name, one.start) for one in found if one.name] == [(one.name, one.start) for one in definitions]
    for number, line in enumerate(lines, 1):
        if any(letter.isalnum() for letter in line):
            assert any(one.start <= number <= one.end for one in found)
    tops = [one for one in found if one.depth == 0]
    assert all(one.end < other.start for one, other in pairwise(tops))
