"""A patch that stands in the files already, as the changes that led to them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.draft.files import Change
from kcode.draft.incoming import changes_of_files
from kcode.draft.patchfile import read_files
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.draft.files import FileState
    from kcode.draft.patchfile import FilePatch

_HEAD = re.compile(rb"@@ -(\S+) \+(\S+) @@")
_OPPOSITES = {b"old mode": b"new mode", b"new file mode": b"deleted file mode", b"rename from": b"rename to"}
_OPPOSITES |= {new: old for old, new in _OPPOSITES.items()}
_SIGNS = {b"+": b"-", b"-": b"+"}


def read_applied_patch(data: bytes, read: Callable[[str], FileState | None]) -> tuple[Change, ...]:
    """The changes of a patch whose outcome is what `read` gives; DraftError when it is not, as for `read_patch`."""
    # What was changed last is taken back first.
    files = [turned(file) for file in reversed(read_files(data))]
    return tuple(Change(change.path, change.after, change.before) for change in changes_of_files(files, read))


def turned(file: FilePatch) -> FilePatch:
    """The patch of the file that takes this one back."""
    if b"copy from" in file.header:
        raise DraftError(f"The patch copies {file.name}, which cannot be told from the files as they are.")
    header = {_OPPOSITES.get(words, words): value for words, value in file.header.items()}
    if b"index" in header:
        ids, blank, mode = header[b"index"].partition(b" ")
        old, _, new = ids.partition(b"..")
        header[b"index"] = new + b".." + old + blank + mode
    return replace(
        file,
        old_name=file.new_name,
        new_name=file.old_name,
        header=header,
        texts=[_turned_hunk(text) for text in file.texts],
        binary=(file.binary[1], file.binary[0]) if file.binary else None,
    )


def _turned_hunk(text: list[bytes]) -> list[bytes]:
    head = _HEAD.sub(rb"@@ -\2 +\1 @@", text[0], count=1)
    return [head, *(_SIGNS.get(line[:1], line[:1]) + line[1:] for line in text[1:])]
