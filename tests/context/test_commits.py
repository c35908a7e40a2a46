from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.commits import MOST_COMMITS, Commit, churn, pack_commits, read_commits, similar_files, unpack_commits
from kcode.context.words import split_words
from kcode.safegit import SafeGit, open_git
from kcode.workspace import open_workspace
from tests.repositories import git, new_repository, write_tree

if TYPE_CHECKING:
    from pathlib import Path


def opened(root: Path) -> SafeGit:
    return open_git(open_workspace(root, {"HOME": "/nonexistent"}), root.parent / "private")


def commit(message: str, *files: str) -> Commit:
    return Commit(tuple(split_words(message)), files)


def test_messages_and_files_come_without_merges(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.py": "a\n"})
    git(root, "checkout", "-qb", "side")
    write_tree(root, {"ü b.py": "b\n", "a.py": "b\n"})
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Handle sessions\n\nThe cookie too.")
    git(root, "checkout", "-q", "main")
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "side")
    found = read_commits(opened(root))
    # Made in the same second, these two have no order.
    assert sorted(one.files for one in found) == [("a.py",), ("a.py", "ü b.py")]
    assert {"first", "sess"} <= {term for one in found for term in one.terms}
    assert unpack_commits(pack_commits(found)) == found


def test_without_a_commit_there_is_no_history(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    git(root, "init", "-q")
    assert read_commits(opened(root)) == ()
    assert unpack_commits("") == ()


def test_a_commit_of_many_files_says_nothing_of_them(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {f"{number}.py": "" for number in range(51)})
    assert read_commits(opened(root))[0].files == ()


def test_files_of_similar_commits_are_told_and_few_files_weigh_more() -> None:
    commits = [
        commit("Close the session cookie", "session.py"),
        commit("Session cookie: rename", "a.py", "b.py", "c.py"),
        commit("Speed up parsing", "parser.py"),
        commit("Session cookie everywhere", *(f"{number}.py" for number in range(13))),
    ]
    found = similar_files(split_words("the session cookie is lost"), commits)
    assert set(found) == {"session.py", "a.py", "b.py", "c.py"}
    assert max(found, key=lambda path: found[path]) == "session.py"
    assert similar_files([], commits) == {}
    assert similar_files(["sess"], []) == {}


def test_what_changed_often_and_of_late_counts_most() -> None:
    commits = [commit("x", "new.py"), *(commit("x", "often.py") for _ in range(3))]
    commits += [commit("x") for _ in range(1_000)] + [commit("x", "old.py")]
    found = churn(commits)
    assert found["often.py"] > found["new.py"] > 50 * found["old.py"]
    assert len(commits) < MOST_COMMITS
