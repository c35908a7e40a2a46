"""What a copy of the workspace was when it was made: how its changes are found without reading a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.draft import disk
from kcode.draft.layers import Stamp
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_Stamps = tuple[Stamp, Stamp]


class Manifest:
    """Two stamps a copied file, the workspace's and the copy's, and the folders that hold them; the paths that are shared.

    `copied` are the ignored folders whose files are, or once were, among the copied.
    A file whose copy has another stamp by now was changed by the draft. What another process saved meanwhile, as one
    that rejects hunks while a session is open, stays.
    """

    def __init__(self, index: Path) -> None:
        self._index = index
        self.folders: set[str] = set()
        self.linked: tuple[str, ...] = ()
        self.copied: tuple[str, ...] = ()
        self._files: dict[str, _Stamps] = {}
        self._unsaved: set[str] = set()
        self._known: tuple[int, int] | None = None
        self.reload()

    @property
    def files(self) -> Mapping[str, _Stamps]:
        return self._files

    def reload(self) -> None:
        """Go back to what was last saved."""
        self._known = self._version()
        stored: Any = disk.read_json(self._index)
        self.exists = stored is not None
        self.clear()
        if stored is None:
            return
        try:
            for path, (theirs, ours) in stored["files"].items():
                self.record(path, Stamp(*theirs), Stamp(*ours))
            self.linked, self.copied = tuple(stored["linked"]), tuple(stored.get("copied", ()))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise DraftError(f"The draft's file {self._index} is damaged ({error}). Start a new session.") from error
        self._unsaved.clear()

    def refresh(self) -> None:
        """Take in what another process saved meanwhile."""
        if self._version() != self._known:
            ours = {path: self._files.get(path) for path in self._unsaved}
            self.reload()
            for path, stamps in ours.items():
                if stamps is None:
                    self.drop(path)
                else:
                    self.record(path, *stamps)

    def clear(self) -> None:
        """Forget every file and folder; those that are there no more go with the next `save`."""
        self._unsaved.update(self._files)
        self._files.clear()
        self.folders.clear()

    def record(self, path: str, theirs: Stamp, ours: Stamp) -> None:
        self._files[path] = (theirs, ours)
        self._unsaved.add(path)
        self.folders.update(folders_above(path))

    def drop(self, path: str) -> None:
        """Count the path as never copied."""
        self._files.pop(path, None)
        self._unsaved.add(path)

    def is_untouched(self, path: str, ours: Stamp) -> bool:
        known = self._files.get(path)
        return known is not None and known[1] == ours

    def is_linked(self, path: str) -> bool:
        return any(path == linked or path.startswith(f"{linked}/") for linked in self.linked)

    def save(self) -> None:
        linked, copied = self.linked, self.copied
        with disk.locked(self._index.with_name("manifest.lock")):
            self.refresh()
            self.linked, self.copied = linked, copied
            disk.write_json(self._index, {"files": self._files, "linked": linked, "copied": copied})
            self._known = self._version()
            self._unsaved.clear()
            self.exists = True

    @property
    def is_saved(self) -> bool:
        return not self._unsaved

    def _version(self) -> tuple[int, int] | None:
        """Which of all the index's files is there now: each save puts another one in its place."""
        found = disk.lstat(self._index)
        return (found.st_ino, found.st_mtime_ns) if found is not None else None


def folders_above(path: str) -> list[str]:
    """The folders above a path, the innermost first."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(len(names) - 1, 0, -1)]
