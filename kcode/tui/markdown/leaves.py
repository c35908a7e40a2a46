"""The blocks of a document as things that grow, each with its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kcode.tui.lines import Role, Span
from kcode.tui.markdown.code import Code
from kcode.tui.markdown.paragraph import Paragraph
from kcode.tui.markdown.structure import Kind
from kcode.tui.rows import Flow, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.markdown.table import Table


class Leaf(Protocol):
    """A block that grows: `final` holds the rows that stay, until `generation` goes up."""

    @property
    def generation(self) -> int: ...

    @property
    def final(self) -> Sequence[Row]: ...

    def add(self, text: str) -> None:
        """Add a line, or the beginning of a long one."""

    def more(self, text: str) -> None:
        """Add to the line."""

    def end_line(self) -> None: ...

    def close(self) -> None:
        """Nothing more comes: from here on all rows are final."""

    def preview(self, text: str | None) -> list[Row]:
        """The rows behind the final ones, as if `text` had come as one more line."""


class Literal:
    """Lines that are shown as they are."""

    generation = 0

    def __init__(self, width: int, role: Role) -> None:
        self._flow = Flow(width)
        self._role = role

    @property
    def final(self) -> list[Row]:
        return self._flow.final

    def add(self, text: str) -> None:
        self._flow.add((Span(text, self._role),))

    more = add

    def end_line(self) -> None:
        self._flow.end_line()

    def close(self) -> None:
        pass

    def preview(self, text: str | None) -> list[Row]:
        return self._flow.tail((Span(text or "", self._role),))


class Rule:
    """A line across."""

    generation = 0

    def __init__(self, width: int) -> None:
        self.final = [Row((Span("─" * width, Role.RULE),))]

    def add(self, text: str) -> None:
        pass

    more = add

    def end_line(self) -> None:
        pass

    def close(self) -> None:
        pass

    def preview(self, _text: str | None) -> list[Row]:
        return []


class TableLeaf:
    """A table whose last row may still be coming."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._row = ""

    @property
    def generation(self) -> int:
        return self._table.generation

    @property
    def final(self) -> list[Row]:
        return self._table.final

    def add(self, text: str) -> None:
        self._row = text

    def more(self, text: str) -> None:
        self._row += text

    def end_line(self) -> None:
        self._table.add(self._row)
        self._row = ""

    def close(self) -> None:
        pass

    def preview(self, text: str | None) -> list[Row]:
        row = self._row or text or ""
        return self._table.preview(row) if row.strip() else []


class CodeLeaf:
    """A block of code whose last line may still be coming."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._is_open_line = False

    @property
    def generation(self) -> int:
        return self._code.generation

    @property
    def final(self) -> list[Row]:
        return self._code.final

    def add(self, text: str) -> None:
        self._code.add(text)
        self._is_open_line = True

    more = add

    def end_line(self) -> None:
        self._code.end_line()
        self._is_open_line = False

    def close(self) -> None:
        self._code.close()

    def preview(self, text: str | None) -> list[Row]:
        return self._code.preview(text or "") if text or self._is_open_line else []


def make_leaf(kind: Kind, info: str, width: int, *, quoted: bool) -> Leaf:
    match kind:
        case Kind.HEADING:
            return Paragraph(width, Role.HEADING if info in {"1", "2"} else Role.STRONG)
        case Kind.CODE:
            return CodeLeaf(Code(info, width))
        case Kind.RULE:
            return Rule(width)
        case Kind.HTML:
            return Literal(width, Role.DIM)
        case Kind.TABLE | Kind.PARAGRAPH:
            return Paragraph(width, Role.QUOTE if quoted else Role.TEXT)
