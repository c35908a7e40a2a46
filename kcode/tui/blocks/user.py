"""What the user said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kcode.piped import split_piped
from kcode.sanitize import sanitize
from kcode.tui.blocks.block import WIDEST, Block, height_of
from kcode.tui.lines import Role, Span, plain, shorten
from kcode.tui.rows import Row, indented, plain_rows

if TYPE_CHECKING:
    from kcode.tui.texts import Texts

_DECISIONS = re.compile(r"\n\n<review>\n(.*)</review>\Z", re.DOTALL)
_LONGEST_SHOWN, _FEW = 30, 5
_PROMPT = "› "  # noqa: RUF001


class Words(NamedTuple):
    """A message to the model: the user's own words, what was piped in before them, and what kcode told of decisions."""

    own: str
    piped: str = ""
    decisions: str = ""


def words_of(message: str) -> Words:
    """Tell the user's words from the marked blocks around them."""
    decisions = _DECISIONS.search(message)
    if decisions:
        message = message[: decisions.start()]
    piped, message = split_piped(message)
    return Words(message.strip("\n"), piped, decisions[1].strip("\n") if decisions else "")


class UserBlock(Block):
    """The user's message; what was piped in with it, and what is long, is folded.

    `message_index` counts from 0 the session's turns: the one that the message began, or went into. `waits_as` is what
    a message that waits for its turn will be told of as; None of any other.
    """

    can_open = True
    tells_taken_back = True

    def __init__(
        self, number: int, texts: Texts, message: str, message_index: int, *, waits_as: str | None = None
    ) -> None:
        super().__init__(number, texts)
        self.message = message
        self.words = words_of(message)
        self.message_index = message_index
        self.waits_as = waits_as

    @property
    def source(self) -> str:
        return self.words.own or self.words.piped

    def linear(self) -> str:
        who = self.texts("transcript.linear_queued" if self.is_queued else "transcript.linear_user")
        piped = f"{self.texts('transcript.linear_piped')}\n{self.words.piped}\n" if self.words.piped else ""
        return f"{who}\n{piped}{self.words.own}".rstrip("\n")

    @property
    def is_queued(self) -> bool:
        return self.waits_as is not None

    def lay_out(self, width: int) -> list[Row]:
        inner = min(width, WIDEST) - 2
        role = Role.DIM if self.is_queued else Role.USER
        rows = self._own_rows(inner, role)
        rows = rows if self.words.own else []
        if self.words.piped:
            rows = [*self._folded("transcript.piped", self.words.piped, inner), *rows]
        if self.words.decisions:
            rows = [*rows, *self._folded("transcript.decisions", self.words.decisions, inner)]
        if self.is_queued:
            note = Span(f"({self.texts('transcript.queued')})", Role.WARNING)
            rows.append(Row((note,), len(note.text)))
        return indented(rows, (Span(_PROMPT, Role.ACCENT),), (Span("  "),))

    def _own_rows(self, width: int, role: Role) -> list[Row]:
        """The user's words; of very many only the first, and about how many rows more there are."""
        own = self.words.own
        start = own if self.is_open else own[: width * (_LONGEST_SHOWN + _FEW)]
        rows = plain_rows(sanitize(start), width, role)
        if self.is_open or (len(rows) <= _LONGEST_SHOWN + _FEW and len(start) == len(own)):
            return rows
        hidden = sum(1 + len(line) // width for line in own.split("\n")) - _LONGEST_SHOWN
        return [*rows[:_LONGEST_SHOWN], self._fold(self.texts("transcript.more_lines", count=hidden), width)]

    def estimate(self, width: int) -> int:
        return (
            1
            + min(height_of(self.words.own, min(width, WIDEST) - 2), _LONGEST_SHOWN + _FEW)
            + sum(map(bool, self.words[1:]))
        )

    def _folded(self, key: str, text: str, width: int) -> list[Row]:
        head = self._fold(self.texts(key, count=text.count("\n") + 1), width)
        return [head, *(plain_rows(sanitize(text), width, Role.DIM) if self.is_open else [])]

    def _fold(self, text: str, width: int) -> Row:
        line = shorten((Span(f"{'▾' if self.is_open else '▸'} {text}", Role.DIM),), width)
        return Row(self.clickable(line), len(plain(line)))
