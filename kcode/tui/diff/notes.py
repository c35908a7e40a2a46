"""What is said of a hunk below its head, and of a file above all hunks; each is one line and safe to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.files import LINK
from kcode.draft.hunks import is_binary
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from kcode.draft.files import FileChange, Hunk
    from kcode.tui.diff.sheet import Sheet
    from kcode.tui.texts import Texts


def notes_of(sheet: Sheet, key: str) -> list[tuple[str, str]]:
    """The notes of a hunk, or of a file that is decided whole: their kinds and texts."""
    standing, texts = sheet.standing(key), sheet.texts
    notes = []
    if key not in sheet.hunks:
        notes += [("whole", text) for text in _whole(sheet.change, texts)]
    if standing.conflicts:
        notes.append(("conflict", _conflict(sheet.change, sheet.hunks.get(key), texts)))
    if (known := sheet.learned.get(key)) and known.signatures:
        names = ", ".join(map(sanitize_line, known.signatures))
        notes.append(("signature", texts("review.signature_note", names=names)))
    return notes + [("comment", sanitize_line(line)) for line in standing.comment.splitlines()]


def file_notes(sheet: Sheet) -> list[str]:
    """What becomes of the file beside its lines."""
    change, texts = sheet.change, sheet.texts
    said = []
    if change.old_path is not None:
        said.append(texts("review.renamed_from", path=sanitize_line(change.old_path)))
    if change.before and change.after and change.before.mode != change.after.mode:
        said.append(texts("review.mode_change", old=f"{change.before.mode:o}", new=f"{change.after.mode:o}"))
    if change.before is None:
        said.append(texts("review.new_file"))
    elif change.after is None:
        said.append(texts("review.deleted_file"))
    return said


def _conflict(change: FileChange, hunk: Hunk | None, texts: Texts) -> str:
    """What of the user's present file is in the way."""
    if change.before is None:
        return texts("review.conflict_gone")
    if hunk is None:
        return texts("review.conflict_whole")
    if not hunk.old_lines:
        return texts("review.conflict_beside", line=hunk.old_start)
    first, last = hunk.old_start, hunk.old_start + len(hunk.old_lines) - 1
    lines = f"{first:,}" if first == last else f"{first:,}-{last:,}"
    return texts("review.conflict_note", count=len(hunk.old_lines), lines=lines)


def _whole(change: FileChange, texts: Texts) -> list[str]:
    states = [state for state in (change.before, change.after) if state]
    said = []
    if any(state.mode == LINK for state in states):
        targets = [sanitize_line(state.data.decode("utf-8", "surrogateescape")) for state in states]
        said.append(texts("review.link", targets=" → ".join(targets)))
    elif any(map(is_binary, states)):
        said.append(texts("review.binary", sizes=" → ".join(f"{len(state.data):,}" for state in states)))
    elif not any(state.data for state in states):
        said.append(texts("review.empty_file"))
    return [*said, texts("review.decided_whole")]
