"""What a session asks of the index: the skeleton and the map, both within the time that the first answer may wait."""

from __future__ import annotations

import sqlite3
import time
from json import JSONDecodeError
from typing import TYPE_CHECKING

from kcode.context.index import FIRST_ANSWER_SECONDS, Indexer, index_folder
from kcode.context.map import make_map
from kcode.context.repository import skeleton

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.context.corpus import Corpus
    from kcode.context.map import RepositoryMap
    from kcode.context.symbols import Symbol
    from kcode.safegit import SafeGit
    from kcode.workspace import Workspace

# What starting the program took already of that time.
_STARTING_SECONDS = 0.25
# So long what was read counts as what is there.
FRESH_SECONDS = 5.0


class IndexedRepository:
    """A workspace's index, looked at and brought up to date from when this is made. Closed by `close`."""

    def __init__(self, workspace: Workspace, git: SafeGit, cache: Path) -> None:
        self._indexer = Indexer(workspace.root, git, index_folder(cache, workspace))
        self._corpus: Corpus | None = None
        self._read_at = 0.0
        self._indexer.start()
        self._indexer.prepare()

    def skeleton(self, tokens: int, own_prompts: Path) -> str:
        """All that the repository defines, where that is little enough; "" else."""
        try:
            found = skeleton(self._fresh_corpus(""), tokens, own_prompts)
        except (sqlite3.Error, JSONDecodeError) as error:
            self._drop(error)
            return ""
        return found.text if found else ""

    def map(self, words: str, tokens: int) -> tuple[RepositoryMap, bool]:
        """The map for a request, and whether all of the repository was indexed for it."""
        try:
            found = make_map(self._fresh_corpus(words), words, tokens)
        except (sqlite3.Error, JSONDecodeError) as error:
            # Only now did it show that the database is damaged.
            self._drop(error)
            found = make_map(self._fresh_corpus(words), words, tokens)
        return found, not self._fresh_corpus(words).unread

    def definitions(self) -> list[tuple[str, Symbol]]:
        """What all files define, with the path of each, as far as it is indexed by now."""
        try:
            corpus = self._fresh_corpus("")
            return [(path, symbol) for path, place in corpus.numbers.items() for symbol in corpus.symbols(place)]
        except (sqlite3.Error, JSONDecodeError) as error:
            self._drop(error)
            return []

    def close(self) -> None:
        """End the indexing process if it still runs; the next session goes on from there."""
        self._indexer.close()

    def _fresh_corpus(self, words: str) -> Corpus:
        """The repository as far as it is indexed; what was read a moment ago is not read again."""
        if self._corpus is None or time.monotonic() - self._read_at > FRESH_SECONDS:
            self._corpus = self._indexer.corpus(words, FIRST_ANSWER_SECONDS - _STARTING_SECONDS)
            self._read_at = time.monotonic()
        return self._corpus

    def _drop(self, error: Exception) -> None:
        self._indexer.drop(error)
        self._corpus = None
