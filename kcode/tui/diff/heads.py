"""The rows of a file's change that are not lines of it: heads of hunks, notes and folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.review import Decision
from kcode.sanitize import sanitize_line
from kcode.tui.diff.notes import file_notes, notes_of
from kcode.tui.lines import Ground, Line, Role, Span, on, pad, shorten, width_of, wrap

if TYPE_CHECKING:
    from kcode.tui.diff.rows import Row
    from kcode.tui.diff.sheet import Learned, Sheet, Standing

_ID_WIDTH = 4
SIGNS = {Decision.PENDING: "[ ]", Decision.ACCEPTED: "[✓]", Decision.REJECTED: "[✗]"}
_ROLES = {Decision.PENDING: Role.TEXT, Decision.ACCEPTED: Role.GOOD, Decision.REJECTED: Role.BAD}
_NOTE_ROLES = {"whole": Role.DIM, "conflict": Role.BAD, "signature": Role.WARNING, "comment": Role.EMPHASIS}
_NOTE_SIGNS = {"whole": "  ", "conflict": "! ", "signature": "ƒ ", "comment": "# "}


def draw_head(sheet: Sheet, key: str, width: int, *, is_here: bool) -> Line:
    """The line above a hunk: its decision, which a click changes, where it stands, and what is known of it."""
    standing = sheet.standing(key)
    token = key if key in sheet.hunks else ""
    sign = Span(SIGNS[standing.decision], _ROLES[standing.decision], action=f"screen.toggle('{token}')")
    bar = Span("▎", Role.ACCENT) if is_here else Span(" ")
    right = _choices(sheet, standing, token)
    room = width - width_of(right) - 1
    words = _words(sheet, key, standing, sheet.learned.get(key))
    left = shorten((bar, sign, Span(" "), *words), room)
    goto = tuple(span if span.action else span._replace(action=f"screen.go('{token}')") for span in left)
    line = (*pad(goto, room), *right, Span(" "))
    return on(Ground.CURSOR if is_here else Ground.PANEL, line)


def _choices(sheet: Sheet, standing: Standing, token: str) -> Line:
    said = sheet.texts(f"review.{standing.decision.value}")
    if standing.decision is not Decision.PENDING:
        return (Span(f" {said}", _ROLES[standing.decision], action=f"screen.leave_open('{token}')"),)
    return (
        Span(f" {sheet.texts('review.accept')}", Role.GOOD, action=f"screen.accept('{token}')"),
        Span(" · ", Role.DIM),
        Span(sheet.texts("review.reject"), Role.BAD, action=f"screen.reject('{token}')"),
    )


def _words(sheet: Sheet, key: str, standing: Standing, known: Learned | None) -> Line:
    texts = sheet.texts
    words: list[Span] = []
    hunk = sheet.hunks.get(key)
    if hunk is None:
        words.append(Span(sanitize_line(sheet.path), Role.STRONG))
    else:
        place = ", ".join(map(sanitize_line, known.within)) if known and known.within else ""
        words.append(Span(place or texts("review.line", line=max(hunk.new_start, 1)), Role.STRONG))
        words += [Span(f"  +{len(hunk.new_lines)}", Role.ADDED), Span(f" -{len(hunk.old_lines)}", Role.REMOVED)]
    tags = [
        ("new", Role.ACCENT) if standing.is_new else None,
        ("conflict", Role.BAD) if standing.conflicts else None,
        ("edited", Role.WARNING) if standing.is_edited else None,
        ("signature", Role.WARNING) if known and known.signatures else None,
    ]
    for tag in tags:
        if tag:
            words += [Span("  "), Span(texts(f"review.tag_{tag[0]}"), tag[1])]
    if hunk is not None:
        words.append(Span(f"  {hunk.id[:_ID_WIDTH]}", Role.DIM))
    if known and known.by:
        words.append(Span(f"  {sanitize_line(known.by)}", Role.DIM))
    if known and known.tested:
        words.append(Span(f"  {known.tested}", Role.DIM))
    return tuple(words)


def draw_note(sheet: Sheet, row: Row, width: int, *, is_here: bool) -> list[Line]:
    """What stands below the head of a hunk: a conflict, a comment, what is decided whole; in as many lines as it takes."""
    notes = notes_of(sheet, row.key)
    kind, text = notes[row.note] if row.note < len(notes) else ("whole", "")
    bar = Span("▎", Role.ACCENT) if is_here else Span(" ")
    lead = (bar, Span("    "))
    said = (Span(_NOTE_SIGNS[kind] + text, _NOTE_ROLES[kind]),)
    if width_of((*lead, *said)) <= width:
        return [(*lead, *said)]
    return [(*lead, *line) for line in wrap(said, width - width_of(lead), hang=len(_NOTE_SIGNS[kind]))]


def draw_file(sheet: Sheet, row: Row, width: int) -> Line:
    """A line above all hunks: that the file is new, deleted, renamed or has another mode."""
    return shorten((Span("     "), Span(file_notes(sheet)[row.note], Role.DIM)), width)


def draw_fold(sheet: Sheet, row: Row, width: int) -> Line:
    """The line in the place of unchanged ones, which a click opens."""
    said = sheet.texts("review.unknown" if sheet.is_excerpt else "review.folded", count=row.lines)
    action = "" if sheet.is_excerpt else f"screen.unfold({row.old})"
    return shorten((Span("  ⋯ ", Role.DIM, action=action), Span(said, Role.DIM, action=action)), width)
