"""Which hunks of a proposal the user means by a few words on the command line."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.globs import compile_glob

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.draft.files import FileChange, Hunk, Proposal

_SHORTEST_ID = 3


def keys_of(change: FileChange) -> frozenset[str]:
    """What a whole file is chosen by: the ids of its hunks, or its path where it is decided whole."""
    return frozenset(hunk.id for hunk in change.hunks) or frozenset({change.path})


def select_hunks(proposal: Proposal, words: Iterable[str], start: str = "") -> frozenset[str]:
    """The ids of hunks, and the paths of files that are decided whole, that the words name.

    A word is the beginning of a hunk's id, a file, a file:line with a line that a hunk makes, a folder, a pattern as for
    ripgrep's --glob, or `all`; several may be joined by commas. Files and folders are named as seen from `start`, the folder that the user stands in, or from the
    workspace's root. UsageError names a word that fits nothing, or fits two hunks.
    """
    chosen: frozenset[str] = frozenset()
    for given in words:
        # A comma may also be part of a name or a pattern.
        whole = _named(proposal, given, start)
        for word in [given] if whole else map(str.strip, given.split(",")):
            if word:
                chosen |= _select(proposal, word, start)
    return chosen


def _select(proposal: Proposal, word: str, start: str) -> frozenset[str]:
    by_path = _named(proposal, word, start)
    if by_path:
        return frozenset().union(*map(keys_of, by_path))
    path, _, line = word.rpartition(":")
    files = _named(proposal, path, start) if line.isdecimal() else []
    if len(files) == 1 and (there := [hunk.id for hunk in files[0].hunks if _makes(hunk, int(line))]):
        return frozenset(there)
    ids = [hunk.id for change in proposal.changes for hunk in change.hunks if hunk.id.startswith(word)]
    if len(ids) == 1 and len(word) >= _SHORTEST_ID:
        return frozenset(ids)
    if len(ids) == 1:
        raise UsageError(
            f"{word!r} is too short for a hunk. Is {ids[0]} meant? Give at least {_SHORTEST_ID} characters."
        )
    if ids:
        raise UsageError(f"{word!r} is the beginning of {len(ids)} hunk ids: {', '.join(ids[:5])}. Give more of it.")
    raise UsageError(f"{word!r} is no hunk and no file of the proposal. kcode diff --hunks lists what there is.")


def _makes(hunk: Hunk, line: int) -> bool:
    """Whether the line is one of the hunk's, as it is listed: one that only takes lines out has the one before them."""
    first = max(hunk.new_start, 1)
    return first <= line < first + max(len(hunk.new_lines), 1)


def _named(proposal: Proposal, word: str, start: str) -> list[FileChange]:
    """The files that the word names, as seen from the user's folder if it names any there."""
    inner = posixpath.normpath(posixpath.join(start, word)) if word else ""
    seen = [change for change in proposal.changes if word and (inner == "." or _is_path(change, inner))]
    return seen or [change for change in proposal.changes if word == "all" or _is_named(change, word)]


def _is_path(change: FileChange, name: str) -> bool:
    folder = name.rstrip("/") + "/"
    paths = [path for path in (change.path, change.old_path) if path is not None]
    return any(path == name or path.startswith(folder) for path in paths)


def _is_named(change: FileChange, word: str) -> bool:
    if _is_path(change, word):
        return True
    paths = [path for path in (change.path, change.old_path) if path is not None]
    try:
        pattern = compile_glob(word)
    except ValueError:
        return False
    return any(mark in word for mark in "*?[{") and any(pattern.fullmatch(path) for path in paths)
