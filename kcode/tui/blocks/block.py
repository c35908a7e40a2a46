"""What all entries of a conversation have in common: rows that are laid out when they are wanted, and kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from kcode.sanitize import sanitize
from kcode.tui.lines import Line, Role, Span, shorten, width_of
from kcode.tui.rows import EMPTY, Row, plain_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.texts import Texts

MARGIN: Line = (Span("  "),)
# Longer lines of prose are hard to read.
WIDEST = 110


class Block(ABC):
    """One entry. `version` goes up whenever its rows may be others; `number` is its own within the conversation.

    `is_open` says whether all of it is shown; `chosen` that the user said so, which nothing else changes then.
    """

    can_open: ClassVar[bool] = False
    folds: ClassVar[bool] = False
    """Whether its plain text is shown by its first line alone while it is not open."""
    tells_taken_back: ClassVar[bool] = False
    """Whether it says so in words where its turn is taken back; the others are only dimmed."""

    def __init__(self, number: int, texts: Texts) -> None:
        self.number = number
        self.texts = texts
        self.version = 0
        self.is_open = False
        self.chosen = False
        self.is_spaced = True
        self.is_taken_back = False
        self.is_linear = False
        self._rows: list[Row] = []
        self._laid_out: tuple[int, int] | None = None

    @property
    @abstractmethod
    def source(self) -> str:
        """The text that the block is about, as it came; what copying it gives."""

    @abstractmethod
    def linear(self) -> str:
        """All of it as plain text, with words in the place of signs and boxes."""

    @abstractmethod
    def lay_out(self, width: int) -> list[Row]:
        """Its rows at that width. A block that grows may give the same list each time."""

    def rows(self, width: int) -> Sequence[Row]:
        """Its rows with the blank one before them; none where it has nothing to show."""
        if self._laid_out != (width, self.version):
            rows = self._linear_rows(width) if self.is_linear else self.lay_out(width)
            rows = self._dimmed(rows) if self.is_taken_back and rows else rows
            self._rows = [EMPTY, *rows] if rows and self.is_spaced else rows
            self._laid_out = (width, self.version)
        return self._rows

    def linear_shown(self) -> str:
        """What of the plain text is shown: all of it, or of a block that is folded its first line."""
        text = self.linear()
        return text if self.is_open or not self.folds else text.partition("\n")[0]

    def _linear_rows(self, width: int) -> list[Row]:
        text = self.linear_shown()
        return plain_rows(sanitize(text), max(min(width, WIDEST), 8)) if text else []

    def _dimmed(self, rows: Sequence[Row]) -> list[Row]:
        """The rows of what counts no longer, with a word for those who see no colours."""
        dimmed = [row._replace(line=tuple(span._replace(role=Role.GUTTER) for span in row.line)) for row in rows]
        if self.tells_taken_back:
            note = Span(f"({self.texts('transcript.taken_back')})", Role.WARNING)
            dimmed.append(Row((*MARGIN, note), len(note.text) + len(MARGIN[0].text)))
        return dimmed

    def take_back(self, *, is_taken_back: bool) -> None:
        """Show that its turn is taken back, or in force again."""
        if self.is_taken_back is not is_taken_back:
            self.is_taken_back = is_taken_back
            self.mark_changed()

    def lines(self, width: int) -> list[Line]:
        return [row.line for row in self.rows(width)]

    def estimate(self, width: int) -> int:
        """About how many rows it takes, told without laying it out."""
        return self.is_spaced + height_of(self.source, width)

    def forget(self) -> None:
        """Drop what can be laid out again."""
        self._rows, self._laid_out = [], None

    def mark_changed(self) -> None:
        """Its rows are others from here on."""
        self.version += 1

    def open(self, *, is_open: bool, by_user: bool = True) -> None:
        """Show all of it or not; what the user chose stays."""
        if not self.can_open or (self.chosen and not by_user):
            return
        self.chosen = self.chosen or by_user
        if is_open is not self.is_open:
            self.is_open = is_open
            self.mark_changed()

    def clickable(self, line: Line) -> Line:
        """The line, which opens and closes the block when it is clicked."""
        return tuple(span._replace(action=f"toggle_block({self.number})") for span in line)


def height_of(text: str, width: int) -> int:
    """About how many rows a text takes."""
    return 1 + text.count("\n") + len(text) // max(width, 10)


def headline(left: Line, subject: Line, right: Line, width: int) -> Line:
    """The three parts on one row; where they are too long, the subject gives way first."""
    room = width - width_of(left) - width_of(right)
    if width_of(subject) > room:
        subject = shorten(subject, max(room, 8))
    return shorten((*left, *subject, *right), width)
