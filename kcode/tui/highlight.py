"""Syntax colour for the lines of a file or a code block."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kcode.sanitize import sanitize
from kcode.tui.lines import Line, Role, Span, expand_tabs

if TYPE_CHECKING:
    from pygments.lexer import Lexer

# Beyond that nobody reads it all, and a lexer takes seconds.
_LONGEST_TEXT, _LONGEST_LINE = 600_000, 2_000

# The first of these kinds that a token belongs to decides.
_ROLES = (
    ("Token.Comment", Role.COMMENT),
    ("Token.Keyword.Constant", Role.CONSTANT),
    ("Token.Keyword.Type", Role.TYPE),
    ("Token.Keyword", Role.KEYWORD),
    ("Token.Literal.String", Role.STRING),
    ("Token.Literal.Number", Role.NUMBER),
    ("Token.Name.Function", Role.FUNCTION),
    ("Token.Name.Class", Role.TYPE),
    ("Token.Name.Decorator", Role.FUNCTION),
    ("Token.Name.Builtin", Role.TYPE),
    ("Token.Name.Exception", Role.TYPE),
    ("Token.Name.Constant", Role.CONSTANT),
    ("Token.Name.Tag", Role.KEYWORD),
    ("Token.Name.Attribute", Role.FUNCTION),
    ("Token.Operator.Word", Role.KEYWORD),
    ("Token.Operator", Role.OPERATOR),
    ("Token.Generic.Inserted", Role.ADDED),
    ("Token.Generic.Deleted", Role.REMOVED),
    ("Token.Generic.Heading", Role.HEADING),
    ("Token.Generic.Subheading", Role.HEADING),
)


def highlight_lines(text: str, name: str) -> list[Line]:
    r"""The text's lines, sanitized and coloured as `name`, a path or a language's name, says; split at "\n" alone.

    A line break at the very end makes no line of its own. Takes about a tenth of a millisecond a line, so that what is
    long belongs into a thread.
    """
    lines = text.removesuffix("\n").split("\n")
    lexer = _find_lexer(name) if len(text) <= _LONGEST_TEXT else None
    if lexer is None or any(len(line) > _LONGEST_LINE for line in lines):
        return [plain_line(line) for line in lines]
    return _colored(text, lexer, lines)


def plain_line(text: str, role: Role = Role.TEXT) -> Line:
    """One line of text without colour, made safe to show."""
    return (Span(expand_tabs(sanitize(text)), role),) if text else ()


def _colored(text: str, lexer: Lexer, lines: list[str]) -> list[Line]:
    found: list[Line] = []
    row: list[tuple[str, Role]] = []
    for kind, value in lexer.get_tokens(text):
        role = _role(str(kind))
        head, *rest = value.split("\n")
        row.append((head, role))
        for part in rest:
            found.append(_line(row))
            row = [(part, role)]
    if any(part for part, _ in row):
        found.append(_line(row))
    # Lexers may add or take line breaks at either end; the numbering of lines matters more than their colour.
    same = len(found) == len(lines)
    return found if same else [plain_line(line) for line in lines]


def _line(row: list[tuple[str, Role]]) -> Line:
    spans: list[Span] = []
    done = ""
    for part, role in row:
        if not part:
            continue
        text = sanitize(part)
        if "\t" in text:
            # A tab's width depends on what stands before it.
            text = expand_tabs(done + text)[len(expand_tabs(done)) :]
        done += text
        if spans and spans[-1].role is role:
            spans[-1] = Span(spans[-1].text + text, role)
        else:
            spans.append(Span(text, role))
    return tuple(spans)


@lru_cache(maxsize=512)
def _role(kind: str) -> Role:
    return next((role for prefix, role in _ROLES if kind.startswith(prefix)), Role.TEXT)


def _find_lexer(name: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename  # noqa: PLC0415 - after the first paint
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        return get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        pass
    try:
        return get_lexer_for_filename(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
