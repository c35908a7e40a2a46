"""The files of a workspace and the blob id of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.context.blobs import blob_id
from kcode.context.ignorefiles import IgnoreRules
from kcode.context.listing import Listing, RunningListing, read_file, walk_files
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import git, new_repository, write_tree

if TYPE_CHECKING:
    from pathlib import Path


def listed(root: Path) -> Listing:
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    return RunningListing(open_git(workspace, root.parent / "private")).finish()


def test_tracked_files_have_the_id_of_their_bytes(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"b.py": "b\n", "a/ü x.py": "a\n"})
    found = listed(root)
    assert found.blobs == {"a/ü x.py": blob_id(b"a\n"), "b.py": blob_id(b"b\n")}
    assert list(found.blobs) == sorted(found.blobs)
    assert found.dirty == frozenset()
    assert found.head == git(root, "rev-parse", "HEAD").strip()


def test_what_differs_from_the_commit_is_dirty_and_tells_its_id_itself(tmp_path: Path) -> None:
    root = new_repository(
        tmp_path / "r", {name: f"{name}\n" for name in ("same", "changed", "staged", "gone", "moved")}
    )
    write_tree(root, {"changed": "other\n", "staged": "other\n", "new": "new\n", ".gitignore": "*.log\n", "x.log": ""})
    git(root, "add", "staged")
    (root / "gone").unlink()
    git(root, "mv", "moved", "there")
    found = listed(root)
    assert found.blobs == {
        "same": blob_id(b"same\n"),
        "changed": "",
        "staged": blob_id(b"other\n"),
        "there": blob_id(b"moved\n"),
        "new": "",
        ".gitignore": "",
    }
    assert found.dirty == {"changed", "staged", "new", "there", ".gitignore"}


def test_before_the_first_commit_all_is_new(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    git(root, "init", "-q")
    write_tree(root, {"a": "a\n", "b": "b\n"})
    git(root, "add", "a")
    found = listed(root)
    assert found.head == ""
    assert set(found.blobs) == {"a", "b"}


def test_a_link_is_no_file_and_a_submodule_has_its_own(tmp_path: Path) -> None:
    inner = new_repository(tmp_path / "inner", {"in.py": "in\n", "changed.py": "c\n"})
    root = new_repository(tmp_path / "r", {"a.py": "a\n"})
    (root / "link.py").symlink_to("a.py")
    git(root, "submodule", "add", "-q", str(inner), "sub")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "second")
    (root / "new-link.py").symlink_to("/etc/passwd")
    write_tree(root, {"sub/changed.py": "other\n"})
    found = listed(root)
    assert found.blobs["sub/in.py"] == blob_id(b"in\n")
    assert found.blobs["sub/changed.py"] == ""
    assert "link.py" not in found.blobs
    assert "sub/changed.py" in found.dirty
    assert read_file(root, "new-link.py", 100) is None


def test_own_ignore_files_count_also_where_git_does_not_read_them(tmp_path: Path) -> None:
    files = {"a.py": "", "data/x.py": "", "data/keep.py": "", "b/gen.py": ""}
    root = new_repository(tmp_path / "r", files | {".kcodeignore": "data/*\n!data/keep.py\n", "b/.ignore": "/gen.py\n"})
    assert set(listed(root).blobs) == {"a.py", "data/keep.py", ".kcodeignore", "b/.ignore"}


def test_a_walk_finds_what_git_does(tmp_path: Path) -> None:
    files = {"a.py": "", "x/b.py": "", "x/build/c.py": "", "d.log": "", "x/keep.log": "", "node_modules/m.js": ""}
    root = tmp_path / "plain"
    write_tree(root, files | {".gitignore": "build/\n*.log\n", "x/.gitignore": "!keep.log\n"})
    (root / "link.py").symlink_to("a.py")
    (root / "loop").symlink_to(".")
    assert list(walk_files(root).blobs) == [".gitignore", "a.py", "x/.gitignore", "x/b.py", "x/keep.log"]
    assert walk_files(root).blobs.keys() == listed(root).blobs.keys()


def test_a_walk_goes_on_where_a_folder_cannot_be_read(tmp_path: Path) -> None:
    assert walk_files(tmp_path / "missing") == Listing()


@pytest.mark.parametrize(
    ("rules", "path", "ignored"),
    [
        ("*.o", "a/b.o", True),
        ("/a.o", "b/a.o", False),
        ("/a.o", "a.o", True),
        ("a/b", "a/b/c", True),
        ("a/b", "x/a/b", False),
        ("b/", "a/b/c", True),
        ("b/", "a/b", False),
        ("*\n!keep", "keep", False),
        ("x/\n!x/keep", "x/keep", True),
        ("# a\n\n", "# a", False),
        ("[", "[", False),
        ("**/z", "a/b/z", True),
    ],
)
def test_rules_are_read_as_git_reads_them(rules: str, path: str, ignored: bool) -> None:
    assert IgnoreRules({"": [rules]}).ignores(path) is ignored
    assert IgnoreRules({"sub": [rules]}).ignores(f"sub/{path}") is ignored
    assert not IgnoreRules({"sub": [rules]}).ignores("keep")


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a": b"x" * 10_000})
    assert read_file(tmp_path, "a", 10_000) == b"x" * 10_000
    assert read_file(tmp_path, "a", 9_999) is None
    assert read_file(tmp_path, ".", 10) is None
    assert read_file(tmp_path, "none", 10) is None
