"""Ignore files where git does not read them: `.ignore` and `.kcodeignore`, and `.gitignore` where there is no git."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.globs import compile_glob

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping

OWN_NAMES = (".ignore", ".kcodeignore")
ALL_NAMES = (".gitignore", *OWN_NAMES)


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    shows: bool
    folders_only: bool


class IgnoreRules:
    """The rules of a tree's ignore files, which are given by the folder that they stand in, the root's as ""."""

    def __init__(self, texts: Mapping[str, Iterable[str]]) -> None:
        self._rules = {folder: [rule for text in found for rule in _parse(text)] for folder, found in texts.items()}
        self._folders: dict[str, bool] = {"": False}

    def ignores(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the rules leave out the path, or a folder that it lies in."""
        return self._below_ignored(path) or self._matches(path, is_folder=is_folder)

    def _below_ignored(self, path: str) -> bool:
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = self._below_ignored(folder) or self._matches(folder, is_folder=True)
        return self._folders[folder]

    def _matches(self, path: str, *, is_folder: bool) -> bool:
        names = path.split("/")
        # The rules of an inner folder come after those of an outer one, and the last rule that matches counts.
        for depth in range(len(names) - 1, -1, -1):
            inner = "/".join(names[depth:])
            for rule in reversed(self._rules.get("/".join(names[:depth]), ())):
                if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(inner):
                    return not rule.shows
        return False


def _parse(text: str) -> list[_Rule]:
    rules = []
    for line in text.splitlines():
        pattern = line.rstrip()
        if not pattern or pattern.startswith("#"):
            continue
        shows = pattern.startswith("!")
        pattern = pattern[1:] if shows else pattern
        folders_only = pattern.endswith("/")
        try:
            # As in git, a slash before the last character ties the pattern to the file's own folder.
            rules.append(_Rule(compile_glob(pattern.rstrip("/")), shows, folders_only))
        except ValueError:
            continue  # git, too, passes over a pattern that it cannot read
    return rules
