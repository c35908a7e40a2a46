"""A proposal as lines to be read from above to below, without a cursor or anything to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.hunks import count_lines
from kcode.sanitize import sanitize_line
from kcode.tui.columns import said
from kcode.tui.highlight import plain_line
from kcode.tui.lines import Ground, Role, Span, on, pad, wrap

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kcode.draft.files import FileChange, Hunk, Proposal
    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts

_MOST_LINES = 2_000


def size_line(proposal: Proposal, texts: Texts) -> Line:
    """How much it changes: files and lines."""
    added, removed = count_lines(proposal)
    files = texts("screens.files_count", count=len(proposal.changes))
    return (Span(files, Role.DIM), Span(f" +{added}", Role.ADDED), Span(f" -{removed}", Role.REMOVED))


def diff_lines(proposal: Proposal, width: int, texts: Texts, merged: Collection[str] = ()) -> list[Line]:
    """Each file with its hunks; of a very long proposal only the start. `merged` are the paths to be marked as such."""
    lines: list[Line] = []
    for change in proposal.changes:
        if lines:
            lines.append(())
        lines += wrap(_file_line(change, texts), width)
        if change.path in merged:
            lines += wrap((Span(f"! {texts('screens.merged')}", Role.WARNING),), width)
        for hunk in change.hunks:
            lines.append((Span(texts("screens.at_line", line=max(hunk.new_start, 1)), Role.GUTTER),))
            lines += _hunk_lines(hunk, width)
        if len(lines) > _MOST_LINES:
            return [*lines[:_MOST_LINES], (Span("…", Role.DIM),)]
    return lines


def _file_line(change: FileChange, texts: Texts) -> Line:
    kind = ""
    if change.before is None:
        kind = texts("screens.new_file")
    elif change.after is None:
        kind = texts("screens.deleted_file")
    elif change.old_path:
        kind = texts("screens.moved_from", path=sanitize_line(change.old_path))
    elif not change.hunks:
        kind = texts("screens.changed_whole")
    return (said(change.path, Role.STRONG), *((Span(f"  {kind}", Role.DIM),) if kind else ()))


def _hunk_lines(hunk: Hunk, width: int) -> list[Line]:
    removed = _side(hunk.old_lines, "- ", Role.REMOVED, Ground.REMOVED, width)
    return removed + _side(hunk.new_lines, "+ ", Role.ADDED, Ground.ADDED, width)


def _side(lines: Sequence[bytes], sign: str, role: Role, ground: Ground, width: int) -> list[Line]:
    found: list[Line] = []
    for data in lines:
        text = plain_line(data.decode("utf-8", "surrogateescape").removesuffix("\n"))
        rows = wrap((Span(sign, role), *text), width, hang=2)
        found += [pad(on(ground, row), width, ground) for row in rows]
    return found
