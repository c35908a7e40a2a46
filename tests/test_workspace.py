"""Which folder kcode takes as its workspace, and which paths the model may name in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.errors import ToolError, WorkspaceError
from kcode.workspace import Workspace, is_git_path, open_workspace, relative_path
from tests.repositories import git, new_repository

HERE = Workspace(Path("/home/ada/project"))


def opened(folder: Path, home: Path | None = None, *, anywhere: bool = False) -> Workspace:
    environment = {"HOME": str(home or "/nonexistent")}
    return open_workspace(folder, environment, allow_anywhere=anywhere)


def test_the_work_tree_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a/b/c.txt": "c"})
    assert opened(root) == Workspace(root, root / ".git", "")
    assert opened(root / "a/b") == Workspace(root, root / ".git", "a/b")
    (tmp_path / "link").symlink_to(root / "a")
    assert opened(tmp_path / "link/b") == Workspace(root, root / ".git", "a/b")


def test_a_folder_without_git_is_a_workspace_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "plain/.git").mkdir(parents=True)  # empty, so git itself passes it by
    assert opened(tmp_path / "plain") == Workspace(tmp_path / "plain")


def test_worktrees_submodules_unborn_and_detached_are_work_trees(tmp_path: Path) -> None:
    main = new_repository(tmp_path / "main", {"a.txt": "a"})
    git(main, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    assert opened(tmp_path / "other") == Workspace(tmp_path / "other", main / ".git/worktrees/other")
    inner = new_repository(tmp_path / "inner", {"in.txt": "in"})
    git(main, "submodule", "add", "-q", str(inner), "sub")
    assert opened(main / "sub") == Workspace(main / "sub", main / ".git/modules/sub")
    git(main, "checkout", "-q", "--detach")
    assert opened(main).git_dir == main / ".git"
    (tmp_path / "unborn").mkdir()
    git(tmp_path / "unborn", "init", "-q")
    assert opened(tmp_path / "unborn").git_dir == tmp_path / "unborn/.git"


def test_the_worktree_of_a_bare_repository_serves_and_the_repository_does_not(tmp_path: Path) -> None:
    source = new_repository(tmp_path / "source", {"a.txt": "a"})
    git(tmp_path, "clone", "-q", "--bare", str(source), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "tree"), "main")
    assert opened(tmp_path / "tree").git_dir == tmp_path / "bare.git/worktrees/tree"
    for folder in ("bare.git", "bare.git/objects", "source/.git/hooks"):
        with pytest.raises(WorkspaceError, match="inside the git folder"):
            opened(tmp_path / folder)
    (tmp_path / "holder").mkdir()
    (tmp_path / "holder/.git").write_text(f"gitdir: {tmp_path / 'bare.git'}\n")
    with pytest.raises(WorkspaceError, match="bare"):
        opened(tmp_path / "holder")


def test_what_is_no_folder_is_refused_with_a_way_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/.git").write_text("gitdir: ../gone\n")
    with pytest.raises(WorkspaceError, match="There is no folder"):
        opened(tmp_path / "missing")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(WorkspaceError, match="The folder that you stand in is gone"):
        opened(Path())
    with pytest.raises(WorkspaceError, match="is a file"):
        opened(tmp_path / "file")
    with pytest.raises(WorkspaceError):
        opened(tmp_path / "loop")
    with pytest.raises(WorkspaceError, match="git worktree repair"):
        opened(tmp_path / "broken")


def test_the_home_folder_and_wider_ones_are_refused_unless_asked_for(tmp_path: Path) -> None:
    home = tmp_path / "homes/ada"
    project = home / "project"
    project.mkdir(parents=True)
    assert opened(project, home).root == project
    for folder in (
        home,
        tmp_path / "homes",
        tmp_path,
        Path("/"),
        Path("/etc"),
        Path("/usr"),
        Path("/tmp"),
        Path("/proc/self"),
    ):
        with pytest.raises(WorkspaceError, match="--anywhere"):
            opened(folder, home)
    assert opened(home, home, anywhere=True).root == home
    git(home, "init", "-q")
    git(home, "commit", "-q", "--allow-empty", "-m", "dotfiles")
    with pytest.raises(WorkspaceError, match="your home folder"):
        opened(project, home)


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("src/main.py", "src/main.py"),
        ("./src//main.py", "src/main.py"),
        ("src/x/../main.py", "src/main.py"),
        ("/home/ada/project/src/main.py", "src/main.py"),
        ("//home/ada/project/src", "src"),
        ("/home/ada/project", ""),
        ("", ""),
        (".", ""),
        ("src/", "src"),
        ("a b/ü\n.txt", "a b/ü\n.txt"),
        (".github/x", ".github/x"),
        (".gitignore", ".gitignore"),
        ("~x/..y/...", "~x/..y/..."),
        ("\udcff", "\udcff"),
        ("x/../../project/y", "y"),
    ],
)
def test_a_path_inside_the_workspace_is_put_in_one_form(path: str, inner: str) -> None:
    assert relative_path(HERE, path) == inner


@pytest.mark.parametrize(
    "path",
    ["..", "../project2/x", "/home/ada/project2/x", "/etc/passwd", "a/../../x", "~", "~/.ssh/id_rsa", "/", "/home/ada"],
)
def test_a_path_outside_the_workspace_is_refused(path: str) -> None:
    with pytest.raises(ToolError, match="outside the workspace /home/ada/project"):
        relative_path(HERE, path)


@pytest.mark.parametrize(
    "path",
    [
        ".git", ".git/config", "sub/.git/hooks/x", ".GIT/config", ".Git", ".git./config", ".git /config", ".git...",
        "git~1/config", "GIT~1", ".g\u200cit/config", ".git\ufeff/x", "\u202e.git", ".git::$INDEX_ALLOCATION/x",
        "x\\.git\\config", "/home/ada/project/.git/config", "src/../.git/config",
    ],
)  # fmt: skip
def test_every_spelling_of_the_git_folder_is_refused(path: str) -> None:
    with pytest.raises(ToolError, match=r"\.git folder"):
        relative_path(HERE, path)


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 256, "é" * 128, "/".join(["abc"] * 1100)])
def test_what_cannot_be_a_files_name_is_refused(path: str) -> None:
    with pytest.raises(ToolError):
        relative_path(HERE, path)


@given(st.text(st.sampled_from("./a~ \\GgiIt:\u200c\0"), max_size=30))
def test_whatever_passes_is_inside_and_stays_as_it_is(path: str) -> None:
    try:
        inner = relative_path(HERE, path)
    except ToolError:
        return
    assert not inner.startswith("/")
    assert ".." not in inner.split("/")
    assert not is_git_path(inner)
    assert inner.startswith("~") or relative_path(HERE, inner) == inner


def test_a_workspace_at_the_root_of_the_file_system_has_all_paths_inside() -> None:
    assert relative_path(Workspace(Path("/")), "/etc/passwd") == "etc/passwd"
    assert relative_path(Workspace(Path("/")), "../..") == ""
