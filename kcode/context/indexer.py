"""The indexing process, which is given its job as one line of JSON on stdin.

It ends when the work is done, or as soon as stdin does, which is when the process that started it has ended.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from kcode.context.blobs import blob_id, index_key, is_this_blob, look
from kcode.context.commits import pack_commits, read_commits
from kcode.context.extract import NOTHING, Extract, extract
from kcode.context.listing import read_file
from kcode.context.sources import LARGEST_FILE, path_factor
from kcode.context.store import Stamp, Store, discard, open_store
from kcode.errors import GitError, SessionError
from kcode.folders import is_marked, remove_folder
from kcode.safegit import SafeGit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# What is read between two writes is lost when the process ends early, so the first is soon; each is twice the one
# before, since a term's place in the database is written anew each time.
_FIRST_BATCH_BYTES, _LARGEST_BATCH_BYTES, _BATCH_FILES = 100_000, 8_000_000, 4_000
_LOCK_SECONDS = 30.0
_KEPT_SECONDS = 30 * 24 * 3600.0
# As long as somebody may wait for it, it is no less urgent than what else runs.
_EAGER_SECONDS, _NICE = 1.5, 10


@dataclass(frozen=True, slots=True)
class Job:
    """What to index: the commits up to `head` unless it is "", and files, each a path and its blob id or ""."""

    folder: str
    version: str
    root: str
    git_dir: str
    head: str
    listed: int
    files: tuple[tuple[str, str], ...]

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def decode_job(line: bytes) -> Job:
    fields: dict[str, Any] = json.loads(line)
    return Job(**fields | {"files": tuple((path, blob) for path, blob in fields["files"])})


def main() -> int:
    """Do the job; 1 where the index cannot be written."""
    job = decode_job(sys.stdin.buffer.readline())
    Thread(target=_end_with_parent, daemon=True).start()
    # Nothing that it makes goes in circles, and looking for such garbage would take a tenth of the time.
    gc.disable()
    make_way = _MakingWay(time.monotonic() + _EAGER_SECONDS)
    try:
        with _only_one(Path(job.folder)):
            store = open_store(Path(job.folder), job.version, _LOCK_SECONDS)
            index_commits(job, store)
            index_files(job, store, make_way)
            store.close()
        prune(Path(job.folder), f"{job.version}.db", time.time())
    except (OSError, SessionError, sqlite3.Error):
        return 1
    return 0


class _MakingWay:
    """Lets everything else on the machine go first, from a time on."""

    def __init__(self, from_when: float) -> None:
        self._from_when: float | None = from_when

    def __call__(self) -> None:
        if self._from_when is not None and time.monotonic() >= self._from_when:
            self._from_when = None
            with suppress(OSError):
                os.nice(_NICE)


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock this thread would still hold when the interpreter ends.
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)


def prune(folder: Path, current: str, now: float) -> None:
    """Delete the indexes of repositories that nobody indexed for a month, and this one's of other versions of kcode."""
    for path in folder.glob("*.db"):
        if path.name != current and path.stat().st_mtime < now - _KEPT_SECONDS:
            discard(path)
    for other in folder.parent.iterdir():
        if other == folder or not is_marked(other):
            continue
        lock = other / "lock"
        if (lock if lock.exists() else other).stat().st_mtime < now - _KEPT_SECONDS:
            remove_folder(other.resolve())


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Wait until no other process indexes this repository."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.utime(descriptor)  # by which it is known when this index was last of use
        yield
    finally:
        os.close(descriptor)


def index_commits(job: Job, store: Store) -> None:
    """Read the last commits, unless those of this head are kept already."""
    if not job.head or store.fact("head") == job.head:
        return
    try:
        commits = read_commits(SafeGit(Path(job.git_dir), Path(job.root)))
    except GitError:
        commits = ()  # it would refuse again: the next commit is soon enough to ask once more
    store.keep_facts({"commits": pack_commits(commits), "head": job.head})


def index_files(job: Job, store: Store, between: Callable[[], None] = lambda: None) -> None:
    """Read every file that is not yet kept, source before tests and documents, and write in batches.

    `between` is called before each file.
    """
    known = store.among(index_key(path, blob) for path, blob in job.files if blob)
    extracts: dict[str, Extract] = {}
    stamps: dict[bytes, Stamp] = {}
    size, batch = 0, _FIRST_BATCH_BYTES
    for path, blob in sorted(job.files, key=lambda file: (-path_factor(file[0]), file[0])):
        if blob and index_key(path, blob) in known:
            continue
        between()
        found = read_one(Path(job.root), path, blob, job.listed)
        if found is None:
            continue
        key, one, stamp, length = found
        extracts[key] = one
        if stamp is not None:
            stamps[os.fsencode(path)] = stamp
        size += length
        if size >= batch or len(extracts) >= _BATCH_FILES:
            _write(store, extracts, stamps, job.listed)
            size, batch = 0, min(2 * batch, _LARGEST_BATCH_BYTES)
    _write(store, extracts, stamps, job.listed)


def read_one(root: Path, path: str, blob: str, listed: int) -> tuple[str, Extract, Stamp | None, int] | None:
    """The file's key, what it holds, the stamp that git does not keep for it, and its size.

    None for a file that is not there, or that was changed after it was listed: the next listing tells of it.
    """
    there = look(root, path)
    if there is None:
        # Too large, a link, or gone: known by git's id it need not be looked at again.
        return (index_key(path, blob), NOTHING, None, 0) if blob and os.path.lexists(root / path) else None
    data = read_file(root, path, LARGEST_FILE)
    if data is None:
        return None
    if blob:
        # Filters and line ends make other bytes of a blob; so does the user, but then the file's time tells.
        if there.mtime >= listed and not is_this_blob(data, blob):
            return None
        return index_key(path, blob), extract(path, data), None, len(data)
    own = blob_id(data)
    return index_key(path, own), extract(path, data), Stamp(there.size, there.mtime, own), len(data)


def _write(store: Store, extracts: dict[str, Extract], stamps: dict[bytes, Stamp], listed: int) -> None:
    if extracts:
        store.add(extracts)
    if stamps:
        store.stamp(listed, stamps)
    extracts.clear()
    stamps.clear()


def total_size(root: Path, paths: Iterable[str]) -> int:
    """The bytes of those files that would be read."""
    return sum(there.size for path in paths if (there := look(root, path)) is not None)
