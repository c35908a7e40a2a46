"""What the index tells the model of a repository: all definitions once, and the files that each request is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.repository import may_fit_skeleton
from kcode.context.sources import is_named_as_source, path_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from kcode.context.budget import LayerSizes
    from kcode.context.indexed import IndexedRepository
    from kcode.safegit import SafeGit
    from kcode.workspace import Workspace

_MANY_SOURCE_FILES = 500
# Of what is told of the changes since the turn before, so much may go to files that were not shown yet.
_SHARE_OF_MORE = 2


class Overview:
    """Of one session. The index is opened when it is first asked for, and ended by `close`."""

    def __init__(
        self,
        workspace: Workspace,
        git: SafeGit,
        cache: Path,
        own_prompts: Path,
        sizes: LayerSizes,
        size_of: Callable[[str], int | None],
    ) -> None:
        self._workspace, self._git, self._cache = workspace, git, cache
        self._own_prompts, self._sizes, self._size_of = own_prompts, sizes, size_of
        self._indexed: IndexedRepository | None = None
        self._is_owed = False
        self._shown: set[str] = set()

    def index(self) -> IndexedRepository:
        """The index, which is brought up to date in the background from when this is first called."""
        if self._indexed is None:
            from kcode.context.indexed import IndexedRepository  # noqa: PLC0415 - a database, for nothing in a small repository

            self._indexed = IndexedRepository(self._workspace, self._git, self._cache)
        return self._indexed

    def skeleton(self, files: Sequence[str]) -> str:
        """All that the files define, where that is little enough; "" else, and where it is not indexed in time."""
        self._is_owed = False
        if not may_fit_skeleton(files, self._size_of, self._sizes.skeleton):
            return ""
        text, is_complete = self.index().skeleton(self._sizes.skeleton, self._own_prompts)
        self._is_owed = not is_complete
        return text

    @property
    def is_due(self) -> bool:
        """Whether the skeleton came too late for where it belongs, and can be had by now."""
        return self._is_owed and self._indexed is not None and not self._indexed.is_busy

    def late_skeleton(self, files: Sequence[str]) -> str:
        """What was not indexed in time, once that is due; else ""."""
        if not self.is_due:
            return ""
        self.index().look_again()
        text = self.skeleton(files)
        # Where no index can be kept it would be asked for in vain with every call.
        self._is_owed = self._is_owed and self.index().is_busy
        return text

    def first_map(self, words: str, files: Sequence[str], known: Collection[str] = ()) -> str:
        """The files that a session's first request is about, but for those that are known, as a part of what it is told."""
        source = sum(is_named_as_source(path) and path_factor(path) == 1.0 for path in files)
        tokens = self._sizes.large_map if source > _MANY_SOURCE_FILES else self._sizes.map
        found, is_complete = self.index().map(words, tokens, known)
        self._shown.update(entry.path for entry in found.entries)
        if not found.text:
            return ""
        rest = "" if is_complete else " Not all files are indexed yet, so others may fit better."
        return (
            "# Files that may matter for it\n\nThese have most to do with its words, or change often; the likeliest comes "
            "first, each with how it begins and some of its definitions, all by their lines. It is a guess to start from."
            f"{rest}\n\n{found.text.rstrip()}"
        )

    def later_map(self, words: str, known: Collection[str]) -> str:
        """The files that a later request is about, but for those that are known or were in a map before."""
        tokens = self._sizes.changes // _SHARE_OF_MORE
        found = self.index().map_of_more(words, tokens, self._shown.union(known))
        self._shown.update(entry.path for entry in found.entries)
        if not found.text:
            return ""
        return f"# More files that may matter for it, not shown before\n\n{found.text.rstrip()}"

    def forget_shown(self) -> None:
        """The conversation that the maps stood in is gone."""
        self._shown.clear()

    def close(self) -> None:
        """End the indexing process if it still runs; the next session goes on from there."""
        if self._indexed is not None:
            self._indexed.close()
