"""The repository's index as a request needs it, kept up to date by a process in the background."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import kcode
from kcode.context.blobs import find_keys
from kcode.context.commits import unpack_commits
from kcode.context.corpus import Corpus
from kcode.context.extract import FORMAT
from kcode.context.indexer import Job, index_files, total_size
from kcode.context.languages import reading_version
from kcode.context.listing import RunningListing, walk_files
from kcode.context.store import discard, open_store
from kcode.context.words import split_words
from kcode.errors import GitError, SessionError
from kcode.folders import make_folder

if TYPE_CHECKING:
    from kcode.context.listing import Listing
    from kcode.context.store import Store, Stored
    from kcode.safegit import SafeGit
    from kcode.workspace import Workspace

FIRST_ANSWER_SECONDS = 1.5
# So much is read at once in this process, where starting another would take longer.
_FEW_FILES, _FEW_BYTES = 30, 400_000
# Of files that git keeps no id for, so many are read each time to tell it.
_MOST_HASHED = 300
_WRITE_SECONDS = 0.2
# What reading words and ranking take at the end of the wait, and how much more for each file; ranking alone.
_RESERVED, _RESERVED_A_FILE, _RANKING = 0.4, 25e-6, 0.3
_PROGRAM = "import sys; sys.path += sys.argv[1:]; from kcode.context.indexer import main; sys.exit(main())"
# Rows of files that are gone: beyond these the database is made anew.
_MOST_DEAD, _DEAD_FACTOR = 5_000, 4


@dataclass(frozen=True, slots=True)
class _Found:
    """What there is, what of it is indexed, and by which key; `missing` are paths with their blob ids or "".

    `keys` is None where the database failed.
    """

    listing: Listing
    known: dict[str, Stored] = field(default_factory=dict)
    keys: dict[str, str] | None = None
    missing: tuple[tuple[str, str], ...] = ()


class Indexer:
    """Keeps one workspace's index. `git` is None where git cannot be used; `folder` is where the database lies.

    `start` begins to look at what changed, `prepare` has it indexed; `corpus` waits for that, never longer than it is told, and can be asked
    again and again. Closed by `close`: a process that still indexes ends then, and the next one goes on from there.
    """

    def __init__(self, root: Path, git: SafeGit | None, folder: Path) -> None:
        self._root, self._git, self._folder = root, git, folder
        self._running: RunningListing | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._store: Store | None = None
        self._version = ""
        self._is_started = False
        self._started = 0.0
        self._listed = 0
        self._found: _Found | None = None

    def start(self) -> None:
        """Ask git what there is; meanwhile the caller may do other work."""
        self._is_started, self._started, self._listed = True, time.monotonic(), time.time_ns()
        if self._git is not None:
            try:
                self._running = RunningListing(self._git)
            except GitError:
                self._git = None

    def prepare(self) -> None:
        """Find what is not indexed and have that done, without waiting for it; the next `corpus` goes on from there."""
        if self._found is not None:
            return
        if not self._is_started:
            self.start()
        known, listing = self._look_up(), self._list()
        try:
            self._found = self._compare(listing, known)
        except (sqlite3.Error, JSONDecodeError, SessionError) as error:
            self.drop(error)
            self._found = _Found(listing)

    def corpus(self, request: str = "", seconds: float | None = FIRST_ANSWER_SECONDS) -> Corpus:
        """The repository as far as it is indexed so many seconds after `start`; None waits for the whole.

        What is not indexed by then is read for its words alone, beginning with what the request speaks of.
        """
        self.prepare()
        assert self._found is not None  # prepare has set it
        found, self._found = self._found, None
        nothing = Corpus(self._root, found.listing, {}, {}, None, ())
        try:
            corpus = nothing if found.keys is None else self._read(found, found.keys, seconds)
        except (sqlite3.Error, JSONDecodeError, SessionError) as error:
            # A full disk, a read-only one, or damage since it was opened: the files themselves still answer.
            self.drop(error)
            corpus = nothing
        if corpus.unread:
            until = self._started + (FIRST_ANSWER_SECONDS if seconds is None else seconds) - _RANKING
            corpus.read_words(split_words(request), until)
        return corpus

    def _look_up(self) -> dict[str, Stored]:
        """What is indexed, asked for while git is still at its own work."""
        try:
            return self._open_store().known()
        except (sqlite3.Error, SessionError) as error:
            self.drop(error)
            return {}

    def _list(self) -> Listing:
        self._is_started = False
        if self._running is not None:
            running, self._running = self._running, None
            try:
                return running.finish()
            except GitError:
                self._git = None
        return walk_files(self._root)

    def _compare(self, listing: Listing, known: dict[str, Stored]) -> _Found:
        store = self._open_store()
        if len(known) > _MOST_DEAD + _DEAD_FACTOR * len(listing.blobs) and self._process is None:
            self._delete_store()
            store = self._open_store()
            known = {}
        keys = find_keys(self._root, listing.blobs, store, _MOST_HASHED)
        missing = tuple((path, listing.blobs[path]) for path, key in keys.items() if key not in known)
        is_behind = bool(listing.head) and store.fact("head") != listing.head
        if missing or is_behind:
            self._bring_up_to_date(store, listing.head if is_behind else "", missing)
        return _Found(listing, known, keys, missing)

    def _read(self, found: _Found, keys: dict[str, str], seconds: float | None) -> Corpus:
        listing, known, missing = found.listing, found.known, found.missing
        store = self._open_store()
        if missing or self._process is not None:
            self._wait(len(listing.blobs), seconds)
            unsure = {path: "" for path, _ in missing if not keys[path]}
            keys |= find_keys(self._root, unsure, store, _MOST_HASHED)
            known |= store.among(keys[path] for path, _ in missing if path in keys)
        commits = unpack_commits(store.fact("commits")) if listing.head else ()
        return Corpus(self._root, listing, keys, known, store, commits)

    def _bring_up_to_date(self, store: Store, head: str, missing: tuple[tuple[str, str], ...]) -> None:
        git_dir = str(self._git.git_dir) if self._git is not None else ""
        job = Job(str(self._folder), self._version, str(self._root), git_dir, head, self._listed, missing)
        few = not head and len(missing) <= _FEW_FILES
        if few and total_size(self._root, (path for path, _ in missing)) <= _FEW_BYTES:
            with suppress(sqlite3.OperationalError):  # another process writes just then, and may be at these files
                index_files(job, store)
        elif self._process is None or self._process.poll() is not None:
            self._end_process()
            with suppress(OSError):  # no more processes: what is there answers
                self._process = _launch(job)

    def _wait(self, files: int, seconds: float | None) -> None:
        if self._process is None:
            return
        reserved = _RESERVED + _RESERVED_A_FILE * files
        left = None if seconds is None else max(0.0, self._started + seconds - reserved - time.monotonic())
        try:
            self._process.wait(left)
        except subprocess.TimeoutExpired:
            return
        self._end_process()

    def _open_store(self) -> Store:
        if self._store is None:
            self._version = self._version or _version()
            make_folder(self._folder)
            self._store = open_store(self._folder, self._version, _WRITE_SECONDS)
        return self._store

    def drop(self, error: Exception) -> None:
        """Have no more to do with a database that failed; a damaged one is deleted, so that the next is made anew."""
        if isinstance(error, sqlite3.DatabaseError | JSONDecodeError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            self._delete_store()
        elif self._store is not None:
            self._store.close()
            self._store = None

    def _delete_store(self) -> None:
        if self._store is not None:
            file = self._store.file
            self._store.close()
            self._store = None
            discard(file)

    def _end_process(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            # First the process: whoever is still writing its job to it would be waited for.
            self._process.kill()
            self._process.wait()
            with suppress(OSError):
                self._process.stdin.close()
            self._process = None

    @property
    def is_busy(self) -> bool:
        """Whether the process is still at it."""
        process = self._process  # which another thread may end meanwhile
        return process is not None and process.poll() is None

    def hurry(self) -> None:
        """Let whoever waits for the process, in another thread, wait no longer; what it did is kept."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        self._end_process()
        if self._store is not None:
            self._store.close()
            self._store = None


