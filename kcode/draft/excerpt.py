"""A patch for files that are not here, as changes of files of which only the patch's own lines are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.files import REGULAR, Change, FileState
from kcode.draft.patchfile import parse_hunks, read_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.patchfile import FilePatch, PatchHunk

# A place is kept for each line up to here, so that numbers are the patch's own.
_MOST_LINES = 200_000


def read_excerpt(data: bytes) -> tuple[Change, ...]:
    """The patch's text files, each unknown line of them as `⋯` with its number; DraftError for what is no patch.

    What a patch renames is shown under its new name. Binary parts are left out.
    """
    found = {}
    for file in read_files(data):
        hunks = parse_hunks(file)
        path = (file.new_name or file.old_name or b"?").decode("utf-8", "surrogateescape")
        if hunks:
            found[path] = _change(path, file, hunks)
    return tuple(found.values())


def _change(path: str, file: FilePatch, hunks: Sequence[PatchHunk]) -> Change:
    old: list[bytes] = []
    new: list[bytes] = []
    done = 0
    for hunk in hunks:
        start = hunk.start - 1 if hunk.old_lines else hunk.start
        unknown = [f"⋯ {number}\n".encode() for number in range(done + 1, min(start, _MOST_LINES) + 1)]
        old += [*unknown, *hunk.old_lines]
        new += [*unknown, *hunk.new_lines]
        done = start + len(hunk.old_lines)
    before = None if file.old_name is None or b"new file mode" in file.header else FileState(REGULAR, b"".join(old))
    gone = file.new_name is None or b"deleted file mode" in file.header
    return Change(path, before, None if gone else FileState(REGULAR, b"".join(new)))
