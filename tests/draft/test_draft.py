"""The draft as tools and commands use it, in both backends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from kcode.draft.draft import open_draft
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.errors import DraftError
from kcode.safegit import open_git
from kcode.tooling import Entry
from kcode.workspace import Workspace, open_workspace
from tests.repositories import changed_paths, git, new_repository, picture, program, run_over, text_file, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.draft.draft import Draft


def test_a_fresh_draft_shows_the_workspace_and_proposes_nothing(draft: Draft) -> None:
    assert draft.read("src/main.py") == text_file("print('one')\n")
    assert draft.files() == [".gitignore", "README.md", "src/deep/inner.py", "src/main.py", "tests/test_main.py"]
    assert draft.files("src") == ["src/deep/inner.py", "src/main.py"]
    assert [entry.path for entry in draft.entries("")] == [".gitignore", "README.md", "src", "tests"]
    assert draft.entry("src") == Entry("src", "folder")
    assert draft.entry("README.md") == Entry("README.md", "file", 8)
    assert draft.entry("nothing") is None
    assert draft.changes() == ()


def test_what_tools_write_is_in_the_draft_and_nowhere_else(draft: Draft, repository: Path) -> None:
    before = picture(repository)
    draft.write("src/main.py", text_file("print('two')\n"), "edit_file")
    draft.write("new/folder/file.txt", text_file("new\n"), "write_file")
    draft.remove("README.md", "delete_file")
    draft.move("tests/test_main.py", "tests/test_other.py", "move_file")
    assert draft.read("src/main.py") == text_file("print('two')\n")
    assert draft.read("README.md") is None
    assert draft.entries("tests") == [Entry("tests/test_other.py", "file", 16)]
    assert draft.files() == [
        ".gitignore",
        "new/folder/file.txt",
        "src/deep/inner.py",
        "src/main.py",
        "tests/test_other.py",
    ]
    assert draft.changes() == (
        Change("README.md", text_file("# Title\n"), None, "delete_file"),
        Change("new/folder/file.txt", None, text_file("new\n"), "write_file"),
        Change("src/main.py", text_file("print('one')\n"), text_file("print('two')\n"), "edit_file"),
        Change("tests/test_main.py", text_file("def test(): ...\n"), None, "move_file"),
        Change("tests/test_other.py", None, text_file("def test(): ...\n"), "move_file"),
    )
    assert picture(repository) == before


def test_a_command_sees_what_tools_wrote_and_its_own_changes_are_proposed(draft: Draft, repository: Path) -> None:
    before = picture(repository)
    draft.write("src/main.py", text_file("print('two')\n"), "edit_file")
    draft.remove("README.md", "delete_file")
    out = run_over(
        draft,
        "cat src/main.py; ls; echo y > made.txt; chmod +x src/deep/inner.py; rm -r tests; ln -s src/main.py link; "
        "mkfifo pipe; echo three >> src/main.py; mkdir empty",
    )
    assert out == "print('two')\nsrc\ntests\n"
    assert draft.settle("sh") == ("link", "made.txt", "src/deep/inner.py", "src/main.py", "tests/test_main.py")
    assert draft.changes() == (
        Change("README.md", text_file("# Title\n"), None, "delete_file"),
        Change("link", None, FileState(LINK, b"src/main.py"), "sh"),
        Change("made.txt", None, text_file("y\n"), "sh"),
        Change("src/deep/inner.py", text_file("x = 1\n"), program("x = 1\n"), "sh"),
        Change("src/main.py", text_file("print('one')\n"), text_file("print('two')\nthree\n"), "edit_file, sh"),
        Change("tests/test_main.py", text_file("def test(): ...\n"), None, "sh"),
    )
    assert draft.entry("pipe") == Entry("pipe", "other")
    assert draft.settle("again") == ()
    assert picture(repository) == before


def test_modes_and_links_survive(draft: Draft, repository: Path) -> None:
    (repository / "src/main.py").chmod(0o640)
    draft.write("src/main.py", program("#!/bin/sh\n"), "edit_file")
    draft.write("tool", program("#!/bin/sh\necho ran\n"), "write_file")
    draft.write("link", FileState(LINK, b"tool"), "write_file")
    assert run_over(draft, "./link; stat -c %a src/main.py") == "ran\n750\n"
    assert draft.settle("sh") == ()
    assert draft.read("src/main.py") == program("#!/bin/sh\n")
    assert [change.after.mode for change in draft.changes() if change.after] == [LINK, EXECUTABLE, EXECUTABLE]
    draft.write("src/main.py", FileState(REGULAR, b"plain\n"), "edit_file")
    assert run_over(draft, "stat -c %a src/main.py") == "640\n"


AWKWARD = [
    "with space.txt",
    "größe/naïve.py",
    "line\nbreak",
    'quo"te',
    "-dash",
    ":(glob)*",
    "*.log.txt",
    "Case",
    "case",
    "\udcff\udcfe.bin",
]


def test_awkward_names_are_only_names(draft_of: Callable[[Path], Draft], tmp_path: Path) -> None:
    root = new_repository(tmp_path / "awk ward,re:po\\x", {f"d/{name}": f"{name!r}\r\n" for name in AWKWARD})
    draft = draft_of(root)
    assert draft.files() == sorted(f"d/{name}" for name in AWKWARD)
    for name in AWKWARD:
        state = draft.read(f"d/{name}")
        assert state == text_file(f"{name!r}\r\n")
        draft.write(f"d/{name}", text_file("first\r\nsecond"), "edit_file")
        draft.write(f"e/{name}", text_file("new"), "write_file")
    expected = sorted(f"{folder}/{name}" for folder in "de" for name in AWKWARD)
    assert changed_paths(draft.changes()) == expected
    assert changed_paths(draft_of(root).changes()) == expected


def test_a_file_becomes_a_folder_and_a_folder_a_file(draft: Draft) -> None:
    draft.remove("README.md", "delete_file")
    draft.write("README.md/part.md", text_file("part\n"), "write_file")
    draft.remove("src/deep/inner.py", "delete_file")
    draft.write("src/deep", text_file("a file now\n"), "write_file")
    assert draft.files("src") == ["src/deep", "src/main.py"]
    assert run_over(draft, "cat README.md/part.md src/deep") == "part\na file now\n"
    assert draft.settle("sh") == ()
    assert changed_paths(draft.changes()) == ["README.md", "README.md/part.md", "src/deep", "src/deep/inner.py"]
    with pytest.raises(DraftError, match="is no file"):
        draft.write("tests", text_file("no"), "write_file")
    with pytest.raises(DraftError, match="not a folder"):
        draft.write("src/main.py/x", text_file("no"), "write_file")
    with pytest.raises(DraftError, match="no file"):
        draft.remove("missing", "delete_file")
    with pytest.raises(DraftError, match="there already"):
        draft.move("src/main.py", "tests/test_main.py", "move_file")
    assert len(draft.changes()) == 4


def test_searches_look_at_the_workspace_and_at_what_the_draft_changed(draft: Draft, repository: Path) -> None:
    draft.write("src/main.py", text_file("changed\n"), "edit_file")
    draft.write("skip.log", text_file("ignored\n"), "write_file")
    draft.remove("README.md", "delete_file")
    places = draft.search_places()
    assert places.root == repository
    assert places.leave_out == {"README.md", "skip.log", "src/main.py"}
    assert [(path, real.read_text()) for path, real in places.added] == [("src/main.py", "changed\n")]


@pytest.mark.parametrize("state", ["dirty", "unborn", "detached", "worktree", "sub-folder", "plain", "submodule"])
def test_every_kind_of_workspace_serves_and_stays_as_it_is(
    state: str, draft_of: Callable[[Path], Draft], repository: Path, tmp_path: Path
) -> None:
    root, start = repository, repository
    if state == "dirty":
        write_tree(root, {"src/main.py": "staged\n", "untracked file.txt": "untracked\n"})
        git(root, "add", "src/main.py")
        write_tree(root, {"src/main.py": "unstaged\n"})
    elif state == "unborn":
        root = start = tmp_path / "unborn"
        root.mkdir()
        git(root, "init", "-q")
        write_tree(root, {"src/main.py": "one\n", ".gitignore": "__pycache__/\n"})
    elif state == "detached":
        git(root, "checkout", "-q", "--detach")
    elif state == "worktree":
        git(root, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
        root = start = tmp_path / "linked"
    elif state == "sub-folder":
        start = root / "src"
    elif state == "plain":
        root = start = tmp_path / "plain"
        write_tree(root, {"src/main.py": "one\n", "__pycache__/x.pyc": "cache"})
    elif state == "submodule":
        inner = new_repository(tmp_path / "inner", {"in.py": "inner\n", ".gitignore": "*.o\n"})
        git(root, "submodule", "add", "-q", str(inner), "sub")
    before = picture(tmp_path)
    draft = draft_of(start)
    present = draft.files()
    assert "src/main.py" in present
    assert not any("__pycache__" in path for path in present)
    original = draft.read("src/main.py")
    draft.write("src/main.py", text_file("edited\n"), "edit_file")
    run_over(draft, "echo by command > made.txt; mkdir -p __pycache__; echo c > __pycache__/y.pyc")
    assert draft.settle("sh") == ("made.txt",)
    expected = [
        Change("made.txt", None, text_file("by command\n"), "sh"),
        Change("src/main.py", original, text_file("edited\n"), "edit_file"),
    ]
    if state == "submodule":
        assert "sub/in.py" in present
        draft.write("sub/in.py", text_file("edited\n"), "edit_file")
        run_over(draft, "echo o > sub/x.o; echo n > sub/n.py")
        assert draft.settle("sh") == ("sub/n.py",)
        expected += [
            Change("sub/in.py", text_file("inner\n"), text_file("edited\n"), "edit_file"),
            Change("sub/n.py", None, text_file("n\n"), "sh"),
        ]
    assert list(draft.changes()) == expected
    after = picture(tmp_path)
    assert {name: item for name, item in after.items() if not name.startswith("state")} == before


UNREADABLE = """
import fcntl, os, sys
from pathlib import Path
import kcode.draft.copytree, kcode.draft.overlay
from kcode.draft.draft import open_draft
from kcode.draft.files import FileState
from kcode.errors import DraftError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
root, state, backend = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
# By now all is imported, from folders that may be closed to everybody else.
os.setgroups([]); os.setgid(65534); os.setuid(65534)
workspace = open_workspace(root, {"HOME": "/nonexistent"})
draft = open_draft(workspace, open_git(workspace, state), state / "draft", backend)
draft.write("b.txt", FileState(0o100644, b"b"), "x")
draft.mount()
print(draft.settle("x"), [c.path for c in draft.changes()], draft.entries("closed"), draft.read("closed/secret.txt"))
try:
    draft.read("shut.txt")
