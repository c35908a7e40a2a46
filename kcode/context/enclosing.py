"""The class or function that each hunk of a file stands in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.context.symbols import definitions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.files import FileChange, Hunk
    from kcode.tooling import Definition

# Where a definition's head goes on to what does not name it: parameters, a body, a value, an annotation.
_END_OF_NAME = re.compile(r"\s*(?:[({:<]|=(?!=)|\bextends\b)")
_LONGEST = 80


def enclosing(change: FileChange) -> dict[str, tuple[str, ...]] | None:
    """For each hunk the heads of the definitions around it, the outermost first, such as `class Invoice`, `def total`.

    Lines that are only taken out stand where they stood before. A hunk outside all definitions has none; None where
    the file's language is not read here.
    """
    # Parsing is what takes the time: each text is read only if a hunk's place is looked for in it.
    has_added = [_span(hunk.new_start, hunk.new_lines) is not None for hunk in change.hunks]
    after = definitions(change.path, change.after.data) if change.after and any(has_added) else None
    needs_before = change.before and not all(has_added)
    before = definitions(change.old_path or change.path, change.before.data) if change.before and needs_before else None
    if after is None and before is None:
        return None
    return {hunk.id: _heads_around(hunk, before or [], after or []) for hunk in change.hunks}


def _heads_around(hunk: Hunk, before: Sequence[Definition], after: Sequence[Definition]) -> tuple[str, ...]:
    added = _span(hunk.new_start, hunk.new_lines)
    first, last = added or _span(hunk.old_start, hunk.old_lines) or (hunk.new_start, hunk.new_start)
    around = [one for one in (after if added else before) if one.start <= first and last <= one.end]
    return tuple(_name(one.text) for one in around)


def _span(start: int, lines: Sequence[bytes]) -> tuple[int, int] | None:
    """The first and last line that is not blank; None where all are."""
    full = [start + place for place, line in enumerate(lines) if line.strip()]
    return (full[0], full[-1]) if full else None


def _name(head: str) -> str:
    found = _END_OF_NAME.search(head)
    return (head[: found.start()] if found and found.start() else head)[:_LONGEST]
