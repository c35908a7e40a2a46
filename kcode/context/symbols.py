"""The definitions of a source file, read with tree-sitter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.context.languages import language_of, load_grammar

if TYPE_CHECKING:
    from tree_sitter import Node

    from kcode.context.languages import Language
    from kcode.tooling import Definition

_LONGEST_HEAD, _LONGEST_LINE = 200, 100
# Parsing takes about a second for 5 MB; a larger source file is generated.
_LARGEST_FILE = 5_000_000
# What is shown as its first line, without a look for where the body begins.
_ASSIGNED = frozenset({"constant", "attribute"})
# A function in one of these is a method.
_WITH_METHODS = frozenset({"class", "struct", "interface", "trait", "impl", "enum"})
# Of a node captured twice, the first of these kinds that it has counts.
_PRECEDENCE = ("class", "struct", "interface", "method", "function")
_NAME_FIELDS = ("left", "property", "key", "declarator", "type")
_IDENTIFIER = re.compile(r"[^\W\d][\w$]*")
# What stands on its own in a file, and is no broken piece of what stands before it.
_WHOLE = re.compile(r"(?:statement|declaration|definition|directive|item|specifier)$")


@dataclass(frozen=True, slots=True)
class Symbol:
    """One definition. `kind` is `function`, `method`, `class` or another capture of the language's query.

    Lines are counted from 1, `end` is included; `depth` says in how many others it stands. `text` is its line, or its
    head in one line.
    """

    name: str
    kind: str
    start: int
    end: int
    depth: int
    text: str


def definitions(path: str, data: bytes) -> list[Definition] | None:
    """Classes, functions, methods and what the module assigns at its top, in source order.

    None for a language, or a size, that is not read here. A definition begins at its decorators or its `export`; of
    several that begin in one line the outermost is given. Its text is its line, or its head in one line when that is
    longer. The comment right above a definition belongs to it. A file with syntax errors gives what can still be made out.
    """
    from kcode.tooling import Definition  # noqa: PLC0415 - a tenth of what the map takes, which has no use for it

    symbols = read_symbols(path, data)
    if symbols is None:
        return None
    shown = (symbol for symbol in symbols if symbol.kind != "attribute")
    return [Definition(symbol.start, symbol.end, symbol.depth, symbol.text) for symbol in shown]


def outline(path: str, data: bytes) -> list[Definition] | None:
    """The definitions for a reader: where the file does not parse, that is said before them, and no piece is listed."""
    from kcode.tooling import Definition  # noqa: PLC0415 - as above

    found = definitions(path, data)
    broken = _broken_lines(path, data) if found is not None else []
    if found is None or not broken:
        return found
    line = broken[0].start
    said = f"does not parse near line {line}: what is listed may be incomplete"
    whole = [one for one in found if not (one.start == one.end and any(one.start in lines for lines in broken))]
    return [Definition(line, line, 0, said), *whole]


def _broken_lines(path: str, data: bytes) -> list[range]:
    """The lines that the parser could make nothing of, in order."""
    language = language_of(path)
    grammar = load_grammar(language) if language is not None else None
    if grammar is None:
        return []
    found, unread = [], [grammar[0].parse(data).root_node]
    while unread:
        node = unread.pop()
        if node.is_error or node.is_missing:
            found.append(range(node.start_point[0] + 1, node.end_point[0] + 2))
        elif node.has_error:
            unread += reversed(node.children)
    return found


def read_symbols(path: str, data: bytes, lines: list[bytes] | None = None) -> tuple[Symbol, ...] | None:
    """All that the language's query captures, in source order; None for a language, or a size, that is not read here.

    `lines` are those of the data, where the caller has split it already.
    """
    language = language_of(path)
    grammar = load_grammar(language) if language is not None and len(data) <= _LARGEST_FILE else None
    if language is None or grammar is None:
        return None
    import tree_sitter  # noqa: PLC0415 - a compiled library that most commands never need

    parser, query = grammar
    captured = tree_sitter.QueryCursor(query).captures(parser.parse(data).root_node)
    return _nest(_defining_nodes(captured), language, data, lines or data.split(b"\n"))


def _defining_nodes(captured: dict[str, list[Node]]) -> list[tuple[int, int, int, Node, str]]:
    """Each node once, with where it starts and ends in bytes, in source order and an outer one before its inner ones."""
    kinds = [*_PRECEDENCE, *sorted(captured.keys() - set(_PRECEDENCE))]
    # The number keeps two nodes of one place from being compared.
    found: dict[int, tuple[int, int, int, Node, str]] = {}
    for kind in kinds:
        for node in captured.get(kind, ()):
            number = node.id
            if number not in found and not (kind == "constant" and _is_import(node)):
                found[number] = (node.start_byte, -node.end_byte, len(found), node, kind)
    return sorted(found.values())


def _is_import(node: Node) -> bool:
    value = node.child_by_field_name("value")
    text = value.text if value is not None else None
    return bool(text and re.match(rb"(?:await\s+)?(?:require|import)\s*\(", text))


def _nest(
    nodes: list[tuple[int, int, int, Node, str]], language: Language, data: bytes, lines: list[bytes]
) -> tuple[Symbol, ...]:
    found: list[Symbol] = []
    around: list[tuple[int, str]] = []
    last_row = -1
    for start, negative_end, _, node, kind in nodes:
        while around and around[-1][0] <= start:
            around.pop()
        row, (end_row, end_column) = node.start_point[0], node.end_point
        # Some definitions end with their line's end, and so in the next line.
        end_row -= end_column == 0 and end_row > row
        inner_kind = "method" if kind == "function" and around and around[-1][1] in _WITH_METHODS else kind
        if row != last_row:
            line = lines[row].decode("utf-8", "replace").strip()
            if kind in _ASSIGNED:
                text = _cut(line, _LONGEST_LINE)
            else:
                text = _cut(line if row == end_row or _is_whole(line) else _head(node, data) or line, _LONGEST_HEAD)
            name = _name(node)
            first = _first_row(node, language, lines)
            found.append(Symbol(name, inner_kind, first + 1, _last_row(node, end_row) + 1, len(around), text))
            last_row = row
        around.append((-negative_end, kind))
    return tuple(found)


def _name(node: Node) -> str:
    """The identifier that the node defines; of `A, B = …` and of `type A<T>` the first, of `a.b.c = …` the last."""
    named = node.child_by_field_name("name") or _named_part(node)
    if named is not None and named.child_count == 0:
        return (named.text or b"").decode("utf-8", "replace").strip("\"'")
    if named is None:
        named = next(iter(node.named_children), node)
    while (inner := named.child_by_field_name("declarator") or named.child_by_field_name("name")) is not None:
        named = inner
    text = (named.text or b"").decode("utf-8", "replace")
    if named.type in {"member_expression", "attribute", "subscript_expression"}:
        text = text.rpartition(".")[2]
    found = _IDENTIFIER.search(text)
    return found.group() if found else text.strip("\"'")[:_LONGEST_LINE]


def _named_part(node: Node) -> Node | None:
    for field in _NAME_FIELDS:
        part = node.child_by_field_name(field)
        if part is not None:
            return part
    return None


def _is_whole(line: str) -> bool:
    """Whether a definition's head plainly ends with its line, which spares a look at its nodes."""
    return line.endswith((":", "{")) and line.count("(") == line.count(")") and line.count("[") == line.count("]")


def _head(node: Node, data: bytes) -> str:
    """All before the body, comments left out, in one line; "" where that is one line already."""
    body = node.child_by_field_name("body")
    if body is None:
        value = node.child_by_field_name("value") or node.child_by_field_name("right")
        body = value.child_by_field_name("body") if value is not None else None
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


def _first_row(node: Node, language: Language, lines: list[bytes]) -> int:
    row = node.start_point[0]
    if language.wrappers:
        parent = node.parent
        row = parent.start_point[0] if parent is not None and parent.type in language.wrappers else row
    while row > 0 and lines[row - 1].lstrip().startswith(language.comments):
        row -= 1
    return row


def _last_row(node: Node, row: int) -> int:
    """The row of the node's end; where the parser lost its closing brace, that of the broken pieces behind it."""
    body = node.child_by_field_name("body") if node.has_error else None
    if body is None or not body.children or not body.children[-1].is_missing:
        return row
    parent = node.parent
    beside = node.next_sibling or (parent.next_sibling if parent is not None else None)
    while beside is not None and not _WHOLE.search(beside.type):
        row = beside.end_point[0]
        beside = beside.next_sibling
    return row
