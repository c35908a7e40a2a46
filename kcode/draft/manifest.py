"""What a copy of the workspace was when it was made: how its changes are found without reading a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.draft import disk
from kcode.draft.layers import Stamp
from kcode.errors import DraftError

if TYPE_CHECKING:
    from pathlib import Path


class Manifest:
    """Two stamps a copied file, the workspace's and the copy's, and the folders that hold them; the paths that are shared.

    `copied` are the ignored folders whose files are, or once were, among the copied.
    A file whose copy has another stamp by now was changed by the draft.
    """

    def __init__(self, index: Path) -> None:
        self._index = index
        self.files: dict[str, tuple[Stamp, Stamp]] = {}
        self.folders: set[str] = set()
        self.linked: tuple[str, ...] = ()
        self.copied: tuple[str, ...] = ()
        stored: Any = disk.read_json(index)
        self.exists, self.is_saved = stored is not None, True
        if stored is None:
            return
        try:
            for path, (theirs, ours) in stored["files"].items():
                self.record(path, Stamp(*theirs), Stamp(*ours))
            self.linked, self.copied = tuple(stored["linked"]), tuple(stored.get("copied", ()))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise DraftError(f"The draft's file {index} is damaged ({error}). Start a new session.") from error

    def record(self, path: str, theirs: Stamp, ours: Stamp) -> None:
        self.files[path] = (theirs, ours)
        self.folders.update(folders_above(path))

    def is_untouched(self, path: str, ours: Stamp) -> bool:
        known = self.files.get(path)
        return known is not None and known[1] == ours

    def is_linked(self, path: str) -> bool:
        return any(path == linked or path.startswith(f"{linked}/") for linked in self.linked)

    def save(self) -> None:
        disk.write_json(self._index, {"files": self.files, "linked": self.linked, "copied": self.copied})
        self.exists = self.is_saved = True


def folders_above(path: str) -> list[str]:
    """The folders above a path, the innermost first."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(len(names) - 1, 0, -1)]
