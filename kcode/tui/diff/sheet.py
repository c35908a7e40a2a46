"""All that the review shows of one file: its two texts, its hunks, and what is known and said of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kcode.draft.files import LINK
from kcode.draft.hunks import is_binary
from kcode.draft.review import Decision
from kcode.draft.selection import keys_of
from kcode.tui.diff.moved import Moved, Spot
from kcode.tui.diff.notes import file_notes, notes_of
from kcode.tui.diff.pairing import word_marks
from kcode.tui.diff.rows import Kind, Row, pairs_of, rows_of
from kcode.tui.diff.sides import Ending, side_of
from kcode.tui.highlight import plain_line
from kcode.tui.lines import plain, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kcode.draft.files import FileChange, Hunk
    from kcode.tui.diff.pairing import Marks, Pair
    from kcode.tui.diff.rows import Shape
    from kcode.tui.diff.sides import Side
    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts


@dataclass(frozen=True, slots=True)
class Standing:
    """How a hunk, or a file that is decided whole, stands in the review. `is_new`: it came since the last look."""

    decision: Decision = Decision.PENDING
    comment: str = ""
    is_edited: bool = False
    conflicts: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """What takes longer to find out of a hunk: where it stands, by what it was made, what the tests said."""

    within: tuple[str, ...] = ()
    by: str = ""
    tested: str = ""
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Colors:
    """The lines of both texts in syntax colour."""

    old: Sequence[Line] = ()
    new: Sequence[Line] = ()


@dataclass(eq=False)
class Sheet:
    """One file of the review. What is found out later is put in as it comes; `moved` is of the whole proposal."""

    change: FileChange
    texts: Texts
    standings: Mapping[str, Standing]
    learned: Mapping[str, Learned] = field(default_factory=dict)
    moved: Moved = field(default_factory=Moved)
    colors: Colors = field(default_factory=Colors)
    is_excerpt: bool = False
    """What stands between the hunks is not known: the patch alone is."""

    def __post_init__(self) -> None:
        self._pairs: dict[str, list[Pair]] = {}
        self._beside: dict[str, tuple[int, int, dict[int, int], dict[int, int]]] = {}
        self._marks: dict[tuple[int, int], tuple[Marks, Marks]] = {}

    @property
    def path(self) -> str:
        return self.change.path

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of what is decided here, in order."""
        return tuple(hunk.id for hunk in self.change.hunks) or tuple(keys_of(self.change))

    @cached_property
    def hunks(self) -> Mapping[str, Hunk]:
        return {hunk.id: hunk for hunk in self.change.hunks}

    @cached_property
    def is_text(self) -> bool:
        """Whether there are lines to be shown."""
        states = [state for state in (self.change.before, self.change.after) if state]
        return not any(state.mode == LINK or is_binary(state) for state in states)

    @cached_property
    def old(self) -> Side:
        return side_of(self.change.before if self.is_text else None)

    @cached_property
    def new(self) -> Side:
        return side_of(self.change.after if self.is_text else None)

    @cached_property
    def mixes_endings(self) -> bool:
        """Whether lines end in more than one way in the two texts."""
        return len({*self.old.endings, *self.new.endings} - {Ending.NONE}) > 1

    @cached_property
    def longest(self) -> int:
        """How many cells the widest line may take; tabs are counted at their widest."""
        return max((_width(line) for side in (self.old, self.new) for line in side.lines), default=0)

    def color(self, colors: Colors) -> None:
        """Show both texts in colour from here on."""
        if colors is not self.colors:
            self.colors = colors
            self._marks.clear()

    def standing(self, key: str) -> Standing:
        return self.standings.get(key) or Standing()

    def notes(self) -> dict[str, list[tuple[str, str]]]:
        """What is said below each hunk's head: beside the change itself, all that says which rows there are."""
        return {key: notes_of(self, key) for key in self.keys}

    def rows(self, shape: Shape) -> list[Row]:
        notes = {key: len(said) for key, said in self.notes().items()}
        head = [Row(Kind.FILE, note=number) for number in range(len(file_notes(self)))]
        if self.change.hunks:
            return head + rows_of(self.change.hunks, len(self.old.lines), shape, self.pairs, notes)
        whole = [Row(Kind.HEAD, self.path), *(Row(Kind.NOTE, self.path, note=i) for i in range(notes[self.path]))]
        same = len(self.old.lines) if self.old.lines == self.new.lines else 0
        return head + whole + rows_of((), same, shape, self.pairs, notes)

    def pairs(self, hunk: Hunk) -> list[Pair]:
        if hunk.id not in self._pairs:
            self._pairs[hunk.id] = pairs_of(hunk)
        return self._pairs[hunk.id]

    def line(self, place: int, *, is_new: bool) -> Line:
        """A line as it is shown, in colour once that is known."""
        colored = self.colors.new if is_new else self.colors.old
        if place < len(colored):
            return colored[place]
        return plain_line((self.new if is_new else self.old).lines[place])

    def partner(self, row: Row) -> Row:
        """The row with both places of a pair, where only one of them stands in this one."""
        if row.kind is Kind.PAIR:
            return row
        first_old, first_new, olds, news = self._partners(row.key)
        if row.kind is Kind.REMOVED:
            beside = olds.get(row.old - first_old)
            return row._replace(new=-1 if beside is None else first_new + beside)
        beside = news.get(row.new - first_new)
        return row._replace(old=-1 if beside is None else first_old + beside)

    def _partners(self, key: str) -> tuple[int, int, dict[int, int], dict[int, int]]:
        if key not in self._beside:
            hunk = self.hunks[key]
            both = [(old, new) for old, new in self.pairs(hunk) if old is not None and new is not None]
            first_old = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
            first_new = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
            self._beside[key] = first_old, first_new, dict(both), {new: old for old, new in both}
        return self._beside[key]

    def marks(self, old: int, new: int) -> tuple[Marks, Marks]:
        """The characters that differ in an old and a new line, as they are shown."""
        if (old, new) not in self._marks:
            lines = self.line(old, is_new=False), self.line(new, is_new=True)
            self._marks[old, new] = word_marks(plain(lines[0]), plain(lines[1]))
        return self._marks[old, new]

    def ending(self, place: int, *, is_new: bool) -> Ending:
        return (self.new if is_new else self.old).endings[place]

    def moved_at(self, place: int, *, is_new: bool) -> Spot | None:
        """Where a line came from or went to."""
        if not self.moved.come:
            return None
        if is_new:
            return self.moved.come.get(Spot(self.path, place))
        return self.moved.gone.get(Spot(self.change.old_path or self.path, place))


def _width(line: str) -> int:
    return len(line) + 3 * line.count("\t") if line.isascii() else width_of(plain_line(line))