except DraftError as error:
    print("cannot be read" in str(error))
"""


def test_a_folder_that_the_user_cannot_read_is_no_obstacle(backend: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else here")
    # Not in tmp_path: pytest closes the folder above it to others whenever a session starts.
    with TemporaryDirectory() as name:
        root = new_repository(Path(name) / "repository", {"a.txt": "a\n"})
        write_tree(root, {"closed/secret.txt": "s\n", "shut.txt": "s\n"})
        (root / "closed").chmod(0)
        (root / "shut.txt").chmod(0)
        subprocess.run(["chown", "-R", "65534:65534", name], check=True)
        argv = [sys.executable, "-c", UNREADABLE, str(root), name, backend]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.stdout == "() ['b.txt'] [] None\nTrue\n", done.stderr


FULL = """
import resource, signal, sys
from pathlib import Path
from kcode.draft.draft import open_draft
from kcode.draft.files import FileState
from kcode.errors import DraftError
from kcode.safegit import open_git
from kcode.workspace import open_workspace
root, state, backend = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
workspace = open_workspace(root, {"HOME": "/nonexistent"})
draft = open_draft(workspace, open_git(workspace, state), state / "draft", backend)
draft.mount()
draft.write("small.txt", FileState(0o100644, b"small"), "x")
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
try:
    draft.write("small.txt", FileState(0o100644, b"x" * 200_000), "x")
