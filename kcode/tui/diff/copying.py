"""What is copied of a diff: the lines' text, without numbers and signs, and of two sides one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from kcode.tui.diff.draw import draw, text_columns
from kcode.tui.diff.rows import Kind
from kcode.tui.lines import Ground, cut, plain

if TYPE_CHECKING:
    from textual.selection import Selection

    from kcode.tui.diff.draw import Look
    from kcode.tui.diff.layout import Placed
    from kcode.tui.diff.sheet import Sheet
    from kcode.tui.lines import Line

_TEXT = frozenset({Kind.SAME, Kind.ADDED, Kind.REMOVED, Kind.PAIR})


def selected_text(sheet: Sheet, placed: Placed, look: Look, selection: Selection) -> str:
    """The selected text as it stands in the file, tabs as blanks and none at the ends; of a wrapped line its pieces in one."""
    first = selection.start.y if selection.start else 0
    last = selection.end.y if selection.end else placed.total - 1
    is_right = look.split and selection.start is not None and selection.start.x > look.width // 2
    start, end = text_columns(sheet, look, is_right=is_right)
    text = ""
    for y in range(max(first, 0), min(last + 1, placed.total)):
        found, span = placed.at(y), selection.get_span(y)
        if found is None or span is None or found[0].kind not in _TEXT:
            continue
        row, part = found
        if look.split and (row.new if is_right else row.old) < 0:
            continue
        line = draw(sheet, row, look)[part]
        left, right = _cells(line, span)
        piece = plain(cut(line, max(left, start), min(right, end)))
        text += ("" if part or not text else "\n") + piece.rstrip()
    return text


def with_selection(line: Line, span: tuple[int, int] | None) -> Line:
    """The line with the characters of a selection on its ground."""
    if span is None:
        return line
    left, right = _cells(line, span)
    size = cell_len(plain(line))
    marked = tuple(piece._replace(ground=Ground.SELECTION) for piece in cut(line, left, right))
    return (*cut(line, 0, left), *marked, *cut(line, right, size))


def _cells(line: Line, span: tuple[int, int]) -> tuple[int, int]:
    """From characters to cells; -1 stands for the line's end."""
    text = plain(line)
    first, last = span
    return cell_len(text[:first]), cell_len(text if last == -1 else text[:last])
