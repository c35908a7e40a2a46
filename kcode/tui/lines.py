"""Lines of styled text as values: what is drawn is made of them, and can be tested without a terminal."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, split_graphemes, split_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TAB = 4
_RUN = re.compile(" +|[^ ]+")


class Role(Enum):
    """What a piece of text is; a palette says how that looks."""

    TEXT = "text"
    DIM = "dim"
    STRONG = "strong"
    EMPHASIS = "emphasis"
    STRUCK = "struck"
    HEADING = "heading"
    CODE = "code"
    LINK = "link"
    QUOTE = "quote"
    RULE = "rule"
    USER = "user"
    REASONING = "reasoning"
    TOOL = "tool"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    ACCENT = "accent"
    GUTTER = "gutter"
    BLANK = "blank"
    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    KEYWORD = "keyword"
    STRING = "string"
    NUMBER = "number"
    COMMENT = "comment"
    FUNCTION = "function"
    TYPE = "type"
    CONSTANT = "constant"
    OPERATOR = "operator"


class Ground(Enum):
    """What a piece of text lies on."""

    PANEL = "panel"
    CURSOR = "cursor"
    SELECTION = "selection"
    ADDED = "added"
    ADDED_WORD = "added word"
    REMOVED = "removed"
    REMOVED_WORD = "removed word"
    FOUND = "found"


class Span(NamedTuple):
    """A piece of a line; `text` is sanitized and has neither newlines nor tabs. `action` is what a click on it runs."""

    text: str
    role: Role = Role.TEXT
    ground: Ground | None = None
    action: str = ""


Line = tuple[Span, ...]


def plain(line: Line) -> str:
    return "".join(span.text for span in line)


def width_of(line: Line) -> int:
    """How many cells the line takes."""
    return sum(cell_len(span.text) for span in line)


def on(ground: Ground, line: Line) -> Line:
    """The line on this ground, but for what has one of its own."""
    return tuple(span if span.ground else span._replace(ground=ground) for span in line)


def cut(line: Line, start: int, end: int) -> Line:
    """The cells from `start` up to `end`; half of a wide character is a blank."""
    spans: list[Span] = []
    at = 0
    for span in line:
        size = cell_len(span.text)
        first, last = max(start - at, 0), min(end - at, size)
        at += size
        if first >= last:
            continue
        spans.append(span if (first, last) == (0, size) else span._replace(text=_cut_text(span.text, first, last)))
    return tuple(spans)


def _cut_text(text: str, start: int, end: int) -> str:
    if text.isascii():
        return text[start:end]
    kept = split_text(text, end)[0]
    return split_text(kept, start)[1] if start else kept


def shorten(line: Line, width: int) -> Line:
    """The line, with … at its end where it is longer than that."""
    if width_of(line) <= width:
        return line
    return (*cut(line, 0, max(width - 1, 0)), Span("…", Role.DIM))[: None if width else 0]


def wrap(line: Line, width: int, *, hang: int = 0) -> list[Line]:
    """The line in rows of at most `width` cells, broken at blanks where there are any; later rows hang in by `hang`.

    Nothing but the blanks at which it is broken gets lost. At least one row comes back.
    """
    width = max(width, 2)
    hang = min(hang, max(width // 2, 2), width - 2)
    rows: list[list[Span]] = [[]]
    used, room = 0, width
    for word, is_blank in _words(line):
        size = width_of(word)
        if used + size <= room:
            rows[-1] += word
            used += size
            continue
        if is_blank:
            used = room + 1  # the row ends here, and the blanks with it: not even an accent fits any more
            continue
        if used:
            rows.append([])
            used, room = 0, width - hang
        for piece in _chopped(word, width - hang):
            if used + width_of(piece) > room and used:
                rows.append([])
                used, room = 0, width - hang
            rows[-1] += piece
            used += width_of(piece)
    indent = (Span(" " * hang),) if hang else ()
    whole = [*(_without_last_blanks(row) for row in rows[:-1]), tuple(rows[-1])]
    return [whole[0], *(indent + row for row in whole[1:])]


def _without_last_blanks(row: list[Span]) -> Line:
    kept = list(row)
    while kept and not (text := kept[-1].text.rstrip(" ")):
        kept.pop()
    return (*kept[:-1], kept[-1]._replace(text=text)) if kept else ()


def _words(line: Line) -> Iterator[tuple[Line, bool]]:
    """The line's words and the blanks between them, each over as many spans as it takes."""
    word: list[Span] = []
    blank = False
    for span in line:
        for text, is_blank in _runs(span.text):
            # Between ideographs a row may break anywhere.
            if word and (is_blank != blank or (not is_blank and cell_len(text[0]) > 1)):
                yield tuple(word), blank
                word = []
            blank = is_blank
            word.append(span._replace(text=text))
    if word:
        yield tuple(word), blank


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Runs of blanks, words, and each wide character alone."""
    if text.isascii():
        for found in _RUN.finditer(text):
            yield found.group(), found.group()[0] == " "
        return
    run, kind = "", ""
    for start, end, size in split_graphemes(text)[0]:
        piece = text[start:end]
        its = " " if piece == " " else "wide" if size > 1 else "word"
        if run and (its != kind or its == "wide"):
            yield run, kind == " "
            run = ""
        run, kind = run + piece, its
    if run:
        yield run, kind == " "


def _chopped(word: Line, width: int) -> Iterator[Line]:
    """The word in pieces of at most that width, each of one span."""
    for span in word:
        piece, used = "", 0
        for start, end, size in split_graphemes(span.text)[0]:
            if used + size > width and piece:
                yield (span._replace(text=piece),)
                piece, used = "", 0
            piece, used = piece + span.text[start:end], used + size
        if piece:
            yield (span._replace(text=piece),)


def expand_tabs(text: str, size: int = TAB) -> str:
    """The text with blanks for its tabs; it is one line."""
    if "\t" not in text:
        return text
    first, *rest = text.split("\t")
    done = first
    for part in rest:
        done += " " * (size - cell_len(done) % size) + part
    return done


def join(lines: Iterable[Line]) -> str:
    """The lines as plain text."""
    return "\n".join(plain(line) for line in lines)


def pad(line: Line, width: int, ground: Ground | None = None) -> Line:
    """The line with blanks up to that width, on this ground."""
    missing = width - width_of(line)
    return (*line, Span(" " * missing, ground=ground)) if missing > 0 else line


def styled(parts: Sequence[tuple[str, Role]]) -> Line:
    return tuple(Span(text, role) for text, role in parts if text)
