"""A row of a file's change as a line of the screen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import split_graphemes

from kcode.sanitize import sanitize, sanitize_line
from kcode.tui.diff.heads import draw_file, draw_fold, draw_head, draw_note
from kcode.tui.diff.rows import Kind
from kcode.tui.diff.sides import Ending
from kcode.tui.lines import TAB, Ground, Line, Role, Span, cut, on, pad, plain, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.review import Cut
    from kcode.tui.diff.rows import Row
    from kcode.tui.diff.sheet import Sheet

_NARROWEST_NUMBER = 3
_DIVIDER = Span("│", Role.RULE)
# At the end of a line that goes on to the right.
_MORE = Span("›", Role.DIM)  # noqa: RUF001 - smaller than any bracket of a program


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are drawn. `x` is how far the text is scrolled; `cursor` is the key of the hunk that keys are about.

    With a `cut` the lines of that hunk are marked as those of its first and its second part. `find` is marked in lines.
    """

    width: int = 80
    split: bool = False
    blanks: bool = False
    wrap: bool = False
    x: int = 0
    cursor: str = ""
    cut: Cut | None = None
    find: str = ""


def draw(sheet: Sheet, row: Row, look: Look) -> list[Line]:
    """The row as lines of exactly the look's width: one, but for a long note, and for a long line that is wrapped."""
    match row.kind:
        case Kind.FILE:
            return [pad(draw_file(sheet, row, look.width), look.width)]
        case Kind.HEAD:
            is_here = row.key == look.cursor
            return [draw_head(sheet, row.key, look.width, is_here=is_here)]
        case Kind.NOTE:
            lines = draw_note(sheet, row, look.width, is_here=row.key == look.cursor)
            return [pad(line, look.width) for line in lines]
        case Kind.FOLD:
            return [pad(draw_fold(sheet, row, look.width), look.width)]
    return _beside(sheet, row, look) if look.split else _unified(sheet, row, look)


