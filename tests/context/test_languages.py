"""Every language's query finds what defines."""

from __future__ import annotations

from pathlib import Path

import pytest

from kcode.context.languages import language_of, load_grammar, reading_version
from kcode.context.symbols import read_symbols

QUERIES = Path(__file__).parent.parent.parent / "kcode/context/queries"

SOURCES = {
    "a.py": (
        "class A(Base):\n    limit = 3\n    def f(self): return call(self.g())\n@wrap\ndef h(): ...\nTABLE = {}\n",
        ["class A", "attribute limit", "method f", "function h", "constant TABLE"],
    ),
    "a.mjs": (
        "class A extends B {\n  f() {}\n  g = () => 1\n}\nconst h = async () => { go(x.y()) }\nexport const L = 1\n",
        ["class A", "method f", "method g", "function h", "constant L"],
    ),
    "a.jsx": ("const App = () => <Page><Row /></Page>\n", ["function App"]),
    "a.ts": (
        ("interface I {\n  m(): void\n}\ntype T = string\nenum E { A }\nabstract class C implements I {\n  n = 1\n"
        "  abstract p(): T\n  m() { q(new R()) }\n}\nnamespace N {\n  export function f(): void {}\n}\nexport const c = 1\n"
        "declare function d(): void\n"),
        ["interface I", "method m", "type T", "enum E", "class C", "attribute n", "method p", "method m", "module N",
         "function f", "constant c", "function d"],
    ),
    "a.tsx": ("export function App(): Node {\n  return <Page />\n}\n", ["function App"]),
    "a.go": (
        ("package a\ntype S struct {\n\tX int\n}\ntype I interface {\n\tM(x int)\n}\ntype A = S\nfunc (s *S) M(x int) {}\n"
        "func F() *S { return g(h.Do()) }\nvar v = 1\nconst (\n\tk = 2\n)\n"),
        ["struct S", "interface I", "method M", "type A", "method M", "function F", "constant v", "constant k"],
    ),
    "a.rs": (
        ("struct S;\nenum E { A }\ntrait T {\n    fn m(&self);\n}\nimpl T for S {\n    fn m(&self) { go::<u8>(); x.y(); say!() }\n}\n"
        "macro_rules! say {\n    () => {};\n}\nmod inner {\n    pub const K: u8 = 1;\n}\nstatic V: u8 = 1;\ntype Q = S;\n"),
        ["struct S", "enum E", "trait T", "method m", "impl S", "method m", "macro say", "module inner", "attribute K",
         "constant V", "type Q"],
    ),
    "A.java": (
        ("@Mark\nclass A extends B implements C {\n  int x;\n  A() {}\n  void f() { g(new D()); }\n}\ninterface I {\n  void m();\n}\n"
        "enum E {\n  X;\n}\nrecord R(int a) {}\n"),
        ["class A", "attribute x", "method A", "method f", "interface I", "method m", "enum E", "class R"],
    ),
    "a.c": (
        ("#define LIMIT 3\nstruct s {\n  int a;\n};\ntypedef struct s T;\nenum e { A };\nint *f(int a);\nstatic T *g(void)\n{\n"
        "  return h(p->q());\n}\nint table[2] = {1, 2};\n"),
        ["macro LIMIT", "struct s", "type T", "enum e", "function f", "function g", "constant table"],
    ),
    "a.cc": (
        ("namespace n {\nclass A {\n  void f();\n  int g() { return h(); }\n};\ntemplate <class T>\nT k(T a) { return o::p(a); }\n"
        "}\nvoid n::A::f() {}\nusing X = int;\n"),
        ["module n", "class A", "method f", "method g", "function k", "function f", "type X"],
    ),
    "A.cs": (
        ("namespace N {\n  [Mark]\n  class A : B {\n    int x = 1;\n    int P { get; }\n    A() {}\n    void F() { G(new C()); }\n"
        "  }\n  interface I {}\n  struct S {}\n  enum E { X }\n  record R(int a);\n  delegate void D();\n}\n"),
        ["module N", "class A", "attribute x", "attribute P", "method A", "method F", "interface I", "struct S", "enum E",
         "class R", "type D"],
    ),
    "a.rb": (
        ("module M\n  class A < B\n    LIMIT = 1\n    def f\n      go\n      x.y(1)\n    end\n    def self.g; end\n  end\nend\n"
        "TABLE = {}\n"),
        ["module M", "class A", "attribute LIMIT", "method f", "method g", "constant TABLE"],
    ),
    "a.php": (
        ("<?php\nnamespace N;\nclass A extends B implements C {\n  const X = 1;\n  public $p = 2;\n  function f() { g(new D()); "
        "$this->h(); }\n}\ninterface I {}\ntrait T {}\nenum E {}\nfunction k() {}\nconst Q = 1;\n"),
        ["class A", "attribute X", "attribute p", "method f", "interface I", "trait T", "enum E", "function k",
         "constant Q"],
    ),
    "a.sh": ("LIMIT=3\nf() {\n  grep x\n}\nfunction g {\n  f\n}\n", ["constant LIMIT", "function f", "function g"]),
}  # fmt: skip


@pytest.mark.parametrize("path", SOURCES)
def test_definitions_with_their_kinds(path: str) -> None:
    text, symbols = SOURCES[path]
    found = read_symbols(path, text.encode())
    assert found is not None
    assert [f"{one.kind} {one.name}" for one in found] == symbols


def test_every_query_file_is_used_and_tried_here() -> None:
    languages = {language for path in SOURCES if (language := language_of(path)) is not None}
    used = {name for language in languages for name in language.queries}
    assert used == {path.stem for path in QUERIES.glob("*.scm")}
    assert all(load_grammar(language) for language in languages)


def test_the_version_tells_the_queries_and_the_wheels() -> None:
    version = reading_version()
    assert "tree_sitter_python-" in version
    assert (QUERIES / "go.scm").read_text(encoding="utf-8") in version


def spans(path: str, text: str) -> list[tuple[str, int, int]]:
    found = read_symbols(path, text.encode())
    assert found is not None
    return [(one.name, one.start, one.end) for one in found]


def test_the_comment_right_above_a_definition_belongs_to_it() -> None:
    assert spans("a.go", "package a\n\n// F does.\n// More.\nfunc F() {\n}\n\n// apart\n\nfunc G() {}\n") == [
        ("F", 3, 6),
        ("G", 10, 10),
    ]
    assert spans("a.ts", "/**\n * Says.\n */\nexport function f() {\n}\n") == [("f", 1, 5)]
    assert spans("a.rs", "#[derive(Debug)]\n/// One.\nstruct S {\n}\n") == [("S", 1, 4)]
    assert spans("a.py", "# Why.\n@wrap\ndef f():\n    # inside\n    pass\n") == [("f", 1, 5)]


def test_a_definition_whose_end_the_parser_lost_reaches_over_the_broken_pieces() -> None:
    # The grammar wants a separator before a call signature; TypeScript itself does not.
    text = "interface A {\n  (): X\n  <P>(): Y\n}\nfunction f() {\n}\n"
    assert spans("a.ts", text) == [("A", 1, 4), ("f", 5, 6)]


def test_a_macro_ends_in_its_own_line() -> None:
    assert spans("a.c", "#define A 1\n#define B 2\n") == [("A", 1, 1), ("B", 2, 2)]
