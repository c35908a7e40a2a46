"""The index follows the tree, in whatever state the database, git and the tree are."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.context.blobs import blob_id
from kcode.context.index import Indexer, _launch, index_folder
from kcode.context.indexer import Job, decode_job, prune
from kcode.context.map import map_for
from kcode.context.store import open_store
from kcode.folders import make_folder
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import git, new_repository, picture, write_tree
from tests.test_safegit import trapped_repository

if TYPE_CHECKING:
    from kcode.context.corpus import Corpus

FILES = {
    "app/session.py": "class Session:\n    def close(self):\n        self.cookie = None\n",
    "app/parser.py": "def parse(text):\n    return text.split()\n",
    "README.md": "The session is closed at the end.\n",
}


def indexer_for(root: Path, cache: Path, *, with_git: bool = True) -> Indexer:
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    safegit = open_git(workspace, cache / "private") if with_git else None
    return Indexer(workspace.root, safegit, index_folder(cache, workspace))


def read(root: Path, cache: Path, *, with_git: bool = True) -> Corpus:
    """The whole index of a tree; the corpus answers as long as its indexer is not closed."""
    indexer = indexer_for(root, cache, with_git=with_git)
    indexer.start()
    return indexer.corpus("", None)


def having(corpus: Corpus, term: str) -> set[str]:
    return {corpus.paths[place] for place in corpus.postings(term)}


def defined(corpus: Corpus, path: str) -> list[str]:
    return [symbol.name for symbol in corpus.symbols(corpus.numbers[path]) if symbol.name]


def test_words_definitions_and_commits_are_there(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    corpus = read(root, tmp_path)
    assert corpus.paths == ("README.md", "app/parser.py", "app/session.py")
    assert having(corpus, "sess") == {"README.md", "app/session.py"}
    assert defined(corpus, "app/session.py") == ["Session", "close"]
    assert defined(corpus, "README.md") == []
    assert [commit.terms for commit in corpus.commits] == [("first",)]
    assert not corpus.unread


def test_what_changed_is_read_and_nothing_else(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    indexer = indexer_for(root, tmp_path)
    indexer.start()
    indexer.corpus("", None)
    (root / "app/parser.py").write_text("def tokenize(text):\n    return text\n")
    (root / "new.go").write_text("package a\n\nfunc Fresh() {}\n")
    (root / "README.md").unlink()
    indexer.start()
    corpus = indexer.corpus("", None)
    assert corpus.paths == ("app/parser.py", "app/session.py", "new.go")
    assert corpus.dirty == {"app/parser.py", "new.go"}
    assert defined(corpus, "app/parser.py") == ["tokenize"]
    assert defined(corpus, "new.go") == ["Fresh"]
    assert having(corpus, "tokeniz") == {"app/parser.py"}
    indexer.close()


def test_another_branch_and_back_needs_no_reading(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    first = read(root, tmp_path)
    git(root, "checkout", "-qb", "side")
    write_tree(root, {"app/parser.py": "def other():\n    pass\n"})
    git(root, "commit", "-qam", "Rewrite the parser")
    side = read(root, tmp_path)
    assert defined(side, "app/parser.py") == ["other"]
    assert len(side.commits) == 2
    git(root, "checkout", "-q", "main")
    back = read(root, tmp_path)
    assert defined(back, "app/parser.py") == ["parse"]
    assert back.commits == first.commits


def test_a_worktree_shares_the_index(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    git(root, "worktree", "add", "-q", str(tmp_path / "second"))
    first, second = (open_workspace(folder, {"HOME": "/nonexistent"}) for folder in (root, tmp_path / "second"))
    assert index_folder(tmp_path, first) == index_folder(tmp_path, second)
    other = open_workspace(new_repository(tmp_path / "other", FILES), {"HOME": "/nonexistent"})
    assert index_folder(tmp_path, first) != index_folder(tmp_path, other)


@pytest.mark.parametrize("with_git", [True, False])
def test_a_plain_folder_has_an_index_too(tmp_path: Path, with_git: bool) -> None:
    root = tmp_path / "plain"
    write_tree(root, FILES | {".gitignore": "*.log\n", "x.log": "session\n", "node_modules/m.js": "session\n"})
    corpus = read(root, tmp_path, with_git=with_git)
    assert having(corpus, "sess") == {"README.md", "app/session.py"}
    assert corpus.commits == ()
    (root / "app/parser.py").write_text("def tokenize(text):\n    return text\n")
    assert defined(read(root, tmp_path, with_git=with_git), "app/parser.py") == ["tokenize"]


def test_many_files_without_git_are_known_again_by_size_and_time(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_tree(root, {f"m{number}.py": f"def f{number}():\n    pass\n" for number in range(320)})
    for path in root.iterdir():
        os.utime(path, (1, 1))
    first = read(root, tmp_path)
    assert not first.unread
    assert defined(first, "m7.py") == ["f7"]
    (root / "m7.py").write_text("def changed():\n    pass\n")
    second = read(root, tmp_path)
    assert defined(second, "m8.py") == ["f8"]
    assert defined(second, "m7.py") == ["changed"]
    assert not second.unread


def test_what_nobody_wrote_by_hand_costs_nothing(tmp_path: Path) -> None:
    long = "var a=" + "session(1)," * 200_000 + "0;"
    files: dict[str, str | bytes] = {
        **FILES,
        "app.js": long,
        "b.js": long[:400_000],
        "vendor/x/s.go": "package session\n",
        "s.lock": "session\n",
        "gen.py": "# Code generated by protoc. DO NOT EDIT.\nsession = 1\n",
        "bin.py": b"\0session",
    }
    corpus = read(new_repository(tmp_path / "r", files), tmp_path)
    assert having(corpus, "sess") == {"README.md", "app/session.py"}
    assert not corpus.unread


def test_before_the_index_is_there_paths_and_words_answer(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES | {f"m{number}.py": f"x{number} = 1\n" for number in range(40)})
    indexer = indexer_for(root, tmp_path)
    indexer.start()
    corpus = indexer.corpus("session", 0)
    assert corpus.unread
    corpus.read_words(["sess"], time.monotonic() + 60)
    assert having(corpus, "sess") == {"README.md", "app/session.py"}
    assert defined(corpus, "app/session.py") == ["Session", "close"]
    # Meanwhile the index is made, and the next request has it.
    indexer.start()
    whole = indexer.corpus("session", None)
    assert not whole.unread
    assert having(whole, "sess") == {"README.md", "app/session.py"}
    assert len(whole.commits) == 1
    indexer.close()


def test_a_damaged_database_is_made_anew(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    read(root, tmp_path)
    (database,) = (tmp_path / "index").glob("*/*.db")
    database.write_bytes(b"\xff" * database.stat().st_size)
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    corpus = read(root, tmp_path)
    assert defined(corpus, "app/session.py") == ["Session", "close"]


def test_damage_that_shows_late_costs_no_answer(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES | {f"m{number}.py": f"word{number} = 1\n" * 20 for number in range(40)})
    read(root, tmp_path)
    (database,) = (tmp_path / "index").glob("*/*.db")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE postings SET data = 'no JSON'")
    connection.close()
    indexer = indexer_for(root, tmp_path)
    indexer.start()
    found, _ = map_for(indexer, "the session is closed", 500, None)
    assert found.entries[0].path == "app/session.py"
    indexer.close()


def test_where_nothing_can_be_kept_the_files_answer(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    (tmp_path / "index").write_text("a file in the way")
    corpus = read(root, tmp_path)
    corpus.read_words(["sess"], time.monotonic() + 60)
    assert having(corpus, "sess") == {"README.md", "app/session.py"}
    assert defined(corpus, "app/session.py") == ["Session", "close"]


def test_nothing_that_a_repository_names_is_run(tmp_path: Path) -> None:
    root, marks = trapped_repository(tmp_path)
    write_tree(
        root, {"kcode/__init__.py": f"open({str(marks / 'imported')!r}, 'w')\n", "json.py": "raise SystemExit\n"}
    )
    before = picture(root)
    indexer = indexer_for(root, tmp_path)
    indexer.start()
    here = Path.cwd()
    os.chdir(root)
    try:
        corpus = indexer.corpus("", None)
    finally:
        os.chdir(here)
    assert not list(marks.iterdir())
    assert picture(root) == before
    assert {"h.txt", "sub/in.txt", "new.txt"} <= set(corpus.paths)
    assert len(corpus.commits) == 2
    indexer.close()


def test_the_process_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    folder, root = tmp_path / "index", tmp_path / "r"
    folder.mkdir()
    root.mkdir()
    # Another holds the lock, so this one waits, for ever but for its parent.
    code = (
        "import fcntl, os, subprocess, sys, time\n"
        "from kcode.context.index import _launch\n"
        "from kcode.context.indexer import Job\n"
        f"held = os.open({str(folder / 'lock')!r}, os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(held, fcntl.LOCK_EX)\n"
        f"process = _launch(Job({str(folder)!r}, 'v', {str(root)!r}, '', '', 0, ()))\n"
        "print(process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while _is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/status")
    try:
        os.kill(process, 0)
        # One that has ended may stay listed until somebody asks how.
        return not status.exists() or "\nState:\tZ" not in status.read_text(encoding="ascii")
    except OSError:
        return False


def test_indexes_that_were_of_no_use_for_long_are_deleted(tmp_path: Path) -> None:
    folders = {name: make_folder(tmp_path / "index" / name) for name in ("own", "old", "young")}
    for folder in folders.values():
        write_tree(folder, {"lock": "", "current.db": "", "former.db": "", "former.db-wal": ""})
    foreign = tmp_path / "index" / "foreign"
    write_tree(foreign, {"lock": "", "x": ""})
    month = 31 * 24 * 3600
    for path in (folders["old"] / "lock", foreign / "lock", folders["own"] / "lock", folders["own"] / "former.db"):
        os.utime(path, (1, 1))
    prune(folders["own"], "current.db", time.time())
    assert not folders["old"].exists()
    assert foreign.exists()
    assert sorted(path.name for path in folders["own"].iterdir()) == [".made-by-kcode", "current.db", "lock"]
    prune(folders["own"], "current.db", time.time() + month)
    assert not folders["young"].exists()
    assert (folders["own"] / "current.db").exists()


def test_the_process_ends_well_while_its_parent_lives(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", FILES)
    folder = make_folder(tmp_path / "index" / "own")
    files = tuple((path, blob_id(text.encode())) for path, text in FILES.items())
    process = _launch(Job(str(folder), "v", str(root), str(root / ".git"), "", time.time_ns(), files))
    assert process.wait(60) == 0
    assert process.stdin is not None
    process.stdin.close()
    store = open_store(folder, "v", 1)
    assert {key.rpartition(".")[2] for key in store.known()} == {"python", "prose"}
    store.close()


def test_a_job_survives_its_encoding() -> None:
    job = Job("/f", "v", "/r", "/r/.git", "abc", 7, (("a\udcff b", ""), ("ü", blob_id(b""))))
    assert decode_job(job.encode()) == job
    assert job.encode().count(b"\n") == 1
