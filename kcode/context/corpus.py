"""What ranking asks about the repository's files: their paths, words, definitions and history."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from kcode.context.extract import extract, extract_words
from kcode.context.listing import read_file
from kcode.context.sources import LARGEST_FILE, path_factor

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from kcode.context.commits import Commit
    from kcode.context.extract import Extract
    from kcode.context.listing import Listing
    from kcode.context.store import Store, Stored
    from kcode.context.symbols import Symbol


class Corpus:
    """The files of a workspace, each by its number in `paths`, which is sorted; `lengths` are in words.

    `keys` has a path for each file that is worth reading. What the index does not yet hold is `unread`; `read_words`
    makes up for it as far as the time goes.
    """

    def __init__(
        self,
        root: Path,
        listing: Listing,
        keys: Mapping[str, str],
        known: Mapping[str, Stored],
        store: Store | None,
        commits: tuple[Commit, ...],
    ) -> None:
        self.paths = tuple(listing.blobs)
        self.dirty = listing.dirty
        self.commits = commits
        self.lengths = [0] * len(self.paths)
        self.unread: list[int] = []
        self._root, self._store = root, store
        self._stored: list[int] = [0] * len(self.paths)
        self._places: dict[int, list[int]] = {}
        self._read: dict[int, Extract] = {}
        for place, path in enumerate(self.paths):
            key = keys.get(path) if store is not None else ""
            if key is None:
                continue
            stored = known.get(key)
            if stored is None:
                self.unread.append(place)
                continue
            self.lengths[place] = stored.length
            self._stored[place] = stored.id
            self._places.setdefault(stored.id, []).append(place)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Each path's number."""
        return {path: place for place, path in enumerate(self.paths)}

    def postings(self, term: str) -> dict[int, int]:
        """How much the term counts in each file that has it."""
        found: dict[int, int] = {}
        if self._store is not None:
            for number, count in self._store.postings(term).items():
                for place in self._places.get(number, ()):
                    found[place] = count
        for place, one in self._read.items():
            if term in one.counts:
                found[place] = one.counts[term]
        return found

    def is_indexed(self, place: int) -> bool:
        """Whether the definitions of the file are at hand without parsing it."""
        return place not in self._read

    def symbols(self, place: int) -> tuple[Symbol, ...]:
        """The definitions of a file, in source order."""
        if self._stored[place] and self._store is not None:
            return self._store.symbols(self._stored[place])
        data = read_file(self._root, self.paths[place], LARGEST_FILE) if place in self._read else None
        return extract(self.paths[place], data).symbols if data is not None else ()

    def text(self, place: int) -> bytes:
        """The file as it stands on disk; empty for one that cannot be read."""
        return read_file(self._root, self.paths[place], LARGEST_FILE) or b""

    def read_words(self, terms: Collection[str], until: float) -> None:
        """Read the words of files that are not yet indexed, those that the terms name first, until that time."""
        wanted = [term for term in terms if len(term) > 2]

        def urgency(place: int) -> tuple[int, float, str]:
            path = self.paths[place].lower()
            return (-sum(term in path for term in wanted), -path_factor(path), path)

        for place in sorted(self.unread, key=urgency):
            if time.monotonic() > until:
                return
            data = read_file(self._root, self.paths[place], LARGEST_FILE)
            if data is not None:
                self._read[place] = one = extract_words(self.paths[place], data)
                self.lengths[place] = one.length
