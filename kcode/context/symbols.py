"""The definitions of a source file, read with tree-sitter. A language is a row of the table below."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.tooling import Definition

if TYPE_CHECKING:
    from tree_sitter import Node

_LONGEST_TEXT = 200
# Parsing takes about a second for 5 MB; a larger source file is generated.
_LARGEST_FILE = 5_000_000


@dataclass(frozen=True, slots=True)
class _Language:
    """`grammar` is a wheel's module, `query` captures what defines, in tree-sitter's query language.

    `wrappers` are the nodes around a definition that belong to it: decorators, `export`.
    """

    grammar: str
    query: str
    wrappers: frozenset[str]


_PYTHON = _Language(
    "tree_sitter_python",
    "[(class_definition) (function_definition)] @definition",
    frozenset({"decorated_definition"}),
)
_JAVASCRIPT = _Language(
    "tree_sitter_javascript",
    """
    [(class_declaration) (function_declaration) (generator_function_declaration) (method_definition)] @definition
    (variable_declarator value: [(arrow_function) (function_expression) (generator_function) (class)]) @definition
    (assignment_expression right: [(arrow_function) (function_expression) (generator_function) (class)]) @definition
    (field_definition value: [(arrow_function) (function_expression)]) @definition
    (pair value: [(arrow_function) (function_expression) (generator_function)]) @definition
    """,
    frozenset({"export_statement"}),
)
_LANGUAGES = {
    ".py": _PYTHON,
    ".pyi": _PYTHON,
    ".js": _JAVASCRIPT,
    ".cjs": _JAVASCRIPT,
    ".jsx": _JAVASCRIPT,
    ".mjs": _JAVASCRIPT,
}


def definitions(path: str, data: bytes) -> list[Definition] | None:
    """Classes, functions and methods in source order; None for a language, or a size, that is not read here.

    A definition begins at its decorators or its `export`; its text is the line of its name, and of several that begin
    in one line the outermost is given. A file with syntax errors gives what can still be made out.
    """
    dot = path.rfind(".")
    language = _LANGUAGES.get(path[dot:].lower()) if dot >= 0 else None
    if language is None or len(data) > _LARGEST_FILE:
        return None
    nodes = _defining_nodes(language, data)
    return None if nodes is None else _nest(nodes, language.wrappers, data.split(b"\n"))


def _defining_nodes(language: _Language, data: bytes) -> list[Node] | None:
    """None where the grammar's wheel is missing or made for another tree-sitter."""
    try:
        import tree_sitter  # noqa: PLC0415 - a compiled library that most commands never need

        grammar = tree_sitter.Language(importlib.import_module(language.grammar).language())
    except (ImportError, ValueError):
        return None
    root = tree_sitter.Parser(grammar).parse(data).root_node
    captured = tree_sitter.QueryCursor(tree_sitter.Query(grammar, language.query)).captures(root)
    return sorted(captured.get("definition", []), key=lambda node: (node.start_byte, -node.end_byte))


def _nest(nodes: list[Node], wrappers: frozenset[str], lines: list[bytes]) -> list[Definition]:
    found: list[Definition] = []
    open_ends: list[int] = []
    last_row = -1
    for node in nodes:
        while open_ends and open_ends[-1] <= node.start_byte:
            open_ends.pop()
        row = node.start_point[0]
        if row != last_row:
            text = lines[row].decode("utf-8", "replace").strip()[:_LONGEST_TEXT]
            found.append(Definition(_first_row(node, wrappers) + 1, node.end_point[0] + 1, len(open_ends), text))
            last_row = row
        open_ends.append(node.end_byte)
    return found


def _first_row(node: Node, wrappers: frozenset[str]) -> int:
    parent = node.parent
    return parent.start_point[0] if parent is not None and parent.type in wrappers else node.start_point[0]
