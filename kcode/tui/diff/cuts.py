"""Where a hunk may be split, in an order that a person can walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.review import Cut, cut_behind, may_cut
from kcode.tui.diff.rows import pairs_of

if TYPE_CHECKING:
    from kcode.draft.files import Hunk

# Nobody walks through more.
_MOST = 2_000


def cuts_of(hunk: Hunk) -> tuple[Cut, ...]:
    """Behind each pair of lines that belong together, and behind each line as it is shown; first cuts first."""
    found: set[Cut] = set()
    old = new = 0
    for pair in pairs_of(hunk):
        old += pair.old is not None
        new += pair.new is not None
        found.add(Cut(old, new))
    found |= {cut_behind(hunk, line) for line in range(1, len(hunk.old_lines) + len(hunk.new_lines))}
    fitting = [cut for cut in found if may_cut(hunk, cut)]
    return tuple(sorted(fitting, key=lambda cut: (cut.old + cut.new, cut.old)))[:_MOST]
