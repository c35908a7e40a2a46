"""What the model said to the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.tui.blocks.block import MARGIN, WIDEST, Block
from kcode.tui.rows import EMPTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.markdown import Document
    from kcode.tui.rows import Row
    from kcode.tui.texts import Texts


class AnswerBlock(Block):
    """Markdown that may still be coming; blank until it says something."""

    tells_taken_back = True

    def __init__(self, number: int, texts: Texts, text: str = "", *, is_live: bool = False) -> None:
        super().__init__(number, texts)
        self._parts = [text]
        self._pending: list[str] = []
        self.is_live = is_live
        self._document: Document | None = None
        self._width = 0

    @property
    def source(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    def linear(self) -> str:
        return f"{self.texts('transcript.linear_answer')}\n{self.source.strip()}" if self.source.strip() else ""

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._pending.append(text)
        self.mark_changed()

    def finish(self, text: str | None = None) -> None:
        """Nothing more comes; `text` is what was said in the end, where that is another."""
        if text is not None and text != self.source:
            self._parts, self._document = [text], None
        self.is_live = False
        if self._document is not None:
            self._feed(self._document)
            self._document.finish()
        self.mark_changed()

    def forget(self) -> None:
        if not self.is_live:
            super().forget()
            self._document = None

    def rows(self, width: int) -> Sequence[Row]:
        if self.is_linear or self.is_taken_back:
            return super().rows(width)
        return self._document_rows(width)

    def _document_rows(self, width: int) -> Sequence[Row]:
        if self._document is None or self._width != width:
            # The blank row before it and the margin are the document's own: a growing list is never copied.
            from kcode.tui.markdown import Document  # noqa: PLC0415 - after the first paint

            self._document = Document(min(width, WIDEST), MARGIN, [EMPTY] if self.is_spaced else [])
            self._width, self._pending = width, [self.source]
            self._laid_out = None
            self._feed(self._document)
            if not self.is_live:
                self._document.finish()
        if self._laid_out != (width, self.version):
            self._feed(self._document)
            rows = self._document.rows()
            self._rows = rows if len(rows) > 2 or any(row.text for row in rows) else []
            self._laid_out = (width, self.version)
        return self._rows

    def lay_out(self, width: int) -> list[Row]:
        return list(self._document_rows(width)[self.is_spaced :])

    def _feed(self, document: Document) -> None:
        for text in self._pending:
            document.feed(text)
        self._pending = []
