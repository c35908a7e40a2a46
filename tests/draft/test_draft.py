"""The draft as tools and commands use it, in both backends."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kcode.draft.draft import open_draft
from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.errors import DraftError, ToolError
from kcode.safegit import open_git
from kcode.tooling import Entry
from kcode.workspace import Workspace, open_workspace
from tests.repositories import git, new_repository, picture, program, run_over, text_file, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.draft.draft import Draft

OpenDraft = "Callable[[Path], Draft]"


def paths(changes: tuple[Change, ...]) -> list[str]:
    return [change.path for change in changes]


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


def test_a_later_process_sees_the_same_proposal_however_the_workspace_moved_on(
    draft: Draft, draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    draft.write("src/main.py", text_file("mine\n"), "edit_file")
    run_over(draft, "echo more >> README.md; echo new > fresh.txt")
    draft.settle("sh")
    expected = draft.changes()
    (repository / "src/main.py").write_text("theirs\n")
    (repository / "README.md").unlink()
    assert draft_of(repository).changes() == expected
    assert draft.changes() == expected
    assert draft.before("src/main.py") == text_file("print('one')\n")


def test_the_user_goes_on_working_and_the_draft_shows_it(draft: Draft, repository: Path) -> None:
    run_over(draft, "true")
    write_tree(repository, {"src/main.py": "by the user\n", "more/user.txt": "hello\n"})
    (repository / "README.md").unlink()
    assert draft.read("src/main.py") == text_file("by the user\n")
    assert draft.read("README.md") is None
    assert "more/user.txt" in draft.files()
    assert Entry("more/user.txt", "file", 6) in draft.entries("more")
    assert run_over(draft, "cat src/main.py more/user.txt; ls") == "by the user\nhello\nmore\nsrc\ntests\n"
    assert draft.settle("sh") == ()
    draft.write("more/user.txt", text_file("changed\n"), "edit_file")
    draft.remove("src/main.py", "delete_file")
    assert [change.before for change in draft.changes()] == [text_file("hello\n"), text_file("by the user\n")]


def test_a_file_that_the_user_saves_during_a_command_keeps_the_users_version(draft: Draft, repository: Path) -> None:
    mount = draft.mount()
    del mount
    deadline = time.monotonic() + 5
    while True:  # the clock of file times ticks every few milliseconds
        (repository / "src/main.py").write_text("saved meanwhile\n")
        if (repository / "src/main.py").stat().st_ctime_ns > (draft.folder / "started").stat().st_mtime_ns:
            break
        assert time.monotonic() < deadline
    started = (draft.folder / "started").stat()
    run_over(draft, "echo formatted > src/main.py; echo formatted > README.md")
    os.utime(draft.folder / "started", ns=(started.st_atime_ns, started.st_mtime_ns))
    assert draft.settle("ruff format") == ("README.md",)
    assert draft.read("src/main.py") == text_file("saved meanwhile\n")
    assert paths(draft.changes()) == ["README.md"]


def test_a_change_taken_back_is_no_change(draft: Draft, repository: Path) -> None:
    draft.write("src/main.py", text_file("other\n"), "edit_file")
    draft.write("src/main.py", text_file("print('one')\n"), "edit_file")
    draft.write("new.txt", text_file("new\n"), "write_file")
    draft.remove("new.txt", "delete_file")
    draft.remove("README.md", "delete_file")
    draft.write("README.md", text_file("# Title\n"), "write_file")
    run_over(draft, "cp tests/test_main.py t && cat t > tests/test_main.py && rm t")
    assert draft.settle("sh") == ()
    assert draft.changes() == ()
    (repository / "tests/test_main.py").write_text("the user's\n")
    assert draft.read("tests/test_main.py") == text_file("the user's\n")


def test_the_generation_counts_changes_of_content_alone(draft: Draft) -> None:
    assert draft.generation == 0
    draft.write("a.txt", text_file("a\n"), "write_file")
    first = draft.generation
    assert first > 0
    run_over(draft, "mkdir -p __pycache__ && echo cache > __pycache__/x; echo log > run.log; touch a.txt")
    assert draft.settle("pytest") == ()
    assert draft.generation == first
    run_over(draft, "echo b >> a.txt")
    assert draft.settle("sh") == ("a.txt",)
    assert draft.generation > first


def test_what_git_ignores_stays_in_the_draft_and_is_never_proposed(draft: Draft) -> None:
    run_over(
        draft,
        "mkdir -p build/x .cache2; echo o > build/x/y; echo '*' > .cache2/.gitignore; echo c > .cache2/c; echo l > a.log",
    )
    assert draft.settle("make") == ()
    draft.write("notes.log", text_file("by the model\n"), "write_file")
    assert draft.is_ignored("notes.log")
    assert draft.changes() == ()
    assert draft.files() == [".gitignore", "README.md", "src/deep/inner.py", "src/main.py", "tests/test_main.py"]
    assert run_over(draft, "cat build/x/y a.log notes.log .cache2/c") == "o\nl\nby the model\nc\n"


def test_a_tracked_file_that_matches_an_ignore_rule_is_proposed(
    draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    write_tree(repository, {"kept.log": "kept\n", "build/kept.txt": "kept\n"})
    git(repository, "add", "-f", "kept.log", "build/kept.txt")
    draft = draft_of(repository)
    run_over(draft, "echo more >> kept.log; echo more >> build/kept.txt; echo new > build/new.txt")
    assert draft.settle("sh") == ("build/kept.txt", "kept.log")


def test_the_drafts_own_gitignore_decides_what_is_ignored(draft: Draft, repository: Path) -> None:
    write_tree(repository, {"notes.tmp": "user's\n", "old.log": "user's\n", "build/out/a.o": "user's\n"})
    run_over(draft, "echo t > mine.tmp; echo l > mine.log; mkdir -p gen; echo g > gen/code.py")
    assert draft.settle("sh") == ("gen/code.py", "mine.tmp")
    draft.write(".gitignore", text_file("*.tmp\n/gen/\n__pycache__/\n"), "edit_file")
    assert draft.settle("look again") == ("mine.log",)
    assert paths(draft.changes()) == [".gitignore", "mine.log"]
    assert draft.files() == sorted([
        ".gitignore", "README.md", "build/out/a.o", "mine.log", "old.log", "src/deep/inner.py", "src/main.py",
        "tests/test_main.py",
    ])  # fmt: skip
    draft.write("src/.gitignore", text_file("main.*\n!main.py\n"), "write_file")
    assert draft.is_ignored("src/main.c")
    assert not draft.is_ignored("src/main.py")


def test_apply_makes_the_workspace_the_new_base(draft: Draft, repository: Path) -> None:
    draft.write("src/main.py", text_file("one\ntwo\n"), "edit_file")
    draft.write("README.md", text_file("applied\n"), "edit_file")
    draft.write("new.txt", text_file("new\n"), "write_file")
    write_tree(repository, {"README.md": "applied\n", "src/main.py": "one\n", "new.txt": "new\n"})
    draft.rebase_onto_workspace(["README.md", "src/main.py", "new.txt"])
    assert draft.changes() == (Change("src/main.py", text_file("one\n"), text_file("one\ntwo\n"), "edit_file"),)
    (repository / "README.md").write_text("the user's again\n")
    assert draft.read("README.md") == text_file("the user's again\n")
    run_over(draft, "true")
    assert draft.settle("sh") == ()


def test_links_are_followed_inside_the_workspace_only(
    draft_of: Callable[[Path], Draft], repository: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for name, target in {
        "inside": "src", "up/back": "../src/main.py", "absolute": str(repository / "src"), "out": str(tmp_path),
        "climb": "../secret.txt", "loop": "pool", "pool": "loop", "sneak": ".git",
    }.items():  # fmt: skip
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).symlink_to(target)
    draft = draft_of(repository)
    assert draft.read("inside") == FileState(LINK, b"src")
    assert draft.read("inside/main.py") == text_file("print('one')\n")
    assert draft.read("absolute/deep/inner.py") == text_file("x = 1\n")
    assert draft.resolve("up/back", follow=True) == "src/main.py"
    assert [entry.path for entry in draft.entries("inside")] == ["src/deep", "src/main.py"]
    draft.write("inside/main.py", text_file("through\n"), "edit_file")
    assert paths(draft.changes()) == ["src/main.py"]
    for path in ("out/secret.txt", "loop/x", "sneak/config"):
        with pytest.raises(ToolError):
            draft.read(path)
        with pytest.raises(ToolError):
            draft.write(path, text_file("x"), "write_file")
    with pytest.raises(ToolError, match="outside"):
        draft.resolve("climb", follow=True)
    assert draft.read("climb") == FileState(LINK, b"../secret.txt")
    draft.write("climb", text_file("a file now\n"), "write_file")
    assert secret.read_text() == "secret"


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
    assert paths(draft.changes()) == expected
    assert paths(draft_of(root).changes()) == expected


def test_a_file_becomes_a_folder_and_a_folder_a_file(draft: Draft) -> None:
    draft.remove("README.md", "delete_file")
    draft.write("README.md/part.md", text_file("part\n"), "write_file")
    draft.remove("src/deep/inner.py", "delete_file")
    draft.write("src/deep", text_file("a file now\n"), "write_file")
    assert draft.files("src") == ["src/deep", "src/main.py"]
    assert run_over(draft, "cat README.md/part.md src/deep") == "part\na file now\n"
    assert draft.settle("sh") == ()
    assert paths(draft.changes()) == ["README.md", "README.md/part.md", "src/deep", "src/deep/inner.py"]
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


def test_a_file_too_large_to_propose_is_named(draft: Draft) -> None:
    run_over(draft, "truncate -s 65M huge.bin; echo small > small.txt")
    assert draft.settle("sh") == ("small.txt",)
    assert paths(draft.changes()) == ["small.txt"]
    assert draft.left_out == ("huge.bin",)
    run_over(draft, "rm huge.bin")
    draft.settle("sh")
    assert draft.left_out == ()


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


def test_a_folder_that_the_user_cannot_read_is_no_obstacle(tmp_path: Path, backend: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else here")
    root = new_repository(tmp_path / "repository", {"a.txt": "a\n"})
    write_tree(root, {"closed/secret.txt": "s\n", "shut.txt": "s\n"})
    (root / "closed").chmod(0)
    (root / "shut.txt").chmod(0)
    subprocess.run(["chown", "-R", "65534:65534", str(tmp_path)], check=True)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", UNREADABLE, str(root), str(tmp_path), backend],
        capture_output=True,
        text=True,
        check=False,
    )
    (root / "closed").chmod(0o700)
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
draft.write("small.txt", FileState(0o100644, b"small"), "x")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    draft.write("small.txt", FileState(0o100644, b"x" * 200_000), "x")
except DraftError as error:
    print(error)
print([(c.path, c.after.data) for c in draft.changes()], draft.read("small.txt").data)
"""


def test_a_full_disk_is_named_and_costs_nothing(
    tmp_path: Path, repository: Path, backend: str, draft_of: Callable[[Path], Draft]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(repository), str(tmp_path / "state"), backend],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[0].startswith(f"The draft's folder {tmp_path / 'state/draft'} is full"), done.stderr
    assert done.stdout.splitlines()[1] == "[('small.txt', b'small')] b'small'"
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


def test_settling_a_large_repository_where_nothing_changed_is_quick(
    draft_of: Callable[[Path], Draft], tmp_path: Path
) -> None:
    root = new_repository(tmp_path / "large", {f"d{i % 60}/f{i}.py": f"x = {i}\n" for i in range(3000)})
    draft = draft_of(root)
    draft.write("d1/f1.py", text_file("changed\n"), "edit_file")
    run_over(draft, "mkdir -p build && for i in 1 2 3; do mkdir d$i/__pycache__; echo c > d$i/__pycache__/c.pyc; done")
    draft.settle("sh")
    times = []
    for _ in range(5):
        start = time.process_time()
        assert draft.settle("true") == ()
        times.append(time.process_time() - start)
    assert min(times) <= 0.03
