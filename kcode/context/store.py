"""The index on disk: a SQLite database that may be thrown away at any time, for it is made of the files alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from kcode.context.symbols import Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from kcode.context.extract import Extract

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, key TEXT UNIQUE, length INTEGER, symbols TEXT);
CREATE TABLE IF NOT EXISTS postings (bucket INTEGER, segment INTEGER, data TEXT, PRIMARY KEY (bucket, segment));
CREATE TABLE IF NOT EXISTS stamps (path BLOB PRIMARY KEY, size INTEGER, mtime INTEGER, seen INTEGER, blob TEXT);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""
# The postings of one term lie with those of some hundred others: a row for each term would take twice as long to write.
_BUCKETS = 256
_ENCODER = json.JSONEncoder(separators=(",", ":"))
# A file changed so shortly before it was looked at may have been changed again within the same tick of its clock.
_RACY_NANOSECONDS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a file without reading more: the number that postings give it, and its length in words."""

    id: int
    length: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """A file's size and time, by which a later look knows it again."""

    size: int
    mtime: int
    blob: str = ""


class Store:
    """One repository's index. Raises sqlite3.Error; a DatabaseError of a read means that it should be made anew."""

    def __init__(self, file: Path, seconds: float) -> None:
        self.file = file
        self._connection = sqlite3.connect(file, timeout=seconds, isolation_level=None, check_same_thread=False)
        try:
            self._connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000;" + _SCHEMA
            )
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def known(self) -> dict[str, Stored]:
        """Every file that is indexed, by its key."""
        rows = self._connection.execute("SELECT key, id, length FROM files")
        return {key: Stored(number, length) for key, number, length in rows}

    def among(self, keys: Iterable[str]) -> dict[str, Stored]:
        """Of these keys, those of files that are indexed."""
        rows = self._connection.execute(
            "SELECT key, id, length FROM files WHERE key IN (SELECT value FROM json_each(?))",
            (json.dumps(list(keys)),),
        )
        return {key: Stored(number, length) for key, number, length in rows}

    def add(self, extracts: Mapping[str, Extract]) -> None:
        """Keep what was read of files, by their keys, as one segment; a key that is kept already is passed over."""
        with self._writing() as connection:
            first = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM files").fetchone()[0]
            there = self.among(extracts)
            fresh = [(key, one) for key, one in extracts.items() if key not in there]
            buckets: list[dict[str, list[int]]] = [{} for _ in range(_BUCKETS)]
            postings: dict[str, list[int]] = {}
            files = []
            for number, (key, one) in enumerate(fresh, first):
                for term, count in one.counts.items():
                    pairs = postings.get(term)
                    if pairs is None:
                        postings[term] = buckets[_bucket(term)][term] = [number, count]
                    else:
                        pairs += (number, count)
                files.append((number, key, one.length, _pack(one.symbols)))
            connection.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)
            # A segment is named by the first file in it.
            packed = ((at, first, _ENCODER.encode(bucket)) for at, bucket in enumerate(buckets) if bucket)
            connection.executemany("INSERT INTO postings VALUES (?, ?, ?)", packed)

    def postings(self, term: str) -> dict[int, int]:
        """How much the term counts in each file that has it."""
        found: dict[int, int] = {}
        rows = self._connection.execute("SELECT data FROM postings WHERE bucket=? ORDER BY segment", (_bucket(term),))
        for (data,) in rows:
            pairs = json.loads(data).get(term, ())
            found.update(zip(pairs[0::2], pairs[1::2], strict=True))
        return found

    def symbols(self, number: int) -> tuple[Symbol, ...]:
        row = self._connection.execute("SELECT symbols FROM files WHERE id=?", (number,)).fetchone()
        return _unpack(row[0]) if row else ()

    def stamped(self, path: bytes, size: int, mtime: int) -> str:
        """The blob id that a file of this size and time had when it was last read; "" if that is not sure."""
        row = self._connection.execute("SELECT size, mtime, seen, blob FROM stamps WHERE path=?", (path,)).fetchone()
        if row is None or row[:2] != (size, mtime) or mtime > row[2] - _RACY_NANOSECONDS:
            return ""
        return str(row[3])

    def stamp(self, seen: int, stamps: Mapping[bytes, Stamp]) -> None:
        """Remember the blob ids of files that git keeps none for; `seen` is when they were read."""
        rows = [(path, one.size, one.mtime, seen, one.blob) for path, one in stamps.items()]
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO stamps VALUES (?, ?, ?, ?, ?)", rows)

    def fact(self, name: str) -> str:
        """A text that was kept under the name; "" when there is none."""
        row = self._connection.execute("SELECT value FROM facts WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def keep_facts(self, facts: Mapping[str, str]) -> None:
        with self._writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())


def open_store(folder: Path, version: str, seconds: float) -> Store:
    """Open the database of that version in the folder; one that is damaged is deleted and made anew.

    `seconds` is how long a write waits for another process's. Raises sqlite3.Error where none can be had.
    """
    file = folder / f"{version}.db"
    try:
        return _checked(file, seconds)
    except sqlite3.OperationalError:
        raise  # locked, or a disk that cannot be written: nothing is wrong with what it holds
    except sqlite3.DatabaseError:
        discard(file)
        return _checked(file, seconds)


def _checked(file: Path, seconds: float) -> Store:
    store = Store(file, seconds)
    try:
        store.among(("",))
    except sqlite3.Error:
        store.close()
        raise
    return store


def discard(file: Path) -> None:
    """Delete a database with what SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            file.with_name(file.name + ending).unlink()


def _bucket(term: str) -> int:
    return crc32(term.encode()) % _BUCKETS


def _pack(symbols: Sequence[Symbol]) -> str:
    return _ENCODER.encode([(s.name, s.kind, s.start, s.end, s.depth, s.text) for s in symbols])


def _unpack(text: str) -> tuple[Symbol, ...]:
    return tuple(Symbol(*row) for row in json.loads(text))
