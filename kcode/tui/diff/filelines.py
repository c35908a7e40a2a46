"""The list of files that a proposal changes, as lines."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from kcode.sanitize import sanitize_line
from kcode.tui.lines import Ground, Line, Role, Span, on, pad, shorten, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.files import FileChange

# Above so many files folders get lines of their own.
_FEW = 8
_MARK_ROLES = {"A": Role.GOOD, "D": Role.BAD, "R": Role.ACCENT, "M": Role.DIM}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the list. `accepted` and `rejected` are how many of the `hunks` are decided so.

    `tests` is "+" where the tests passed with all of its hunks, "-" where they failed, "" where that is not known.
    """

    path: str
    mark: str
    added: int
    removed: int
    hunks: int
    accepted: int = 0
    rejected: int = 0
    conflicts: bool = False
    is_new: bool = False
    tests: str = ""


def mark_of(change: FileChange) -> str:
    """The letter that git has for what becomes of the file."""
    if change.before is None:
        return "A"
    if change.after is None:
        return "D"
    return "R" if change.old_path is not None else "M"


def draw_files(entries: Sequence[FileEntry], width: int, current: str) -> list[tuple[str, Line]]:
    """Lines of this width, each with the path of its file, or "" for a folder's."""
    folders = {posixpath.dirname(entry.path) for entry in entries}
    grouped = len(entries) > _FEW and len(folders) > 1
    lines: list[tuple[str, Line]] = []
    folder: str | None = None
    for entry in entries:
        parent = posixpath.dirname(entry.path)
        if grouped and parent != folder:
            folder = parent
            lines.append(("", pad((Span(" "), Span(_shortened(f"{parent or '.'}/", width - 2), Role.DIM)), width)))
        name = posixpath.basename(entry.path) if grouped else entry.path
        lines.append((entry.path, draw_entry(entry, name, width, is_here=entry.path == current)))
    return lines


def draw_entry(entry: FileEntry, name: str, width: int, *, is_here: bool) -> Line:
    """A file in one line: what becomes of it, its name, its size, and how much of it is decided."""
    right = _counts(entry)
    mark = Span(f"{entry.mark} ", _MARK_ROLES.get(entry.mark, Role.DIM))
    bar = Span("▎", Role.ACCENT) if is_here else Span(" ")
    room = max(width - width_of(right) - 4, 6)
    role = Role.STRONG if is_here else Role.TEXT
    left = pad((bar, mark, Span(_shortened(name, room), role)), width - width_of(right) - 1)
    line = shorten((*left, *right, Span(" ")), width)
    return on(Ground.CURSOR, line) if is_here else line


def _counts(entry: FileEntry) -> Line:
    decided = entry.accepted + entry.rejected
    spans: list[Span] = []
    if entry.added or entry.removed:
        spans += [Span(f" +{entry.added}", Role.ADDED), Span(f" -{entry.removed}", Role.REMOVED)]
    if entry.conflicts:
        spans.append(Span(" !", Role.BAD))
    elif entry.is_new:
        spans.append(Span(" •", Role.ACCENT))
    if decided < entry.hunks:
        spans.append(Span(f" {decided}/{entry.hunks}", Role.DIM))
    elif entry.rejected == entry.hunks:
        spans.append(Span(" ✗", Role.BAD))
    elif entry.accepted == entry.hunks:
        spans.append(Span(" ✓", Role.GOOD))
    else:
        spans += [Span(" ✓", Role.GOOD), Span("✗", Role.BAD)]
    if entry.tests:
        spans.append(Span(" t" + entry.tests, Role.GOOD if entry.tests == "+" else Role.BAD))
    return tuple(spans)


def _shortened(name: str, room: int) -> str:
    """The name with … in front where it is too long: its end tells more than its beginning."""
    safe = sanitize_line(name)
    while cell_len(safe) > room and len(safe) > 1:
        safe = "…" + safe[2:] if safe.startswith("…") else "…" + safe[1:]
    return safe
