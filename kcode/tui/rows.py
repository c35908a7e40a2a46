"""Rows: lines as they stand on the screen, each knowing what of it is margin and how it joins the row before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kcode.tui.lines import Line, Role, Span, expand_tabs, plain, width_of, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable


class Row(NamedTuple):
    """`margin` characters at its start are no text. `glue` stood in the text where the row before it was broken.

    A row that begins a line of the text has None as `glue`.
    """

    line: Line
    margin: int = 0
    glue: str | None = None

    @property
    def text(self) -> str:
        return plain(self.line)[self.margin :].rstrip()


EMPTY = Row(())


def broken(line: Line, width: int, glue: str | None = None) -> list[Row]:
    """The line in rows of at most `width` cells; `glue` is the first one's."""
    if width_of(line) <= width:
        return [Row(line, 0, glue)]
    text, at = plain(line), 0
    rows: list[Row] = []
    for piece in wrap(line, width):
        if rows:
            start = at
            # A blank that an accent stands on is no place to break at, and begins the row.
            while text[at : at + 1] == " " and not text.startswith(plain(piece), at):
                at += 1
            glue = text[start:at]
        rows.append(Row(merged(piece), 0, glue))
        at += len(plain(piece))
    return rows


def indented(rows: Iterable[Row], first: Line, rest: Line) -> list[Row]:
    """The rows behind a margin: `first` on the first of them, `rest` on all others."""
    done: list[Row] = []
    margin = first
    for row in rows:
        done.append(Row((*margin, *row.line), len(plain(margin)) + row.margin, row.glue))
        margin = rest
    return done


def text_of(rows: Iterable[Row]) -> str:
    """What the rows say, as it was before it was broken to the width."""
    parts: list[str] = []
    for row in rows:
        if parts:
            parts.append("\n" if row.glue is None else row.glue)
        parts.append(row.text)
    return "".join(parts)


def merged(spans: Iterable[Span]) -> Line:
    """The spans, with those that look the same joined: a character may be over two of them."""
    done: list[Span] = []
    for span in spans:
        if done and done[-1][1:] == span[1:]:
            done[-1] = span._replace(text=done[-1].text + span.text)
        elif span.text:
            done.append(span)
    return tuple(done)


class Flow:
    """Text that grows at its end, wrapped once: however it comes in pieces, the rows are those of the whole."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.final: list[Row] = []
        self._last: Line = ()
        self._blanks: Line = ()
        self._glue: str | None = None

    def add(self, line: Line) -> None:
        """Add to the line that is growing."""
        rows, self._blanks = self._with(line)
        self.final += rows[:-1]
        self._last, self._glue = rows[-1].line, rows[-1].glue

    def tail(self, line: Line = ()) -> list[Row]:
        """The rows that may change yet, as if `line` had been added."""
        return self._with(line)[0]

    def end_line(self) -> None:
        self.final.append(Row(self._last, 0, self._glue))
        self._last, self._blanks, self._glue = (), (), None

    def _with(self, line: Line) -> tuple[list[Row], Line]:
        """The last row and what is added to it, but for the blanks at the end, at which a row may break yet."""
        whole = merged((*self._last, *self._blanks, *line))
        body = _without_blanks(whole)
        return broken(body, self.width, self._glue), _from(whole, len(plain(body)))


def _without_blanks(line: Line) -> Line:
    kept = list(line)
    while kept and not (text := kept[-1].text.rstrip(" ")):
        kept.pop()
    return (*kept[:-1], kept[-1]._replace(text=text)) if kept else ()


def _from(line: Line, start: int) -> Line:
    rest: list[Span] = []
    for span in line:
        if start < len(span.text):
            rest.append(span._replace(text=span.text[max(start, 0) :]))
        start -= len(span.text)
    return tuple(rest)


def plain_rows(text: str, width: int, role: Role = Role.TEXT) -> list[Row]:
    """Text without any markup in rows; it is sanitized already."""
    rows: list[Row] = []
    for line in text.split("\n"):
        rows += broken((Span(expand_tabs(line), role),) if line else (), width)
    return rows
