"""What kcode has to say, and what a turn took."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from kcode.sanitize import sanitize
from kcode.tui.blocks.block import MARGIN, WIDEST, Block
from kcode.tui.lines import Role, Span
from kcode.tui.rows import Row, indented, plain_rows

if TYPE_CHECKING:
    from kcode.tui.texts import Texts


class NoticeKind(Enum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_LOOKS = {
    NoticeKind.INFO: ("· ", Role.DIM),
    NoticeKind.WARNING: ("! ", Role.WARNING),
    NoticeKind.ERROR: ("✗ ", Role.BAD),
}


class NoticeBlock(Block):
    """A remark of one line or some; what counts down or goes on is said anew in the same place."""

    def __init__(self, number: int, texts: Texts, text: str, kind: NoticeKind = NoticeKind.INFO) -> None:
        super().__init__(number, texts)
        self.text = text
        self.kind = kind

    @property
    def source(self) -> str:
        return self.text

    def linear(self) -> str:
        return f"{self.texts(f'transcript.linear_{self.kind.value}')} {self.text}"

    def say(self, text: str, kind: NoticeKind | None = None) -> None:
        """Say something else in the same place."""
        self.text, self.kind = text, kind or self.kind
        self.mark_changed()

    def lay_out(self, width: int) -> list[Row]:
        mark, role = _LOOKS[self.kind]
        rows = plain_rows(sanitize(self.text), max(min(width, WIDEST) - 4, 8), role)
        return indented(rows, (*MARGIN, Span(mark, role)), (*MARGIN, Span("  ")))


class TurnEndBlock(Block):
    """The line under a turn."""

    def __init__(self, number: int, texts: Texts, text: str) -> None:
        super().__init__(number, texts)
        self.text = text

    @property
    def source(self) -> str:
        return self.text

    def linear(self) -> str:
        return self.text

    def lay_out(self, width: int) -> list[Row]:
        return indented(plain_rows(self.text, max(width - 2, 8), Role.GUTTER), MARGIN, MARGIN)