def height(sheet: Sheet, row: Row, look: Look, room: int) -> int:
    """How many lines the row takes where a line's text has so much `room`; cheap for what has nothing to it but that."""
    if row.kind is Kind.NOTE:
        return len(draw_note(sheet, row, look.width, is_here=False))
    if not look.wrap or (row.old < 0 and row.new < 0) or row.kind is Kind.HEAD or row.kind is Kind.FOLD:
        return 1
    most = 1
    for place, is_new in ((row.old, False), (row.new, True)):
        # One below the other, a line that stayed is drawn once.
        if place < 0 or (row.kind is Kind.SAME and not is_new and not look.split):
            continue
        size = _plain_size(sheet, place, row, look, is_new=is_new)
        if size is None:
            return len(draw(sheet, row, look))
        most = max(most, -(-size // room))
    return most


def _plain_size(sheet: Sheet, place: int, row: Row, look: Look, *, is_new: bool) -> int | None:
    """The cells of a line that has no marks behind its text and no wide characters; None for another."""
    side = sheet.new if is_new else sheet.old
    line = side.lines[place]
    is_plain = line.isascii() and line.isprintable() and side.endings[place] is not Ending.NONE
    if look.blanks or not is_plain or (row.kind is not Kind.SAME and sheet.mixes_endings):
        return None
    return None if sheet.moved_at(place, is_new=is_new) else len(line)


def text_width(sheet: Sheet, look: Look) -> int:
    """How many cells a line's text has."""
    if look.split:
        return max((look.width - 1) // 2 - _number_width(sheet) - 4, 1)
    return max(look.width - 2 * _number_width(sheet) - 5, 1)


def text_columns(sheet: Sheet, look: Look, *, is_right: bool = False) -> tuple[int, int]:
    """The columns that hold lines' text, without numbers and signs; side by side of one of the two."""
    if not look.split:
        return look.width - text_width(sheet, look), look.width
    half = (look.width - 1) // 2
    first = half + 1 if is_right else 0
    end = look.width if is_right else half
    return first + _number_width(sheet) + 4, end


def _number_width(sheet: Sheet) -> int:
    return max(_NARROWEST_NUMBER, len(str(max(len(sheet.old.lines), len(sheet.new.lines)))))


def _unified(sheet: Sheet, row: Row, look: Look) -> list[Line]:
    size = _number_width(sheet)
    old, new = (f"{place + 1:>{size}}" if place >= 0 else " " * size for place in (row.old, row.new))
    is_new = row.kind is not Kind.REMOVED
    ground = {Kind.ADDED: Ground.ADDED, Kind.REMOVED: Ground.REMOVED}.get(row.kind)
    place = row.new if is_new else row.old
    gutter = (
        _bar(row, look, row.old if row.kind is Kind.REMOVED else -1, row.new, sheet),
        Span(f"{old} {new} ", Role.GUTTER),
    )
    lines = _rows_of_text(_content(sheet, row, look, is_new=is_new), look, text_width(sheet, look))
    drawn = []
    for number, line in enumerate(lines):
        lead = gutter if number == 0 else (gutter[0], Span(" " * (2 * size + 2)))
        sign = _sign(sheet, row.kind, place, is_new=is_new) if number == 0 else Span("  ")
        drawn.append((*lead, *_grounded((sign, *line), look.width - 2 * size - 3, ground)))
    return drawn


def _beside(sheet: Sheet, row: Row, look: Look) -> list[Line]:
    half = (look.width - 1) // 2
    rest = look.width - 1 - half
    olds = _half(sheet, row, look, half, is_new=False)
    news = _half(sheet, row, look, rest, is_new=True)
    drawn = []
    for number in range(max(len(olds), len(news))):
        left = olds[number] if number < len(olds) else (Span(" " * half),)
        right = news[number] if number < len(news) else (Span(" " * rest),)
        drawn.append((*left, _DIVIDER, *right))
    return drawn


def _half(sheet: Sheet, row: Row, look: Look, width: int, *, is_new: bool) -> list[Line]:
    place = row.new if is_new else row.old
    size = _number_width(sheet)
    bar = _bar(row, look, -1 if is_new else row.old, row.new if is_new else -1, sheet)
    if place < 0:
        return [(bar, Span(" " * (width - 1)))]
    changed = row.kind is Kind.PAIR
    kind = (Kind.ADDED if is_new else Kind.REMOVED) if changed else Kind.SAME
    ground = (Ground.ADDED if is_new else Ground.REMOVED) if changed else None
    lines = _rows_of_text(_content(sheet, row, look, is_new=is_new), look, text_width(sheet, look))
    drawn = []
    for number, line in enumerate(lines):
        text = f"{place + 1:>{size}} " if number == 0 else " " * (size + 1)
        sign = _sign(sheet, kind, place, is_new=is_new) if number == 0 else Span("  ")
        drawn.append((bar, Span(text, Role.GUTTER), *_grounded((sign, *line), width - size - 2, ground)))
    return drawn


def _bar(row: Row, look: Look, old: int, new: int, sheet: Sheet) -> Span:
    """The first cell of a row: that the cursor is at its hunk, or in which part of it a line would be."""
    if not row.key or row.key != look.cursor:
        return Span(" ")
    if look.cut is not None and row.key in sheet.hunks:
        hunk = sheet.hunks[row.key]
        first_old = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        first_new = hunk.new_start - 1 if hunk.new_lines else hunk.new_start
        if old >= 0 or new >= 0:
            is_first = old - first_old < look.cut.old if old >= 0 else new - first_new < look.cut.new
            # No digits: they would be read as a part of the line's number beside them.
            return Span("▲", Role.ACCENT) if is_first else Span("▼", Role.WARNING)
    return Span("▎", Role.ACCENT)


def _sign(sheet: Sheet, kind: Kind, place: int, *, is_new: bool) -> Span:
    if kind is Kind.SAME:
        return Span("  ")
    is_moved = sheet.moved_at(place, is_new=is_new) is not None
    role = Role.MOVED if is_moved else Role.ADDED if is_new else Role.REMOVED
    return Span("+ " if is_new else "- ", role)


def _grounded(line: Line, width: int, ground: Ground | None) -> Line:
    padded = pad(line, width)
    return on(ground, padded) if ground else padded


def _rows_of_text(line: Line, look: Look, room: int) -> list[Line]:
    if look.wrap:
        return _chopped(line, room)
    if width_of(line) <= look.x + room:
        return [cut(line, look.x, look.x + room)]
    return [(*pad(cut(line, look.x, look.x + room - 1), room - 1), _MORE)]


def _chopped(line: Line, room: int) -> list[Line]:
    """The line in pieces of at most that width, with nothing lost; code is not broken at blanks."""
    size = width_of(line)
    if size <= room:
        return [line]
    if all(span.text.isascii() for span in line):
        return [cut(line, start, start + room) for start in range(0, size, room)]
    pieces: list[list[Span]] = [[]]
    used = 0
    for span in line:
        text = ""
        for start, end, cells in split_graphemes(span.text)[0]:
            if used + cells > room:
                pieces[-1].append(span._replace(text=text))
                pieces.append([])
                text, used = "", 0
            text, used = text + span.text[start:end], used + cells
        pieces[-1].append(span._replace(text=text))
    return [tuple(piece) for piece in pieces]


def _content(sheet: Sheet, row: Row, look: Look, *, is_new: bool) -> Line:
    """A line's text with its marks."""
    place = row.new if is_new else row.old
    line = sheet.line(place, is_new=is_new)
    changed = row.kind is not Kind.SAME
    both = sheet.partner(row) if changed else row
    if changed and both.old >= 0 and both.new >= 0:
        marks = sheet.marks(both.old, both.new)[1 if is_new else 0]
        line = _marked(line, marks, Ground.ADDED_WORD if is_new else Ground.REMOVED_WORD)
    if look.find:
        line = _marked(line, _places(plain(line), look.find), Ground.FOUND)
    if look.blanks:
        line = _with_blanks(line, (sheet.new if is_new else sheet.old).lines[place])
    return (*line, *_ending(sheet, both, look, is_new=is_new), *_origin(sheet, row, place, is_new=is_new))


def _ending(sheet: Sheet, row: Row, look: Look, *, is_new: bool) -> Line:
    """What is to be said of the line's end."""
    ending = sheet.ending(row.new if is_new else row.old, is_new=is_new)
    if ending is Ending.NONE:
        return (Span(f"  {sheet.texts('review.no_newline')}", Role.WARNING),) if row.kind is not Kind.SAME else ()
    differs = row.kind is not Kind.SAME and (
        row.old < 0 or row.new < 0 or sheet.ending(row.old, is_new=False) is not sheet.ending(row.new, is_new=True)
    )
    mixed = differs and sheet.mixes_endings
    if ending is Ending.CRLF and (look.blanks or mixed):
        return (Span("␍", Role.BLANK if look.blanks else Role.WARNING),)
    return (Span("↵", Role.BLANK),) if look.blanks else ()


def _origin(sheet: Sheet, row: Row, place: int, *, is_new: bool) -> Line:
    """Where a block of moved lines came from or went to, at its first line."""
    spot = sheet.moved_at(place, is_new=is_new) if row.kind is not Kind.SAME else None
    if spot is None:
        return ()
    before = sheet.moved_at(place - 1, is_new=is_new)
    if before is not None and (before.path, before.line) == (spot.path, spot.line - 1):
        return ()
    own = spot.path == (sheet.change.old_path or sheet.path if is_new else sheet.path)
    where = f"{'' if own else sanitize_line(spot.path)}:{spot.line + 1}"
    return (Span(f"  {sheet.texts('review.moved_from' if is_new else 'review.moved_to', where=where)}", Role.MOVED),)


def _places(text: str, words: str) -> list[tuple[int, int]]:
    """Where the words stand in the text, however their letters are written."""
    return [found.span() for found in re.finditer(re.escape(words), text, re.IGNORECASE)]


def _marked(line: Line, marks: Sequence[tuple[int, int]], ground: Ground) -> Line:
    """The line with these characters of it on another ground."""
    if not marks:
        return line
    spans: list[Span] = []
    at = 0
    edges = sorted({edge for mark in marks for edge in mark})
    for span in line:
        start = 0
        inner = [edge - at for edge in edges if at < edge < at + len(span.text)]
        for end in [*inner, len(span.text)]:
            piece = span._replace(text=span.text[start:end])
            is_marked = any(first <= at + start < last for first, last in marks)
            spans.append(piece._replace(ground=ground) if is_marked else piece)
            start = end
        at += len(span.text)
    return tuple(spans)


def _with_blanks(line: Line, raw: str) -> Line:
    """The line with a sign for each blank and tab of it."""
    seen = _visible(raw)
    if len(seen) != len(plain(line)):
        return (Span(seen),)
    spans: list[Span] = []
    at = 0
    for span in line:
        run, is_sign = "", False
        for character, sign in zip(span.text, seen[at : at + len(span.text)], strict=True):
            if (character != sign) != is_sign and run:
                spans.append(span._replace(text=run, role=Role.BLANK if is_sign else span.role))
                run = ""
            is_sign = character != sign
            run += sign
        if run:
            spans.append(span._replace(text=run, role=Role.BLANK if is_sign else span.role))
        at += len(span.text)
    return tuple(spans)


def _visible(raw: str) -> str:
    """The text as it is shown, with `·` for a blank, and `→` where a tab begins."""
    first, *rest = [sanitize(part).replace(" ", "·") for part in raw.split("\t")]
    done = first
    for part in rest:
        done += "→".ljust(TAB - width_of((Span(done),)) % TAB) + part
    return done