def _version() -> str:
    """The name of the database that this version of kcode and its grammars can read."""
    return hashlib.sha256(f"{FORMAT}\n{reading_version()}".encode()).hexdigest()[:16]


def _launch(job: Job) -> subprocess.Popen[bytes]:
    # It imports what this process would, behind Python's own modules, and of the workspace nothing but kcode itself.
    folders = [entry for entry in sys.path if Path(entry).is_absolute() and not Path(entry).is_relative_to(job.root)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM, *folders, str(Path(kcode.__file__).parent.parent)],
        cwd=job.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # The pipe stays open as long as this process lives; a large job does not fit it at once.
    Thread(target=_hand_over, args=(process, job.encode()), daemon=True).start()
    return process


def _hand_over(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    with suppress(OSError, ValueError):
        process.stdin.write(line)
        process.stdin.flush()


def index_folder(cache: Path, workspace: Workspace) -> Path:
    """Where below kcode's cache the index of a workspace lies; the worktrees of one repository share it."""
    place = workspace.root
    if workspace.git_dir is not None:
        place = workspace.git_dir
        with suppress(OSError, ValueError):
            common = (place / "commondir").read_text(encoding="utf-8").strip()
            shared = Path(os.path.realpath(place / common))
            # A repository that only says so shares nothing.
            place = shared if place.is_relative_to(shared) else place
    return cache / "index" / hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