except DraftError as error:
    print(error)
print([(c.path, c.after.data) for c in draft.changes()], draft.read("small.txt").data)
# What a command wrote is there, but there is no room for the base image: found again once there is.
(state / "draft" / {"copy": "copy", "overlay": "upper"}[backend] / "big.txt").write_text("by a command")
try:
    draft.settle("sh")
except DraftError as error:
    print("is full" in str(error), [c.path for c in draft.changes()])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
print(draft.settle("sh"), len(draft.before("big.txt").data))
"""


def test_a_full_disk_is_named_and_costs_nothing(
    tmp_path: Path, repository: Path, backend: str, draft_of: Callable[[Path], Draft]
) -> None:
    write_tree(repository, {"big.txt": "b" * 200_000})
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(repository), str(tmp_path / "state"), backend],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[0].startswith(f"The draft's folder {tmp_path / 'state/draft'} is full"), done.stderr
    assert done.stdout.splitlines()[1:] == [
        "[('small.txt', b'small')] b'small'",
        "True ['small.txt']",
        "('big.txt',) 200000",
    ], done.stderr
    assert draft_of(repository).read("small.txt") == text_file("small")
    assert draft_of(repository).settle("x") == ()


def test_drafts_are_opened_where_they_belong(draft: Draft, repository: Path, tmp_path: Path, backend: str) -> None:
    workspace = open_workspace(repository, {"HOME": str(tmp_path / "home")})
    safegit = open_git(workspace, tmp_path / "state")
    assert open_draft(workspace, safegit, draft.folder).changes() == ()
    with pytest.raises(DraftError, match="There is no draft"):
        open_draft(workspace, safegit, tmp_path / "nowhere")
    with pytest.raises(DraftError, match="inside the workspace"):
        open_draft(workspace, safegit, repository / ".state/draft", "copy")
    with pytest.raises(DraftError, match="was made with"):
        open_draft(workspace, safegit, draft.folder, "copy" if backend == "overlay" else "overlay")
    with pytest.raises(DraftError, match="was made for"):
        open_draft(Workspace(tmp_path / "other"), safegit, draft.folder)
    (draft.folder / "draft.json").write_bytes(b'{"vers')
    with pytest.raises(DraftError, match="damaged"):
        open_draft(workspace, safegit, draft.folder)
