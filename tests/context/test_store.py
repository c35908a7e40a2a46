"""The database of the index."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from kcode.context.extract import Extract, extract
from kcode.context.store import Stamp, Store, discard, open_store

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"import os\n\n\nclass Reader(Base):\n    def read_file(self):\n        return os.read(self.handle)\n"


def opened(folder: Path, seconds: float = 5) -> Store:
    return open_store(folder, "v1", seconds)


def test_what_was_read_of_a_file_comes_back(tmp_path: Path) -> None:
    one = extract("a.py", TEXT)
    store = opened(tmp_path)
    store.add({"k1.python": one, "k2.python": Extract({"read": 3}, 3)})
    store.close()
    store = opened(tmp_path)
    known = store.known()
    assert known.keys() == {"k1.python", "k2.python"}
    first = known["k1.python"]
    assert first.length == one.length
    assert store.symbols(first.id) == one.symbols
    assert store.postings("read") == {first.id: one.counts["read"], known["k2.python"].id: 3}
    assert store.postings("nothing") == {}
    assert store.symbols(99) == ()


def test_a_definition_weighs_more_than_a_mention() -> None:
    counts = extract("a.py", TEXT).counts
    assert counts["read"] > 3
    assert counts["readfil"] == 1 + 3


def test_a_file_that_is_kept_already_is_passed_over(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add({"k": Extract({"one": 1}, 1)})
    store.add({"k": Extract({"two": 2}, 2), "l": Extract({"one": 1}, 1)})
    known = store.known()
    assert known["k"].length == 1
    assert store.postings("two") == {}
    assert store.postings("one") == {known["k"].id: 1, known["l"].id: 1}


def test_a_time_is_believed_only_when_it_lies_well_before_the_look(tmp_path: Path) -> None:
    store = opened(tmp_path)
    second = 1_000_000_000
    store.stamp(10 * second, {b"old": Stamp(5, 7 * second, "id1"), b"fresh": Stamp(5, 9 * second, "id2")})
    assert store.stamped(b"old", 5, 7 * second) == "id1"
    assert store.stamped(b"old", 6, 7 * second) == ""
    assert store.stamped(b"old", 5, 8 * second) == ""
    assert store.stamped(b"fresh", 5, 9 * second) == ""
    assert store.stamped(b"none", 5, 7 * second) == ""


def test_facts_are_kept_together(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.keep_facts({"head": "a", "commits": "[]"})
    store.keep_facts({"head": "b"})
    assert (store.fact("head"), store.fact("commits"), store.fact("x")) == ("b", "[]", "")


@pytest.mark.parametrize("damage", [b"no database at all" * 1000, b"SQLite format 3\x00" + b"\xff" * 9000, b"x"])
def test_a_damaged_database_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    store = opened(tmp_path)
    store.add({"k": Extract({"one": 1}, 1)})
    store.close()
    file = tmp_path / "v1.db"
    discard(file)
    file.write_bytes(damage)
    store = opened(tmp_path)
    assert store.known() == {}
    store.add({"k": Extract({"one": 1}, 1)})
    assert store.known().keys() == {"k"}


def test_another_process_that_writes_is_waited_for_only_so_long(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path, 0.01)
    other = sqlite3.connect(first.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError):
        second.add({"k": Extract({"one": 1}, 1)})
    assert second.known() == {}
    other.execute("ROLLBACK")
    second.add({"k": Extract({"one": 1}, 1)})
    assert first.known().keys() == {"k"}
    other.close()
