from __future__ import annotations

import hashlib
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.history import History
from kcode.draft.journal import operations
from kcode.draft.merge import merge_files
from kcode.errors import DraftError, StaleError
from kcode.workspace import Workspace
from tests.draft.desk import Desk, everything, look, text

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_every_kind_of_change_is_written_undone_and_done_again_exactly(desk: Desk) -> None:
    changes = everything(desk)
    before = look(desk.root)
    done = desk.apply(*changes)
    assert (done.kind, done.state, done.label) == ("apply", "done", "a test")
    after = look(desk.root)
    assert after["edit.py"] == ("file", 0o640, b"new\r\n")
    assert after["run.sh"] == ("file", 0o755, b"#!/bin/sh\n")
    assert after["linked"] == after["twin"] == ("file", 0o644, b"still one inode\n")
    assert (desk.root / "linked").stat().st_ino == (desk.root / "twin").stat().st_ino
    assert after["becomes_file"][2] == b"a file\n"
    assert after["becomes_folder/inner"][2] == b"in a folder\n"
    assert after["pointer"] == ("link", "run.sh")
    assert after["new_pointer"] == ("link", "no/where")
    assert "gone" not in after
    for _ in range(2):
        assert desk.undo().kind == "undo"
        assert look(desk.root) == before
        assert desk.redo().kind == "redo"
        assert look(desk.root) == after


def test_undo_goes_back_step_by_step_and_a_new_change_ends_redo(desk: Desk) -> None:
    states = [text(b"%d\n" % i) for i in range(4)]
    file = desk.write("f", states[0].data)
    for i in range(3):
        desk.apply(Change("f", states[i], states[i + 1]))
    desk.undo()
    desk.undo()
    assert file.read_bytes() == b"1\n"
    desk.redo()
    assert file.read_bytes() == b"2\n"
    desk.undo()
    desk.apply(Change("f", states[1], text(b"other\n")))
    with pytest.raises(DraftError, match="Nothing was undone"):
        desk.redo()
    for expected in (b"1\n", b"0\n"):
        desk.undo()
        assert file.read_bytes() == expected
    with pytest.raises(DraftError, match="applied nothing"):
        desk.undo()


def test_a_file_that_changed_meanwhile_is_named_and_nothing_is_written(desk: Desk) -> None:
    desk.write("a", b"old\n")
    desk.write("b", b"the user saved\n")
    desk.write("c", b"the user made this\n")
    before = look(desk.root)
    with pytest.raises(StaleError, match=r"^b, c changed since") as caught:
        desk.apply(
            Change("a", text(b"old\n"), text(b"new\n")),
            Change("b", text(b"old\n"), text(b"new\n")),
            Change("c", None, text(b"new\n")),
        )
    assert "a," not in str(caught.value)
    assert look(desk.root) == before
    assert operations(desk.journal) == []


@pytest.mark.parametrize(
    "meddle",
    [
        lambda root: (root / "f").write_bytes(b"the user's\n"),
        lambda root: (root / "f").unlink(),
        lambda root: (root / "f").write_bytes(b"new\nand more\n"),
        lambda root: (root / "new").write_bytes(b"new\nand more\n"),
        lambda root: (root / "new").write_bytes(b"the user's\n"),
        lambda root: (root / "f").rename(root / "g").with_name("f").symlink_to("new"),
        lambda root: (root / "f").rename(root / "g").with_name("f").mkdir(),
        lambda root: os.mkfifo((root / "f").rename(root / "g").with_name("f")),
        lambda root: (root / "gone").write_bytes(b"the user's\n"),
    ],
)
def test_undo_never_overwrites_what_the_user_did_since(desk: Desk, meddle: Callable[[Path], object]) -> None:
    desk.write("f", b"old\n")
    desk.write("gone", b"gone\n")
    desk.apply(
        Change("f", text(b"old\n"), text(b"new\n")),
        Change("new", None, text(b"new\n")),
        Change("gone", text(b"gone\n"), None),
    )
    meddle(desk.root)

    def names() -> dict[str, tuple[int, ...]]:
        found = {path.name: path.lstat() for path in desk.root.iterdir()}
        return {name: (at.st_ino, at.st_mode, at.st_size, at.st_mtime_ns) for name, at in found.items()}

    before = names()
    with pytest.raises(StaleError, match="changed since kcode last wrote"):
        desk.undo()
    assert names() == before


def test_permissions_that_the_user_changed_since_stay(desk: Desk) -> None:
    file = desk.write("f", b"old\n")
    desk.apply(Change("f", text(b"old\n"), text(b"new\n", EXECUTABLE)))
    assert file.stat().st_mode & 0o777 == 0o755
    file.chmod(0o700)
    desk.undo()
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"old\n", 0o600)


def test_a_folder_that_we_made_stays_if_the_user_put_something_in_it(desk: Desk) -> None:
    desk.apply(Change("made/deep/f", None, text(b"new\n")))
    desk.write("made/mine", b"mine\n")
    desk.undo()
    assert sorted(look(desk.root)) == ["made", "made/mine"]


def test_a_folder_that_was_there_before_stays_when_undo_empties_it(desk: Desk) -> None:
    (desk.root / "there").mkdir()
    desk.apply(Change("there/f", None, text(b"new\n")))
    desk.undo()
    assert sorted(look(desk.root)) == ["there"]


