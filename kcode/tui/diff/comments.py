"""The comments of a review as Markdown: for people, and for `kcode fix` to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.review import Decision
from kcode.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from kcode.draft.files import FileChange, Hunk
    from kcode.draft.review import Reviewed

_MOST_LINES = 40


def comments_as_markdown(view: Reviewed) -> str:
    """Each hunk or file that was commented on or rejected, with its lines; "" where there is none."""
    parts = []
    for change in view.proposal.changes:
        for hunk in change.hunks or (None,):
            key = hunk.id if hunk else change.path
            text, decision = view.comments.get(key, ""), view.decisions.get(key, Decision.PENDING)
            if text or decision is Decision.REJECTED:
                parts.append(_part(change, hunk, text, decision))
    return "\n".join(parts)


def _part(change: FileChange, hunk: Hunk | None, text: str, decision: Decision) -> str:
    place = sanitize_line(change.path) + (f":{max(hunk.new_start, 1)}" if hunk else "")
    head = f"## {place}" + (f" ({decision.value})" if decision is not Decision.PENDING else "")
    lines = [head, ""]
    if text:
        lines += [sanitize(text), ""]
    if hunk is not None:
        lines += [*_fenced(hunk), ""]
    return "\n".join(lines)


def _fenced(hunk: Hunk) -> list[str]:
    marked = [*(b"-" + line for line in hunk.old_lines), *(b"+" + line for line in hunk.new_lines)]
    shown = [sanitize(line.decode("utf-8", "surrogateescape").rstrip("\r\n")) for line in marked[:_MOST_LINES]]
    if len(marked) > len(shown):
        shown.append(f"… and {len(marked) - len(shown)} more lines")
    # No line can end the fence: each begins with its sign.
    return ["```diff", *shown, "```"]
