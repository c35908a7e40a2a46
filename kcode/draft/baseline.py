"""What each changed path was when the draft first changed it: the workspace is live, so that is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.draft import disk
from kcode.draft.files import FileState
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# Git's mode and the SHA-256 of the bytes; None for no file.
Digest = tuple[int, str] | None
# Whatever a run of the tests writes is by them.
BY_TESTS = "the tests"
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """One changed path: what it was, what it was last seen to be, and the last few tools or commands that changed it."""

    before: Digest
    after: Digest
    by: tuple[str, ...] = ()

    @property
    def is_left_by_tests(self) -> bool:
        """Whether the tests made this file and nobody else touched it: what they leave is no part of a proposal."""
        return _is_left_by_tests(self.before, self.by)


def _is_left_by_tests(before: object, by: Sequence[str]) -> bool:
    return before is None and list(by) == [BY_TESTS]


def digest(state: FileState | None) -> Digest:
    return None if state is None else (state.mode, hashlib.sha256(state.data).hexdigest())


class Baseline:
    """The changed paths and their base images, in `folder`: blobs named by their content, and an index put atomically.

    A change counts for other processes once `save` has returned; the blobs that it needs are there before it. What
    another process saved meanwhile, as one that applies while a model works, stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._index = folder / "index.json"
        self._origins: dict[str, Origin] = {}
        self._unsaved: set[str] = set()
        self._known: tuple[int, int] | None = None
        self.reload()

    def reload(self) -> None:
        """Go back to what was last saved."""
        self._known = self._version()
        stored = disk.read_json(self._index)
        try:
            self._origins = {
                path: Origin(_digest_of(before), _digest_of(after), tuple(by))
                for path, (before, after, by) in (stored or {}).items()
            }
        except (TypeError, ValueError, AttributeError) as error:
            raise DraftError(f"The draft's file {self._index} is damaged ({error}). Start a new session.") from error
        self._unsaved.clear()

    def save(self) -> None:
        with disk.locked(self._folder / "lock"):
            if self._version() != self._known:
                ours = {path: self._origins.get(path) for path in self._unsaved}
                self.reload()
                for path, origin in ours.items():
                    self.put_back(path, origin)
            value = {path: (origin.before, origin.after, origin.by) for path, origin in self._origins.items()}
            disk.write_json(self._index, value)
            self._known = self._version()
            self._unsaved.clear()

    def _version(self) -> tuple[int, int] | None:
        """Which of all the index's files is there now: each save puts another one in its place."""
        found = disk.lstat(self._index)
        return (found.st_ino, found.st_mtime_ns) if found is not None else None

    @property
    def origins(self) -> Mapping[str, Origin]:
        return self._origins

    def record(self, path: str, before: FileState | None, after: FileState | None, by: str = "") -> None:
        """Note a change; `before` counts only the first time."""
        known = self._origins.get(path)
        if known is None:
            known = Origin(digest(before), None)
            self._store(before)
        # Of a file that was gone again nobody before counts.
        earlier = () if known.before is None and known.after is None else known.by
        names = (*(name for name in earlier if name != by), by) if by else known.by
        self._put(path, Origin(known.before, digest(after), names[-_MOST_NAMES:]))

    def rebase(self, path: str, before: FileState | None) -> None:
        self._store(before)
        self._put(path, replace(self._origins[path], before=digest(before)))

    def drop(self, path: str) -> None:
        self._origins.pop(path, None)
        self._unsaved.add(path)

    def put_back(self, path: str, origin: Origin | None) -> None:
        """Have a path as it was in the index before a change that failed."""
        if origin is None:
            self.drop(path)
        else:
            self._put(path, origin)

    def _put(self, path: str, origin: Origin) -> None:
        self._origins[path] = origin
        self._unsaved.add(path)

    def before(self, path: str) -> FileState | None:
        """The base image of a path that is in the index."""
        known = self._origins[path].before
        if known is None:
            return None
        mode, name = known
        try:
            return FileState(mode, (self._folder / name).read_bytes())
        except OSError as error:
            raise DraftError(f"What {path} was before the draft changed it cannot be read: {error}.") from error

    def _store(self, state: FileState | None) -> None:
        known = digest(state)
        if state is not None and known is not None and not (self._folder / known[1]).exists():
            disk.write_whole(self._folder / known[1], state.data)


def count_changed(folder: Path) -> int:
    """How many paths differ from what they were, as the index in the folder has it, without a look at the files."""
    stored = disk.read_json(folder / "index.json")
    try:
        rows = (stored or {}).values()
        return sum(before != after and not _is_left_by_tests(before, by) for before, after, by in rows)
    except (TypeError, ValueError, AttributeError) as error:
        raise DraftError(f"The draft's file {folder / 'index.json'} is damaged ({error}).") from error


def _digest_of(value: list[object] | None) -> Digest:
    if value is None:
        return None
    mode, name = value
    if not isinstance(mode, int) or not isinstance(name, str):
        raise TypeError(f"{value!r} is no digest")
    return mode, name
