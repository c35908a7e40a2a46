"""Git's name for a file's bytes, by which the index knows a file again."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

from kcode.context.listing import read_file
from kcode.context.sources import LARGEST_FILE, is_named_as_source, kind_of
from kcode.context.store import Stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kcode.context.store import Store


def blob_id(data: bytes) -> str:
    """The SHA-1 that git gives a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def index_key(path: str, blob: str) -> str:
    """What an indexed file is kept by: the same bytes mean another thing in another language."""
    return f"{blob}.{kind_of(path)}"


def is_this_blob(data: bytes, blob: str) -> bool:
    """Whether the bytes are the blob's; True as well for a kind of id that is not computed here."""
    return len(blob) != 40 or blob_id(data) == blob


def find_keys(root: Path, blobs: Mapping[str, str], store: Store, most_read: int) -> dict[str, str]:
    """The key of each file that is to be indexed; "" for one that has to be read to tell.

    Without git's id a file is known by its size and time, or its own bytes tell it: up to so many are read here.
    """
    keys: dict[str, str] = {}
    unknown = []
    for path, blob in blobs.items():
        if not is_named_as_source(path):
            continue
        if blob:
            keys[path] = index_key(path, blob)
        else:
            unknown.append(path)
    left = []
    for path in unknown:
        there = look(root, path)
        if there is not None:
            blob = store.stamped(os.fsencode(path), there.size, there.mtime)
            keys[path] = index_key(path, blob) if blob else ""
            left += [] if blob else [path]
    for path in left if len(left) <= most_read else ():
        data = read_file(root, path, LARGEST_FILE)
        if data is None:
            del keys[path]
        else:
            keys[path] = index_key(path, blob_id(data))
    return keys


def look(root: Path, path: str) -> Stamp | None:
    """The size and time of a regular file that is not too large to be read; else None."""
    try:
        there = os.lstat(f"{root}/{path}")
    except OSError:
        return None
    if not stat.S_ISREG(there.st_mode) or there.st_size > LARGEST_FILE:
        return None
    return Stamp(there.st_size, there.st_mtime_ns)
