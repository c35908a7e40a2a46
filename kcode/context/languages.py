"""The languages that kcode reads: which grammar parses a file, and what its query calls a definition."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Parser, Query

_QUERIES = Path(__file__).with_name("queries")


@dataclass(frozen=True, slots=True)
class Language:
    """`module` is a grammar's wheel and `function` the function in it; `queries` are files of the folder beside this one.

    In a query every capture is a definition, and is its kind. `wrappers` are the nodes around a definition that belong to it: decorators, `export`. A line that begins with one of `comments`
    is a comment, or what belongs to the definition below it in the same way.
    """

    name: str
    module: str
    queries: tuple[str, ...]
    function: str = "language"
    wrappers: frozenset[str] = frozenset()
    comments: tuple[bytes, ...] = (b"//", b"/*", b"*")


def _plain(name: str, *wrappers: str) -> Language:
    return Language(name, f"tree_sitter_{name}", (name,), wrappers=frozenset(wrappers))


def _with_hashes(name: str, *wrappers: str) -> Language:
    return Language(name, f"tree_sitter_{name}", (name,), wrappers=frozenset(wrappers), comments=(b"#",))


_EXPORT = frozenset({"export_statement"})
_PYTHON = _with_hashes("python", "decorated_definition")
_JAVASCRIPT = Language("javascript", "tree_sitter_javascript", ("javascript",), wrappers=_EXPORT)
_TYPESCRIPT = Language("typescript", "tree_sitter_typescript", ("typescript",), "language_typescript", _EXPORT)
_TSX = Language("tsx", "tree_sitter_typescript", ("typescript",), "language_tsx", _EXPORT)
_C, _CPP = _plain("c"), _plain("cpp", "template_declaration")
_RUBY, _BASH = _with_hashes("ruby"), _with_hashes("bash")
_RUST = Language("rust", "tree_sitter_rust", ("rust",), comments=(b"//", b"/*", b"*", b"#["))
_PHP = Language("php", "tree_sitter_php", ("php",), "language_php")

_BY_ENDING = {
    **dict.fromkeys((".py", ".pyi"), _PYTHON),
    **dict.fromkeys((".js", ".cjs", ".jsx", ".mjs"), _JAVASCRIPT),
    **dict.fromkeys((".ts", ".cts", ".mts"), _TYPESCRIPT),
    ".tsx": _TSX,
    ".go": _plain("go"),
    ".rs": _RUST,
    ".java": _plain("java"),
    ".c": _C,
    # A header may be either; the C++ grammar reads nearly all of C.
    **dict.fromkeys((".h", ".hh", ".hpp", ".hxx", ".cc", ".cpp", ".cxx"), _CPP),
    ".cs": _plain("c_sharp"),
    **dict.fromkeys((".rb", ".rake", ".gemspec"), _RUBY),
    ".php": _PHP,
    **dict.fromkeys((".sh", ".bash"), _BASH),
}


def language_of(path: str) -> Language | None:
    """The language that a file's name tells; None for one without a grammar here."""
    dot = path.rfind(".")
    return _BY_ENDING.get(path[dot:].lower()) if dot >= 0 else None


@cache
def load_grammar(language: Language) -> tuple[Parser, Query] | None:
    """A parser and the language's query; None where the grammar's wheel is missing or for another tree-sitter."""
    try:
        import tree_sitter  # noqa: PLC0415 - a compiled library that most commands never need

        grammar = tree_sitter.Language(getattr(importlib.import_module(language.module), language.function)())
    except (ImportError, ValueError):
        return None
    texts = [(_QUERIES / f"{name}.scm").read_text(encoding="utf-8") for name in language.queries]
    return tree_sitter.Parser(grammar), tree_sitter.Query(grammar, "\n".join(texts))


def reading_version() -> str:
    """What the meaning of a parsed file depends on: the wheels' versions and the queries, as one text."""
    # The names of the folders tell the versions; to ask importlib.metadata for each takes thirty times as long.
    folders = [Path(folder) for folder in sys.path if folder and Path(folder).is_dir()]
    wheels = {found.name for folder in folders for found in folder.glob("tree_sitter*.dist-info")}
    queries = sorted(_QUERIES.glob("*.scm"))
    return "\n".join([*sorted(wheels), *(path.read_text(encoding="utf-8") for path in queries)])
