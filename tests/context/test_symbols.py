from __future__ import annotations

import subprocess
import sys

from kcode.context.symbols import definitions
from kcode.context.symbols import outline as read_outline


def outline(path: str, text: str) -> list[tuple[int, int, int, str]]:
    found = definitions(path, text.encode())
    assert found is not None
    return [(one.start, one.end, one.depth, one.text) for one in found]


def test_python_definitions_nest_and_begin_at_their_decorators() -> None:
    text = '''import x

@first
@second(
    1)
class A(B):
    """é"""

    @property
    def f(self) -> int:
        def inner(): pass
        return 1

    async def g(self): ...

if True:
    def late(): pass
'''
    assert outline("pkg/a.py", text) == [
        (3, 14, 0, "class A(B):"),
        (9, 12, 1, "def f(self) -> int:"),
        (11, 11, 2, "def inner(): pass"),
        (14, 14, 1, "async def g(self): ..."),
        (17, 17, 0, "def late(): pass"),
    ]


def test_javascript_definitions_with_functions_as_values() -> None:
    text = """import a from 'b';
export default class A extends B {
  handler = () => { return 1 };
  static async m() {
    const inner = function () {};
  }
}
export const f = async (a) => {
  return 1;
};
function* gen() {}
module.exports.q = function () {};
const table = {
  z: () => 1,
  b() { return 2 },
};
const number = 1;
"""
    assert outline("a.mjs", text) == [
        (2, 7, 0, "export default class A extends B {"),
        (3, 3, 1, "handler = () => { return 1 };"),
        (4, 6, 1, "static async m() {"),
        (5, 5, 2, "const inner = function () {};"),
        (8, 10, 0, "export const f = async (a) => {"),
        (11, 11, 0, "function* gen() {}"),
        (12, 12, 0, "module.exports.q = function () {};"),
        (13, 16, 0, "const table = {"),
        (14, 14, 1, "z: () => 1,"),
        (15, 15, 1, "b() { return 2 },"),
        (17, 17, 0, "const number = 1;"),
    ]


def test_a_head_of_several_lines_is_given_in_one() -> None:
    text = """class A(
    B,  # why
    C,
):
    async def f(
        self,
        # the first
        a: dict[
            str, int
        ],
        b: str = "é",
    ) -> None:
        # said before the body
        pass
"""
    assert outline("a.py", text) == [
        (1, 14, 0, "class A(B, C):"),
        (5, 14, 1, 'async def f(self, a: dict[str, int], b: str = "é") -> None:'),
    ]
    text = """export async function f(
  { a, b },
  c, // third
)
{
}
const g = async (
  a
) => {};
"""
    assert outline("a.js", text) == [
        (1, 6, 0, "export async function f({a, b}, c) {"),
        (7, 9, 0, "const g = async (a) => {"),
    ]
    long = outline("a.py", f"def f(\n{'    argument,' * 300}\n): ...\n")[0][3]
    assert len(long) < 210
    assert long.endswith(" …")


def test_what_a_module_assigns_at_its_top_is_listed_but_no_imports() -> None:
    text = """import x
LIMIT = 3
_TABLE: dict[str, int] = {
    "a": 1,
}
A, B = 1, 2
type Name = str
x.y = 1
LIMIT += 1
def f():
    local = 1
class C:
    field = 1
"""
    assert outline("a.py", text) == [
        (2, 2, 0, "LIMIT = 3"),
        (3, 5, 0, "_TABLE: dict[str, int] = {"),
        (6, 6, 0, "A, B = 1, 2"),
        (7, 7, 0, "type Name = str"),
        (10, 11, 0, "def f():"),
        (12, 13, 0, "class C:"),
    ]
    text = """const fs = require('fs'), { join } = require("path");
const m = await import('m');
export const LIMITS = {
  a: 1,
};
var old;
function f() { const local = 1; }
"""
    assert outline("a.mjs", text) == [
        (3, 5, 0, "export const LIMITS = {"),
        (6, 6, 0, "var old;"),
        (7, 7, 0, "function f() { const local = 1; }"),
    ]
    assert len(outline("a.py", f"X = {'9' * 5000}\n")[0][3]) < 110


def test_a_file_with_errors_gives_what_can_be_made_out() -> None:
    assert (3, 4, 0, "def after():") in outline("a.py", "def broken(:\n    pass\ndef after():\n    pass\n")


def test_where_a_file_does_not_parse_is_said_and_its_pieces_are_no_definitions() -> None:
    text = "A = 1\n\n\ndef f():\n    return 1\n\n\nITEMS = [\nLIMIT = 3\n\n\nclass B:\n    pass\n"
    found = read_outline("a.py", text.encode()) or []
    assert found[0].text == "does not parse near line 8: what is listed may be incomplete"
    texts = [one.text for one in found]
    assert "def f():" in texts
    assert "class B:" in texts
    assert "LIMIT = 3" not in texts
    for whole in ("A = 1\n", ""):
        assert read_outline("a.py", whole.encode()) == definitions("a.py", whole.encode())
    assert read_outline("a.zig", b"(") is None
    assert outline("a.py", "") == []
    assert outline("a.py", "\x00\xff") == []


def test_deep_nesting_is_no_trouble() -> None:
    text = "".join(" " * i + f"def f{i}():\n" for i in range(300)) + " " * 300 + "pass\n"
    assert len(outline("a.py", text)) == 300
    assert definitions("a.js", b"(" * 20_000) is not None


def test_an_unknown_language_or_a_huge_file_gives_none() -> None:
    assert definitions("a.zig", b"fn f() void {}") is None
    assert definitions("Makefile", b"all:\n") is None
    assert definitions("a.py", b"x = 1\n" * 1_000_000) is None


def test_tree_sitter_is_loaded_only_when_a_file_is_read() -> None:
    code = "import sys, kcode.context.symbols; sys.exit('tree_sitter' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
