"""What a session asks of the index: the skeleton and the map, both within the time that the first answer may wait."""

from __future__ import annotations

import sqlite3
import time
from json import JSONDecodeError
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from kcode.context.corpus import Corpus
from kcode.context.index import FIRST_ANSWER_SECONDS, Indexer, index_folder
from kcode.context.listing import Listing
from kcode.context.map import make_map, map_of_more
from kcode.context.repository import skeleton

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from kcode.context.map import RepositoryMap
    from kcode.context.symbols import Symbol
    from kcode.safegit import SafeGit
    from kcode.workspace import Workspace

# What starting the program took already of that time.
_STARTING_SECONDS = 0.25
Drawn = TypeVar("Drawn")
# So long what was read counts as what is there.
FRESH_SECONDS = 5.0


class IndexedRepository:
    """A workspace's index, looked at and brought up to date from when this is made. Closed by `close`.

    May be asked from several threads, which wait for each other.
    """

    def __init__(self, workspace: Workspace, git: SafeGit, cache: Path) -> None:
        self._root = workspace.root
        self._indexer = Indexer(workspace.root, git, index_folder(cache, workspace))
        self._corpus: Corpus | None = None
        self._read_at = 0.0
        self._lock = Lock()
        self._is_closed = False
        self._indexer.start()
        self._indexer.prepare()

    @property
    def is_busy(self) -> bool:
        """Whether files are still being indexed in the background."""
        return self._indexer.is_busy

    def skeleton(self, tokens: int, own_prompts: Path) -> tuple[str, bool]:
        """All that the repository defines, where that is little enough, else ""; and whether all of it was indexed for it."""

        def draw(corpus: Corpus) -> tuple[str, bool]:
            found = skeleton(corpus, tokens, own_prompts)
            return found.text if found else "", not corpus.unread

        return self._ask("", draw)

    def map(self, words: str, tokens: int, without: Collection[str] = ()) -> tuple[RepositoryMap, bool]:
        """The map for a request but for those files, and whether all of the repository was indexed for it."""
        return self._ask(words, lambda corpus: (make_map(corpus, words, tokens, without), not corpus.unread))

    def map_of_more(self, words: str, tokens: int, known: Collection[str]) -> RepositoryMap:
        """What the words of a later request are about beside the files that are known."""
        return self._ask(words, lambda corpus: map_of_more(corpus, words, tokens, known))

    def look_again(self) -> None:
        """Let the next question be answered from what is there by then."""
        with self._lock:
            self._corpus = None

    def definitions(self) -> list[tuple[str, Symbol]]:
        """What all files define by name, with the path of each, as far as it is indexed by now."""

        def draw(corpus: Corpus) -> list[tuple[str, Symbol]]:
            found = ((path, symbol) for path, place in corpus.numbers.items() for symbol in corpus.symbols(place))
            return [(path, symbol) for path, symbol in found if symbol.name]

        return self._ask("", draw)

    def close(self) -> None:
        """End the indexing process if it still runs; the next session goes on from there."""
        self._indexer.hurry()
        with self._lock:
            self._is_closed = True
            self._indexer.close()

    def _ask(self, words: str, draw: Callable[[Corpus], Drawn]) -> Drawn:
        with self._lock:
            try:
                return draw(self._fresh_corpus(words))
            except (sqlite3.Error, JSONDecodeError) as error:
                # Only now did it show that the database is damaged.
                self._indexer.drop(error)
                self._corpus = None
                return draw(self._fresh_corpus(words))

    def _fresh_corpus(self, words: str) -> Corpus:
        """The repository as far as it is indexed; what was read a moment ago is not read again."""
        if self._is_closed:
            return Corpus(self._root, Listing(), {}, {}, None, ())
        if self._corpus is None or time.monotonic() - self._read_at > FRESH_SECONDS:
            self._corpus = self._indexer.corpus(words, FIRST_ANSWER_SECONDS - _STARTING_SECONDS)
            self._read_at = time.monotonic()
        return self._corpus
