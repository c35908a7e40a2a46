"""The definitions of a source file, read with tree-sitter. A language is a row of the table below."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.tooling import Definition

if TYPE_CHECKING:
    from tree_sitter import Node

_LONGEST_TEXT = 200
# A parser needs about a second for 5 MB; a larger source file is generated.
_LARGEST_FILE = 5_000_000


@dataclass(frozen=True, slots=True)
class _Language:
    """`grammar` is a wheel's module, `kinds` the nodes that define.

    `valued` are nodes that define only when their value is one of `values`, as `const f = () => …` does; `wrappers`
    are nodes that belong to the definition in them: decorators, `export`.
    """

    grammar: str
    kinds: frozenset[str]
    wrappers: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


_PYTHON = _Language(
    "tree_sitter_python",
    kinds=frozenset({"class_definition", "function_definition"}),
    wrappers=frozenset({"decorated_definition"}),
)
_JAVASCRIPT = _Language(
    "tree_sitter_javascript",
    kinds=frozenset(
        {"class_declaration", "function_declaration", "generator_function_declaration", "method_definition"}
    ),
    wrappers=frozenset({"export_statement", "lexical_declaration", "variable_declaration", "expression_statement"}),
    valued=frozenset({"variable_declarator", "assignment_expression", "field_definition", "pair"}),
    values=frozenset({"arrow_function", "function_expression", "generator_function", "class"}),
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

    A definition begins at its decorators or its `export`; its text is the line of its name. A file with syntax errors
    gives what can still be made out.
    """
    dot = path.rfind(".")
    language = _LANGUAGES.get(path[dot:].lower()) if dot >= 0 else None
    if language is None or len(data) > _LARGEST_FILE:
        return None
    root = _parse(language.grammar, data)
    return None if root is None else _collect(root, language, data.split(b"\n"))


def _parse(grammar: str, data: bytes) -> Node | None:
    """None where the grammar's wheel is missing or made for another tree-sitter."""
    try:
        import tree_sitter  # noqa: PLC0415 - a compiled library that most commands never need

        language = tree_sitter.Language(importlib.import_module(grammar).language())
    except (ImportError, ValueError):
        return None
    return tree_sitter.Parser(language).parse(data).root_node


def _collect(root: Node, language: _Language, lines: list[bytes]) -> list[Definition]:
    """Walk the tree without recursion: generated code nests deeper than Python's stack."""
    found: list[Definition] = []
    stack: list[tuple[Node, int, int | None]] = [(root, 0, None)]
    while stack:
        node, depth, outer_row = stack.pop()
        inner_depth, inner_row = depth, None
        if _defines(node, language):
            row = node.start_point[0]
            text = lines[row].decode("utf-8", "replace").strip()[:_LONGEST_TEXT]
            found.append(Definition((row if outer_row is None else outer_row) + 1, _last_row(node) + 1, depth, text))
            inner_depth = depth + 1
        elif node.type in language.wrappers:
            inner_row = node.start_point[0] if outer_row is None else outer_row
        stack += [(child, inner_depth, inner_row) for child in reversed(node.named_children)]
    return found


def _defines(node: Node, language: _Language) -> bool:
    if node.type in language.kinds:
        return True
    if node.type not in language.valued:
        return False
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    return value is not None and value.type in language.values


def _last_row(node: Node) -> int:
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point[0] else row
