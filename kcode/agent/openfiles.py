"""The workspace's files as they may be shown to a model unasked: nothing outside, nothing secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.agent.seen import shown_whole
from kcode.context.listing import read_file
from kcode.context.secretfiles import NONE_ALLOWED, holds_secret
from kcode.context.sources import LARGEST_FILE
from kcode.errors import KcodeError
from kcode.workspace import is_git_path

if TYPE_CHECKING:
    from typing import Literal

    from kcode.agent.view import DraftView
    from kcode.context.changes import Stamp
    from kcode.context.secretfiles import Allowed
    from kcode.workspace import Workspace


class OpenFiles:
    """Reads what the user's files hold, and from when a draft is open what the draft holds in their place."""

    def __init__(self, workspace: Workspace, allowed: Allowed = NONE_ALLOWED) -> None:
        self._root, self._allowed = workspace.root, allowed
        self.view: DraftView | None = None

    @property
    def _draft(self) -> DraftView | None:
        return self.view if self.view is not None and self.view.is_open else None

    def stamp(self, path: str) -> Stamp:
        """The size and time of what stands there on disk."""
        try:
            there = os.lstat(self._root / path)
        except OSError:
            return None
        return (there.st_size, there.st_mtime_ns)

    def size(self, path: str) -> int | None:
        stamp = self.stamp(path)
        return stamp[0] if stamp else None

    def read(self, path: str) -> bytes | None:
        """The file as the draft has it; None for what is no file, or is kept back."""
        if self._draft is None:
            return self.read_disk(path)
        try:
            return self._draft.read(path)
        except KcodeError:
            return None

    def read_disk(self, path: str) -> bytes | None:
        """The file as the user has it; None for what is no file, or is kept back."""
        real = self._real(path)
        data = None if real is None else read_file(self._root, real, LARGEST_FILE)
        if data is None or real is None or (real not in self._allowed and holds_secret(real, data)):
            return None
        return data

    def kind(self, path: str) -> Literal["file", "folder"] | None:
        """What the path leads to; None for nothing, for what lies outside, and for what can be no path."""
        if self._draft is not None:
            try:
                entry = self._draft.entry(path)
            except KcodeError:
                return None
            if entry is not None and entry.kind == "file":
                return "file"
        real = self._real(path)
        if real is None:
            return None
        whole = self._root / real
        try:
            return "file" if whole.is_file() else "folder" if whole.is_dir() else None
        except OSError:  # a name too long for the file system
            return None

    def note_shown(self, path: str, data: bytes, first: int, last: int) -> None:
        """Count these lines as known to the model, so that it need not read them again before it edits them."""
        if self.view is not None and self._real(path) == path:
            self.view.seen.note_shown(path, data, shown_whole(data, first, last))

    def is_known(self, path: str, data: bytes) -> bool:
        """Whether the model saw, or wrote, just these bytes."""
        return self.view is not None and self.view.seen.knows(path, data)

    def seen_paths(self) -> tuple[str, ...]:
        """The files of which the model saw, or wrote, any part."""
        return self.view.seen.paths if self.view is not None else ()

    def outdated(self) -> list[str]:
        """What the model was shown and is otherwise now, but for what was changed in the draft."""
        if self._draft is None:
            return []
        own = {change.path for change in self._draft.draft.changes()}
        found = [(path, self.read(path)) for path in self._draft.seen.paths if path not in own]
        return [path for path, data in found if data is None or not self.is_known(path, data)]

    def _real(self, path: str) -> str | None:
        """The path without links in it; None for one that leads out of the workspace or into a `.git`."""
        try:
            real = Path(os.path.realpath(self._root / path)).relative_to(self._root).as_posix()
        except (OSError, ValueError):
            return None
        return None if is_git_path(real) else real
