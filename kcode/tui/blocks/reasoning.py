"""What the model thought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kcode.context.tokens import estimate_tokens
from kcode.sanitize import StreamSanitizer, sanitize
from kcode.tui.blocks.amounts import write_seconds
from kcode.tui.blocks.block import MARGIN, WIDEST, Block, height_of
from kcode.tui.lines import Role, Span, expand_tabs, shorten
from kcode.tui.rows import Flow, Row, indented, plain_rows

if TYPE_CHECKING:
    from kcode.tui.texts import Texts

Reasoning = Literal["open", "collapsed", "hidden"]
_LAST_ROWS = 3


class ReasoningBlock(Block):
    """A header with time and tokens. Live it shows the last lines, opened all of them, else none; it is never Markdown.

    `tokens` are counted by the endpoint where it did, else estimated; `seconds` is None where nobody measured them,
    and less than one is not told.
    """

    can_open = folds = True

    def __init__(self, number: int, texts: Texts, text: str = "", *, is_live: bool = False) -> None:
        super().__init__(number, texts)
        self._parts = [text]
        self.is_live = is_live
        self.seconds: float | None = None
        self._estimate = estimate_tokens(text) if is_live else None
        self._counted: int | None = None
        self._flow: _PlainFlow | None = None
        self._is_hidden = False

    def show(self, how: Reasoning) -> None:
        """Show all of it, its header once the answer begins, or nothing at all."""
        if (how == "hidden") is not self._is_hidden:
            self._is_hidden = how == "hidden"
            self.mark_changed()
        self.chosen = how == "open"
        self.open(is_open=how == "open", by_user=self.chosen)

    @property
    def source(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    @property
    def tokens(self) -> int:
        if self._counted is not None:
            return self._counted
        if self._estimate is None:
            self._estimate = estimate_tokens(self.source)
        return self._estimate

    def linear(self) -> str:
        return f"{self._title()}\n{self.source.strip()}"

    def add(self, text: str, seconds: float) -> None:
        """More of it came; `seconds` have passed since it began."""
        self._parts.append(text)
        # One piece has at least one token, and an estimate is one too high for each piece.
        self._estimate = (self._estimate or 0) + max(estimate_tokens(text) - 1, 1)
        self.seconds = seconds
        if self._flow is not None:
            self._flow.feed(text)
        self.mark_changed()

    def finish(self, text: str | None = None, *, seconds: float | None = None) -> None:
        """Nothing more comes, and it folds itself unless the user wanted it open."""
        if not self.is_live and text is None:
            return
        if text is not None and text != self.source:
            self._parts, self._flow, self._estimate = [text], None, None
        self.is_live = False
        self.seconds = seconds if seconds is not None else self.seconds
        self.open(is_open=False, by_user=False)
        self.mark_changed()

    def count(self, tokens: int) -> None:
        """How many tokens the endpoint says it took."""
        self._counted = tokens
        self.mark_changed()

    def forget(self) -> None:
        super().forget()
        self._flow = None

    def estimate(self, width: int) -> int:
        if self._is_hidden:
            return 0
        return self.is_spaced + 1 + (height_of(self.source, min(width, WIDEST) - 4) if self.is_open else 0)

    def linear_shown(self) -> str:
        return "" if self._is_hidden else super().linear_shown()

    def lay_out(self, width: int) -> list[Row]:
        if self._is_hidden:
            return []
        mark = "▾" if self.is_open or self.is_live else "▸"
        shown = self.clickable(shorten((Span(f"{mark} {self._title()}", Role.DIM),), width - 2))
        head = Row((*MARGIN, *shown), len(MARGIN[0].text))
        inner = max(min(width, WIDEST) - 4, 8)
        body: list[Row] = []
        if self.is_open:
            body = self._whole(inner)
        elif self.is_live:
            body = self._last(inner)
        margin = (Span("    "),)
        return [head, *indented(body, margin, margin)]

    def _whole(self, width: int) -> list[Row]:
        if self._flow is None or self._flow.width != width:
            self._flow = _PlainFlow(width, Role.REASONING)
            self._flow.feed(self.source)
        return self._flow.rows()

    def _last(self, width: int) -> list[Row]:
        """The last rows, for which nothing before them need be laid out."""
        # Rows are broken from the line's beginning; where that lies far back, a near blank serves as well.
        room = width * (_LAST_ROWS + 2)
        text = ""
        for part in reversed(self._parts):
            text = part + text
            if len(text) > 2 * room:
                break
        text = text[-room:].partition(" ")[2] if len(text) > room and "\n" not in text[-room:] else text[-2 * room :]
        rows = [row for row in plain_rows(sanitize(text.rstrip()), width, Role.REASONING) if row.line]
        return rows[-_LAST_ROWS:]

    def _title(self) -> str:
        parts = [f"{self.texts('transcript.tokens', count=self.tokens, tokens=f'{self.tokens:,}')}"]
        seconds = ""
        if self.seconds is not None and self.seconds >= 1:
            seconds = " " + write_seconds(self.seconds, self.texts, exact=False)
            if self.is_live:
                parts.append(self.texts("transcript.rate", rate=f"{self.tokens / self.seconds:.0f}"))
        words = self.texts("transcript.thinking" if self.is_live else "transcript.thought")
        return " · ".join([words + seconds, *parts])


class _PlainFlow:
    """Text without marks that grows, in rows."""

    def __init__(self, width: int, role: Role) -> None:
        self.width = width
        self._role = role
        self._flow = Flow(width)
        self._sanitizer = StreamSanitizer()

    def feed(self, text: str) -> None:
        *lines, rest = self._sanitizer.feed(text).split("\n")
        for line in lines:
            self._add(line)
            self._flow.end_line()
        self._add(rest)

    def rows(self) -> list[Row]:
        rows = [*self._flow.final, *self._flow.tail()]
        while rows and not rows[-1].text:
            rows.pop()
        return rows

    def _add(self, text: str) -> None:
        if text:
            self._flow.add((Span(expand_tabs(text), self._role),))
