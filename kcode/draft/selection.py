"""Which hunks of a proposal the user means by a few words on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.globs import compile_glob

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.draft.files import FileChange, Proposal

_SHORTEST_ID = 3


def keys_of(change: FileChange) -> frozenset[str]:
    """What a whole file is chosen by: the ids of its hunks, or its path where it is decided whole."""
    return frozenset(hunk.id for hunk in change.hunks) or frozenset({change.path})


def select_hunks(proposal: Proposal, words: Iterable[str]) -> frozenset[str]:
    """The ids of hunks, and the paths of files that are decided whole, that the words name.

    A word is the beginning of a hunk's id, a file, a folder, a pattern as for ripgrep's --glob, or `all`; several may be
    joined by commas. UsageError names a word that fits nothing, or fits two hunks.
    """
    chosen: frozenset[str] = frozenset()
    for word in (part.strip() for given in words for part in given.split(",")):
        if word:
            chosen |= _select(proposal, word)
    return chosen


def _select(proposal: Proposal, word: str) -> frozenset[str]:
    by_path = [change for change in proposal.changes if word == "all" or _is_named(change, word)]
    if by_path:
        return frozenset().union(*map(keys_of, by_path))
    ids = [hunk.id for change in proposal.changes for hunk in change.hunks if hunk.id.startswith(word)]
    if len(ids) == 1 and len(word) >= _SHORTEST_ID:
        return frozenset(ids)
    if ids:
        raise UsageError(f"{word!r} is the beginning of {len(ids)} hunk ids: {', '.join(ids[:5])}. Give more of it.")
    raise UsageError(f"{word!r} is no hunk and no file of the proposal. kcode diff --hunks lists what there is.")


def _is_named(change: FileChange, word: str) -> bool:
    paths = [path for path in (change.path, change.old_path) if path is not None]
    folder = word.rstrip("/") + "/"
    if any(path == word or path.startswith(folder) for path in paths):
        return True
    try:
        pattern = compile_glob(word)
    except ValueError:
        return False
    return any(mark in word for mark in "*?[{") and any(pattern.fullmatch(path) for path in paths)
