"""The instructions of folders, given to the model when it first works there, and what the user should know of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kcode.context.instructions import NAMES, find_nested
from kcode.context.sources import is_named_as_source
from kcode.errors import KcodeError
from kcode.workspace import relative_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.messages import ToolCall
    from kcode.workspace import Workspace

_PATH_ARGUMENTS = ("path", "source", "target")


class GivenInstructions:
    """Of one session: each folder's instructions are given once, and each warning is told once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._own: frozenset[str] = frozenset()
        self._folders: set[str] = set()
        self._warned: dict[str, bool] = {}

    def look_at(self, files: Iterable[str]) -> None:
        """Take the workspace's files as they are by now; those of a dependency are nobody's word on this project."""
        self._own = frozenset(path for path in files if is_named_as_source(path) and path.endswith(NAMES))

    def nested(self, call: ToolCall) -> list[str]:
        """The instructions of the folders that the call is about, where they were not given yet."""
        found = []
        for path in _paths_of(call.arguments):
            try:
                inside = relative_path(self._workspace, path)
            except KcodeError:
                continue
            fresh = self._own - self._folders
            nested, warnings = find_nested(self._workspace.root, self._workspace.start, inside, fresh)
            self.warn(warnings)
            for one in nested:
                self._folders.add(one.origin)
                found.append(
                    "Note from kcode: these instructions hold for what lies below their folder.\n"
                    f"## From {one.origin}\n\n{one.text}"
                )
        return found

    def forget(self) -> None:
        """What was given is gone with the conversation."""
        self._folders.clear()

    def warn(self, warnings: Iterable[str]) -> None:
        """Have these told to the user, where they were not yet."""
        for warning in warnings:
            self._warned.setdefault(warning, False)

    def take_warnings(self) -> tuple[str, ...]:
        """What the user was not told yet; from here on it counts as told."""
        found = tuple(warning for warning, is_told in self._warned.items() if not is_told)
        self._warned = dict.fromkeys(self._warned, True)
        return found


def _paths_of(arguments: str) -> Sequence[str]:
    """The paths that a call's arguments name."""
    try:
        value = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return []
    found = [value.get(name) for name in _PATH_ARGUMENTS] if isinstance(value, dict) else []
    return [path for path in found if isinstance(path, str)]
