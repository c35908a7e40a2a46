"""A patch from outside becomes changes, strictly: every hunk has to match the file exactly, in one place only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.gitformat import blob_id, is_git_folder, read_binary_block
from kcode.draft.linediff import split_lines
from kcode.draft.patchfile import parse_hunks, read_files
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kcode.draft.patchfile import FilePatch, PatchHunk

_FULL_IDS = re.compile(rb"([0-9a-f]{40})\.\.([0-9a-f]{40})(?: \d+)?")


def read_patch(data: bytes, read: Callable[[str], FileState | None]) -> tuple[Change, ...]:
    """The changes that a patch asks for, by path. `read` gives the present state of a path inside the workspace.

    DraftError says which hunk of which file does not fit, or what the patch may not do. Nothing is read or named
    outside the workspace, and nothing in git's own folder.
    """
    return changes_of_files(read_files(data), read)


def changes_of_files(files: Iterable[FilePatch], read: Callable[[str], FileState | None]) -> tuple[Change, ...]:
    """The same for a patch that was taken apart."""
    tree = _Tree(read)
    for file in files:
        _apply(tree, file)
    return tree.changes()


class _Tree:
    """The files as the patch has left them so far."""

    def __init__(self, read: Callable[[str], FileState | None]) -> None:
        self._read = read
        self._before: dict[str, FileState | None] = {}
        self._after: dict[str, FileState | None] = {}

    def state(self, path: str) -> FileState | None:
        if path not in self._after:
            self._before[path] = self._after[path] = self._read(path)
        return self._after[path]

    def put(self, path: str, state: FileState | None) -> None:
        self.state(path)
        self._after[path] = state

    def changes(self) -> tuple[Change, ...]:
        for path, state in self._after.items():
            parents = [path[:at] for at, letter in enumerate(path) if letter == "/"]
            if state and any(self._after.get(parent) for parent in parents):
                raise DraftError(f"The patch puts {path} below something that is a file or a link.")
        paths = sorted(path for path, state in self._after.items() if state != self._before[path])
        return tuple(Change(path, self._before[path], self._after[path]) for path in paths)


def _apply(tree: _Tree, file: FilePatch) -> None:
    hunks = parse_hunks(file)
    created, deleted = _is_created(file, hunks), _is_deleted(file, hunks)
    old, new = _paths(tree, file, created=created)
    before = tree.state(old)
    if created:
        if tree.state(new) is not None:
            raise DraftError(f"{new} is there already; the patch wants to create it.")
        before = None
    elif before is None:
        raise DraftError(f"{old} is not there; the patch wants to change it.")
    if old != new and tree.state(new) is not None:
        raise DraftError(f"{new} is there already; the patch wants to make it from {old}.")
    data = _new_data(file, hunks, before, old)
    if deleted:
        if data:
            raise DraftError(f"{old} has more in it than the patch takes out, so it is not deleted.")
        tree.put(old, None)
        return
    if b"rename from" in file.header:
        tree.put(old, None)
    tree.put(new, FileState(_new_mode(file, before, new), data))


def _new_data(file: FilePatch, hunks: Sequence[PatchHunk], before: FileState | None, path: str) -> bytes:
    data = before.data if before else b""
    if file.binary is None:
        return _apply_hunks(data, hunks, path)
    ids = _FULL_IDS.fullmatch(file.header.get(b"index", b""))
    if not ids:
        raise DraftError(f"The binary patch of {path} has no full index line; make it with `git diff --binary`.")
    if before and blob_id(data) != ids[1].decode():
        raise DraftError(f"{path} is not the file that the binary patch was made from.")
    after = read_binary_block(file.binary[0], data)
    if blob_id(after) != ids[2].decode() and b"deleted file mode" not in file.header:
        raise DraftError(f"The binary patch of {path} is damaged.")
    return after


def _apply_hunks(data: bytes, hunks: Sequence[PatchHunk], path: str) -> bytes:
    lines = split_lines(data)
    out: list[bytes] = []
    at = drift = 0
    for number, hunk in enumerate(hunks, 1):
        stated = hunk.start - 1 if hunk.old_lines else hunk.start
        place = _find(lines, hunk, stated + drift, at)
        if isinstance(place, str):
            raise DraftError(f"Hunk {number} of {path} (line {hunk.start}) does not apply: {place}.")
        drift = place - stated
        out += lines[at:place]
        out += hunk.new_lines
        at = place + len(hunk.old_lines)
    out += lines[at:]
    # Only the last line of a file may lack its end.
    if any(not line.endswith(b"\n") for line in out[:-1]):
        raise DraftError(f"The patch of {path} puts lines behind a last line that has no newline.")
    return b"".join(out)


def _find(lines: Sequence[bytes], hunk: PatchHunk, expected: int, first: int) -> int | str:
    """Where the hunk's old lines are, from line `first` on: where expected, else in the only other place; or why not.

    As in git, a hunk without context at an end belongs to that end of the file.
    """
    old = list(hunk.old_lines)
    last = len(lines) - len(old)
    at_start = hunk.start <= 1 and not hunk.leading
    at_end = not hunk.trailing

    def fits(place: int) -> bool:
        return (
            first <= place <= last
            and lines[place : place + len(old)] == old
            and (place == 0 or not at_start)
            and (place == last or not at_end)
        )

    if fits(expected):
        return expected
    if not old:
        return "it has no line that says where it belongs"
    places = [place for place in range(first, last + 1) if lines[place] == old[0] and fits(place)]
    if len(places) == 1:
        return places[0]
    if places:
        return f"its lines are not where it says, but in {len(places)} other places"
    return "the file does not hold the lines that it takes out or keeps"


def _is_created(file: FilePatch, hunks: Sequence[PatchHunk]) -> bool:
    if file.is_git:
        return b"new file mode" in file.header or (file.old_name is None and file.named)
    empty = len(hunks) == 1 and not hunks[0].old_lines and hunks[0].start == 0
    return file.old_name is None or (file.epoch and empty)


def _is_deleted(file: FilePatch, hunks: Sequence[PatchHunk]) -> bool:
    if file.is_git:
        return b"deleted file mode" in file.header or (file.new_name is None and file.named)
    return file.new_name is None or (file.epoch and len(hunks) == 1 and not hunks[0].new_lines)


def _paths(tree: _Tree, file: FilePatch, *, created: bool) -> tuple[str, str]:
    old, new = file.old_name or file.new_name or b"", file.new_name or file.old_name or b""
    if file.is_git:
        if old != new and not {b"rename from", b"copy from"} & file.header.keys():
            raise DraftError(f"The patch of {file.name} has two names, but neither renames nor copies.")
        return _path(old), _path(new)
    if created or not (file.old_name and file.new_name):
        return _path(new), _path(new)
    # Both names of a plain diff may have a folder in front (diff -ru old new), and one may be a backup's.
    candidates = [name for given in (new, old) for name in (given, given.partition(b"/")[2])]
    for name in candidates:
        if _is_inside(name) and tree.state(_path(name)) is not None:
            return _path(name), _path(name)
    raise DraftError(f"The patch wants to change {file.name}, and there is no such file.")


def _path(name: bytes) -> str:
    if not _is_inside(name):
        raise DraftError(f"The patch names {name!r}, which is no file of the workspace.")
    return name.decode("utf-8", "surrogateescape")


def _is_inside(name: bytes) -> bool:
    parts = name.split(b"/")
    if {b"", b".", b".."} & set(parts) or b"\0" in name:
        return False
    return not any(is_git_folder(part.decode("utf-8", "surrogateescape")) for part in parts)


def _new_mode(file: FilePatch, before: FileState | None, path: str) -> int:
    given = file.header.get(b"new file mode") or file.header.get(b"new mode")
    old = file.header.get(b"old mode")
    index = file.header.get(b"index", b"").partition(b" ")[2]
    modes = [_mode(text, path) for text in (given, old, index) if text]
    if before and any((mode == LINK) != (before.mode == LINK) for mode in modes):
        raise DraftError(f"{path} is a link here and a file in the patch, or the other way round.")
    if given:
        return _mode(given, path)
    return before.mode if before else REGULAR


def _mode(text: bytes, path: str) -> int:
    mode = int(text, 8) if re.fullmatch(rb"[0-7]{6}", text) else 0
    if mode == LINK:
        return LINK
    if mode & 0o170000 != 0o100000:
        raise DraftError(f"The patch gives {path} the mode {text.decode('latin-1')}, which is no file's or link's.")
    return EXECUTABLE if mode & 0o100 else REGULAR
