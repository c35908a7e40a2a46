"""The definitions of a source file, read with tree-sitter. A language is a row of the table below."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.tooling import Definition

if TYPE_CHECKING:
    from tree_sitter import Node

_LONGEST_HEAD, _LONGEST_ASSIGNMENT = 200, 100
# Parsing takes about a second for 5 MB; a larger source file is generated.
_LARGEST_FILE = 5_000_000


@dataclass(frozen=True, slots=True)
class _Language:
    """`grammar` is a wheel's module, `query` captures what defines, in tree-sitter's query language.

    `wrappers` are the nodes around a definition that belong to it: decorators, `export`. What a module assigns at its
    top is captured as `assigned`.
    """

    grammar: str
    query: str
    wrappers: frozenset[str]


_PYTHON = _Language(
    "tree_sitter_python",
    """
    [(class_definition) (function_definition)] @definition
    (module (expression_statement (assignment left: [(identifier) (pattern_list)]) @assigned))
    (module (type_alias_statement) @assigned)
    """,
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
    (program [(lexical_declaration (variable_declarator) @assigned) (variable_declaration (variable_declarator) @assigned)])
    (program (export_statement declaration: [
      (lexical_declaration (variable_declarator) @assigned) (variable_declaration (variable_declarator) @assigned)]))
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
    """Classes, functions, methods and what the module assigns at its top, in source order.

    None for a language, or a size, that is not read here. A definition begins at its decorators or its `export`; of
    several that begin in one line the outermost is given. Its text is its line, or its head in one line when that is
    longer. A file with syntax errors gives what can still be made out.
    """
    dot = path.rfind(".")
    language = _LANGUAGES.get(path[dot:].lower()) if dot >= 0 else None
    if language is None or len(data) > _LARGEST_FILE:
        return None
    nodes = _defining_nodes(language, data)
    return None if nodes is None else _nest(nodes, language.wrappers, data)


def _defining_nodes(language: _Language, data: bytes) -> list[tuple[Node, bool]] | None:
    """Each node with whether it is an assignment; None where the grammar's wheel is missing or for another version."""
    try:
        import tree_sitter  # noqa: PLC0415 - a compiled library that most commands never need

        grammar = tree_sitter.Language(importlib.import_module(language.grammar).language())
    except (ImportError, ValueError):
        return None
    root = tree_sitter.Parser(grammar).parse(data).root_node
    captured = tree_sitter.QueryCursor(tree_sitter.Query(grammar, language.query)).captures(root)
    found = {node.id: (node, True) for node in captured.get("assigned", []) if not _is_import(node)}
    found |= {node.id: (node, False) for node in captured.get("definition", [])}
    return sorted(found.values(), key=lambda pair: (pair[0].start_byte, -pair[0].end_byte))


def _is_import(node: Node) -> bool:
    value = node.child_by_field_name("value")
    text = value.text if value is not None else None
    return bool(text and re.match(rb"(?:await\s+)?(?:require|import)\s*\(", text))


def _nest(nodes: list[tuple[Node, bool]], wrappers: frozenset[str], data: bytes) -> list[Definition]:
    lines = data.split(b"\n")
    found: list[Definition] = []
    open_ends: list[int] = []
    last_row = -1
    for node, is_assignment in nodes:
        while open_ends and open_ends[-1] <= node.start_byte:
            open_ends.pop()
        row = node.start_point[0]
        if row != last_row:
            line = lines[row].decode("utf-8", "replace").strip()
            text = _cut(line, _LONGEST_ASSIGNMENT) if is_assignment else _cut(_head(node, data) or line, _LONGEST_HEAD)
            found.append(Definition(_first_row(node, wrappers) + 1, node.end_point[0] + 1, len(open_ends), text))
            last_row = row
        open_ends.append(node.end_byte)
    return found


def _head(node: Node, data: bytes) -> str:
    """All before the body, comments left out, in one line; "" where that is one line already."""
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    body = (value or node).child_by_field_name("body")
    last = body.prev_sibling if body is not None else None
    while last is not None and last.type == "comment":
        last = last.prev_sibling
    if body is None or last is None or last.end_point[0] == node.start_point[0]:
        return ""
    pieces, done = [], data.rfind(b"\n", 0, node.start_byte) + 1
    for comment in _comments(node, last.end_byte):
        pieces.append(data[done : comment.start_byte])
        done = comment.end_byte
    brace = " {" if data[body.start_byte : body.start_byte + 1] == b"{" else ""
    words = " ".join(b" ".join([*pieces, data[done : last.end_byte]]).decode("utf-8", "replace").split())
    return re.sub(r",? ([)\]}])", r"\1", re.sub(r"([(\[{]) ", r"\1", words)) + brace


def _comments(node: Node, end: int) -> list[Node]:
    found, unread = [], [node]
    while unread:
        one = unread.pop()
        if one.type == "comment":
            found.append(one)
        unread += [child for child in reversed(one.children) if child.start_byte < end]
    return found


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} …"


def _first_row(node: Node, wrappers: frozenset[str]) -> int:
    parent = node.parent
    return parent.start_point[0] if parent is not None and parent.type in wrappers else node.start_point[0]
