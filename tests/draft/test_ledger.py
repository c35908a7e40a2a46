"""What the draft says that it changed, over time and in the face of a workspace that moves on."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kcode.draft.disk import read_state
from kcode.draft.files import Change
from kcode.draft.rebase import Move, rebase
from kcode.errors import DraftError
from kcode.tooling import Entry
from tests.repositories import changed_paths, new_repository, run_over, text_file, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.draft.draft import Draft


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
    assert changed_paths(draft.changes()) == ["README.md"]


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


def test_a_folder_moved_away_and_back_is_no_change(draft: Draft) -> None:
    run_over(draft, "mv src moved")
    assert draft.settle("sh") == ("moved/deep/inner.py", "moved/main.py", "src/deep/inner.py", "src/main.py")
    assert len(draft.changes()) == 4
    run_over(draft, "mv moved src")
    assert draft.settle("sh") == ("moved/deep/inner.py", "moved/main.py", "src/deep/inner.py", "src/main.py")
    assert draft.changes() == ()
    assert "src/main.py" in draft.files()


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


def test_what_was_written_is_the_new_base(draft: Draft, repository: Path) -> None:
    draft.write("src/main.py", text_file("one\ntwo\n"), "edit_file")
    draft.write("README.md", text_file("applied\n"), "edit_file")
    draft.write("new.txt", text_file("new\n"), "write_file")
    written = {"README.md": "applied\n", "src/main.py": "one\n", "new.txt": "new\n"}
    write_tree(repository, written)
    (repository / "src/main.py").write_text("saved since\n")
    draft.rebase(Move(path, text_file(text), *[draft.read(path)] * 2) for path, text in written.items())
    assert draft.changes() == (Change("src/main.py", text_file("one\n"), text_file("one\ntwo\n"), "edit_file"),)
    (repository / "README.md").write_text("the user's again\n")
    assert draft.read("README.md") == text_file("the user's again\n")
    run_over(draft, "true")
    assert draft.settle("sh") == ()


def test_a_file_too_large_to_propose_is_named(draft: Draft) -> None:
    run_over(draft, "truncate -s 65M huge.bin; echo small > small.txt")
    assert draft.settle("sh") == ("small.txt",)
    assert changed_paths(draft.changes()) == ["small.txt"]
    assert draft.left_out.unfit == ("huge.bin",)
    run_over(draft, "rm huge.bin")
    draft.settle("sh")
    assert not draft.left_out.unfit


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("large") / "repository"
    return new_repository(root, {f"d{number % 60}/f{number}.py": f"x = {number}\n" for number in range(3000)})


class Looks:
    """What this process opens and lists while it is listened to. A hook of the interpreter's stays for good."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.listed: list[str] = []
        self.hears = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.hears and event in {"open", "os.scandir", "os.listdir"}:
            (self.opened if event == "open" else self.listed).append(str(arguments[0]))


def test_settling_a_large_repository_where_nothing_changed_reads_no_file_and_lists_each_folder_once(
    draft_of: Callable[[Path], Draft], large: Path
) -> None:
    draft = draft_of(large)
    draft.write("d1/f1.py", text_file("changed\n"), "edit_file")
    run_over(draft, "mkdir -p build && for i in 1 2 3; do mkdir d$i/__pycache__; echo c > d$i/__pycache__/c.pyc; done")
    draft.settle("sh")
    looks = Looks()
    looks.hears = True
    assert draft.settle("true") == ()
    looks.hears = False
    assert [path for path in looks.opened if path.endswith((".py", ".pyc"))] == []
    assert len(looks.listed) == len(set(looks.listed)) <= 70


def test_what_the_user_saves_while_an_edit_is_made_is_not_undone_by_it(draft: Draft, repository: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(9))
    write_tree(repository, {"README.md": lines, "gone.txt": lines, "moved.txt": lines})
    seen, gone = draft.read("README.md"), draft.read("gone.txt")
    theirs = lines.replace("line 7", "theirs")
    write_tree(repository, {"README.md": theirs, "gone.txt": theirs, "new.txt": "theirs\n"})
    draft.change(
        [
            Change("README.md", seen, text_file(lines.replace("line 1", "mine"))),
            Change("gone.txt", gone, None),
            Change("new.txt", None, text_file("mine\n")),
        ],
        "edit_file",
    )
    found = rebase(draft.changes(), lambda path: read_state(repository / path))
    assert found.moved == {"README.md", "gone.txt", "new.txt"}
    assert found.unsettled == {"gone.txt", "new.txt"}
    merged = next(move.merged for move in found.moves if move.path == "README.md")
    assert merged == text_file(theirs.replace("line 1", "mine"))


def test_many_changes_are_made_together_and_those_that_make_room_first(
    draft: Draft, draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    inner, main = draft.read("src/deep/inner.py"), draft.read("src/main.py")
    made = [
        Change("README.md/now/a.txt", None, text_file("a folder\n")),
        Change("src/deep", None, text_file("a file\n")),
        Change("README.md", draft.read("README.md"), None),
        Change("src/deep/inner.py", inner, None),
        Change("src/main.py", main, text_file("mine\n")),
    ]
    draft.change(made, "all")
    expected = sorted((change.path, change.before, change.after) for change in made)
    for one in (draft, draft_of(repository)):
        assert [(change.path, change.before, change.after) for change in one.changes()] == expected
    with pytest.raises(DraftError, match="tests is no file"):
        draft.change([Change("new.txt", None, text_file("")), Change("tests", None, text_file(""))], "all")
    assert draft.read("new.txt") is None
    assert [(change.path, change.before, change.after) for change in draft.changes()] == expected


def test_two_processes_over_one_draft_lose_nothing_of_each_other(
    draft: Draft, draft_of: Callable[[Path], Draft], repository: Path
) -> None:
    draft.write("README.md", text_file("first\n"), "write_file")
    other = draft_of(repository)
    draft.write("src/main.py", text_file("mine\n"), "write_file")
    other.write("tests/test_main.py", text_file("theirs\n"), "write_file")
    other.write("README.md", text_file("# Title\n"), "you")
    assert changed_paths(draft_of(repository).changes()) == ["src/main.py", "tests/test_main.py"]
    draft.write("new.txt", text_file("new\n"), "write_file")
    assert changed_paths(draft.changes()) == ["new.txt", "src/main.py", "tests/test_main.py"]
    assert draft_of(repository).changes() == draft.changes()