def test_the_folder_that_the_user_stands_in_is_not_removed(desk: Desk) -> None:
    desk.write("a/b/f", b"x\n")
    desk.workspace = Workspace(desk.workspace.root, start="a/b")
    desk.apply(Change("a/b/f", text(b"x\n"), None))
    assert sorted(look(desk.root)) == ["a", "a/b"]


def test_a_file_that_cannot_be_written_rolls_the_others_back(desk: Desk) -> None:
    changes = everything(desk)
    big = text(b"x" * 500_000)
    before = look(desk.root)
    History(desk.journal).keep(big.data)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DraftError, match=r"zz/big cannot be written: File too large. No file was changed."):
            desk.apply(*changes, Change("zz/big", None, big))
        with pytest.raises(DraftError, match=r"journal in .* cannot be used: File too large. No file was changed."):
            desk.apply(*changes, Change("zz/big", None, text(b"y" * 500_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert look(desk.root) == before
    assert [operation.state for operation in operations(desk.journal)] == ["rolled back"]
    desk.apply(*changes, Change("zz/big", None, big))
    desk.undo()
    assert look(desk.root) == before


NAMES = ["a", "b/c", "b/d", "e"]
moves = st.lists(
    st.one_of(
        st.sampled_from(["undo", "redo"]),
        st.tuples(st.just("user"), st.sampled_from(NAMES), st.sampled_from([b"u1", b"u2", None])),
        st.dictionaries(
            st.sampled_from(NAMES),
            st.one_of(st.none(), st.builds(FileState, st.sampled_from([REGULAR, EXECUTABLE]), st.binary(max_size=3))),
            min_size=1,
        ),
    ),
    max_size=9,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves)
def test_undo_and_redo_are_an_editors_and_foreign_bytes_survive(tmp_path_factory: Any, moves: list[Any]) -> None:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    files: dict[str, FileState] = {}
    undoable: list[dict[str, tuple[FileState | None, FileState | None]]] = []
    redoable: list[dict[str, tuple[FileState | None, FileState | None]]] = []

    def turn(step: dict[str, tuple[FileState | None, FileState | None]], back: bool) -> Any:
        pairs = {path: pair[::-1] if back else pair for path, pair in step.items()}
        merged = {path: merge_files(before, files.get(path), after) for path, (before, after) in pairs.items()}
        changed = {path: merge.state for path, merge in merged.items() if merge.state != files.get(path)}
        if not changed or any(merge.is_conflict for merge in merged.values()):
            return False
        step = {path: (files.get(path), state) for path, state in changed.items()}
        for path, state in changed.items():
            files.pop(path, None)
            if state:
                files[path] = state
        return step

    for move in moves:
        if isinstance(move, dict):
            step = {path: (files.get(path), state) for path, state in move.items() if files.get(path) != state}
            if step:
                desk.apply(*(Change(path, *pair) for path, pair in step.items()))
                turn(step, back=False)
                undoable.append(step)
                redoable.clear()
        elif isinstance(move, tuple):
            _, path, data = move
            files.pop(path, None)
            (desk.root / path).unlink(missing_ok=True)
            if data:
                desk.write(path, data)
                files[path] = text(data)
        else:
            source, target = (undoable, redoable) if move == "undo" else (redoable, undoable)
            act = desk.undo if move == "undo" else desk.redo
            if source and (taken := turn(source[-1], back=True)):
                act()
                source.pop()
                target.append(taken)
            else:
                with pytest.raises(DraftError):
                    act()
        found = {name: entry for name, entry in look(desk.root).items() if entry[0] == "file"}
        assert {name: FileState(EXECUTABLE if e[1] & 0o100 else REGULAR, e[2]) for name, e in found.items()} == files


def test_a_folder_in_the_place_of_a_link_is_not_written_through_the_link(desk: Desk) -> None:
    desk.write("other/same", b"theirs\n")
    (desk.root / "folder").symlink_to("other")
    before = look(desk.root)
    desk.apply(
        Change("folder", FileState(LINK, b"other"), None),
        Change("folder/same", None, text(b"new\n")),
        Change("folder/deep/file", None, text(b"new\n")),
    )
    assert not (desk.root / "folder").is_symlink()
    assert (desk.root / "folder/same").read_bytes() == (desk.root / "folder/deep/file").read_bytes() == b"new\n"
    assert [path.name for path in (desk.root / "other").iterdir()] == ["same"]
    assert (desk.root / "other/same").read_bytes() == b"theirs\n"
    desk.undo()
    assert look(desk.root) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
def test_a_full_disk_of_the_journal_is_told_with_what_to_do(desk: Desk) -> None:
    file = desk.write("f", b"old\n")
    History(desk.journal)
    digest = hashlib.sha256(b"new\n").hexdigest()
    (desk.journal / "images" / f"{digest}.new").symlink_to("/dev/full")
    with pytest.raises(DraftError, match=r"No space left on device\. No file was changed\. Free some space"):
        desk.apply(Change("f", text(b"old\n"), text(b"new\n")))
    assert file.read_bytes() == b"old\n"


def test_a_file_that_is_moved_keeps_its_permissions_there_and_back(desk: Desk) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(20))
    desk.write("old.txt", lines, 0o600)
    desk.apply(Change("old.txt", text(lines), None), Change("new.sh", None, text(lines + b"more\n", EXECUTABLE)))
    assert (desk.root / "new.sh").stat().st_mode & 0o777 == 0o700
    desk.undo()
    assert (desk.root / "old.txt").stat().st_mode & 0o777 == 0o600
