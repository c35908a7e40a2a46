from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.draft.journal import apply_changes, plan_undo, recover, reverse
from kcode.errors import DraftError, KcodeError, ReadOnlyError, RefusedError, StaleError
from kcode.workspace import Workspace
from tests.draft.desk import Desk, look, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_linked_file_inside_the_workspace_is_written_through_its_link(desk: Desk) -> None:
    real = desk.write("real/f", b"old\n")
    (desk.root / "name").symlink_to("real/f")
    (desk.root / "folder").symlink_to("real")
    desk.apply(Change("name", text(b"old\n"), text(b"new\n")), Change("folder/g", None, text(b"g\n")))
    assert real.read_bytes() == b"new\n"
    assert (desk.root / "name").is_symlink()
    assert (desk.root / "real/g").read_bytes() == b"g\n"
    desk.undo()
    assert real.read_bytes() == b"old\n"
    assert not (desk.root / "real/g").exists()


def test_two_paths_to_one_file_are_refused(desk: Desk) -> None:
    desk.write("f", b"old\n")
    (desk.root / "name").symlink_to("f")
    with pytest.raises(DraftError, match="f, name are one and the same file"):
        desk.apply(Change("f", text(b"old\n"), text(b"1\n")), Change("name", text(b"old\n"), text(b"2\n")))
    (desk.root / "twin").hardlink_to(desk.root / "f")
    with pytest.raises(DraftError, match="hard link"):
        desk.apply(Change("f", text(b"old\n"), text(b"1\n")), Change("twin", text(b"old\n"), text(b"2\n")))
    desk.apply(Change("f", text(b"old\n"), text(b"1\n")), Change("twin", text(b"old\n"), text(b"1\n")))
    desk.undo()
    assert (desk.root / "twin").read_bytes() == b"old\n"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("out/f", RefusedError),
        ("file_out", KcodeError),
        ("../outside/f", DraftError),
        ("/etc/kcode-test", DraftError),
        ("a//b", DraftError),
        ("a/./b", DraftError),
        ("", DraftError),
        ("a\0b", DraftError),
        (".git/hooks/x", RefusedError),
        ("sub/.GIT/config", RefusedError),
        ("git~1/config", RefusedError),
        (".g\u200cit/config", RefusedError),
        (".git", RefusedError),
        (".git ./config", RefusedError),
        ("to_git/config", RefusedError),
        ("metadata/config", RefusedError),
    ],
)
def test_nothing_outside_the_workspace_and_nothing_of_gits_is_written(
    desk: Desk, path: str, error: type[KcodeError]
) -> None:
    outside = desk.root.parent / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"old\n")
    (desk.root / "out").symlink_to(outside)
    (desk.root / "file_out").symlink_to(outside / "f")
    desk.write(".git/config", b"old\n")
    desk.write("metadata/config", b"old\n")
    desk.workspace = Workspace(desk.workspace.root, desk.workspace.root / "metadata")
    (desk.root / "to_git").symlink_to(".git")
    for before in (None, text(b"old\n")):
        for after in (None, text(b"new\n")):
            if before != after:
                with pytest.raises(error):
                    desk.apply(Change(path, before, after))
    assert (outside / "f").read_bytes() == b"old\n"
    assert (desk.root / ".git/config").read_bytes() == b"old\n"
    assert len(list(outside.iterdir())) == 1


@contextlib.contextmanager
def at_the_first_write(act: Callable[[], object], function: str = "place") -> Iterator[None]:
    """Act when all checks are done and the first file is about to be written: when that function is called."""

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == function:
            sys.setprofile(None)
            act()

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(
    "change",
    [
        Change("f", text(b"old\n"), text(b"new\n")),
        Change("f", text(b"old\n"), None),
        Change("twin", text(b"old\n"), text(b"new\n")),
        Change("g", None, text(b"new\n")),
        Change("g", None, FileState(LINK, b"f")),
    ],
)
def test_what_the_user_saves_between_check_and_write_stays(desk: Desk, change: Change) -> None:
    desk.write("f", b"old\n")
    desk.write("one", b"old\n")
    (desk.root / "twin").hardlink_to(desk.root / "one")
    file = desk.root / change.path
    with (
        at_the_first_write(lambda: file.write_bytes(b"the user's\n")),
        pytest.raises(StaleError, match="by another program just now"),
    ):
        desk.apply(change, Change("later", None, text(b"new\n")))
    assert file.read_bytes() == b"the user's\n"
    assert not (desk.root / "later").exists()
    assert not list(desk.root.glob(".kcode*"))


def test_a_file_that_appears_in_the_last_moment_is_not_overwritten(desk: Desk) -> None:
    file = desk.root / "g"
    with (
        at_the_first_write(lambda: file.write_bytes(b"the user's\n"), "_rename_to_new"),
        pytest.raises(StaleError, match="was made by another program just now"),
    ):
        desk.apply(Change("g", None, text(b"new\n")))
    assert look(desk.root) == {"g": ("file", file.stat().st_mode & 0o7777, b"the user's\n")}


@contextlib.contextmanager
def before_call(act: Callable[[], object], function: Callable[..., object]) -> Iterator[None]:
    """Act once, just before the operating system's function is called."""

    def watch(_: Any, event: str, called: Any) -> None:
        if event == "c_call" and called is function:
            sys.setprofile(None)
            act()

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("save", ["in place", "by renaming"])
@pytest.mark.parametrize("after", [text(b"new\n"), None, FileState(LINK, b"g")])
def test_what_is_saved_in_the_very_moment_of_the_swap_stays(desk: Desk, after: FileState | None, save: str) -> None:
    file = desk.write("f", b"old\n")
    desk.write("g", b"old\n")

    def edit() -> None:
        if save == "in place":
            file.write_bytes(b"the user's\n")
        else:
            (desk.root / "saved").write_bytes(b"the user's\n")
            (desk.root / "saved").replace(file)

    moment = before_call(edit, os.rename) if after is None else at_the_first_write(edit, "exchange")
    with moment, pytest.raises(StaleError, match="f was changed by another program just now"):
        desk.apply(Change("f", text(b"old\n"), after), Change("g", text(b"old\n"), text(b"new\n")))
    assert sorted(look(desk.root)) == ["f", "g"]
    assert (file.read_bytes(), (desk.root / "g").read_bytes()) == (b"the user's\n", b"old\n")


def test_what_was_saved_in_the_moment_of_a_swap_and_a_crash_is_put_back(desk: Desk) -> None:
    desk.write("f", b"old\n")
    desk.write("g", b"old\n")
    (operation, log) = desk.apply(Change("f", text(b"old\n"), text(b"new\n"))), desk.journal / "operations.jsonl"
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    # As if the process had died between the swap and the look at what was swapped out.
    (desk.root / f".kcode-{operation.token}-0.tmp").write_bytes(b"the user's\n")
    (settled,) = recover(desk.workspace, desk.journal)
    assert settled.left == ("f",)
    assert {name: entry[2] for name, entry in look(desk.root).items()} == {"f": b"the user's\n", "g": b"old\n"}


def test_a_link_put_in_the_way_between_check_and_write_does_not_lead_out(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"old\n")
    desk.write("folder/f", b"old\n")

    def swap() -> None:
        (desk.root / "folder").rename(desk.root / "moved")
        (desk.root / "folder").symlink_to(outside)

    with at_the_first_write(swap), pytest.raises(DraftError):
        desk.apply(Change("folder/f", text(b"old\n"), text(b"new\n")))
    assert (desk.root / "folder").is_symlink()
    assert (outside / "f").read_bytes() == (desk.root / "moved/f").read_bytes() == b"old\n"
    assert len(list(outside.iterdir())) == 1


def test_a_file_where_a_folder_is_needed_is_named_as_that(desk: Desk) -> None:
    desk.write("docs", b"mine\n")
    with pytest.raises(
        StaleError, match=r"^docs/new\.md cannot be made: something else stands where .* move that away"
    ):
        desk.apply(Change("docs/new.md", None, text(b"new\n")))
    assert look(desk.root)["docs"][2] == b"mine\n"


def test_a_read_only_file_is_refused_and_keeps_its_permissions(desk: Desk) -> None:
    desk.write("f", b"old\n", 0o444)
    desk.write("g", b"old\n")
    before = look(desk.root)
    for after in (text(b"new\n"), None):
        with pytest.raises(RefusedError, match=r"f is read-only.*chmod"):
            desk.apply(Change("g", text(b"old\n"), text(b"new\n")), Change("f", text(b"old\n"), after))
    assert look(desk.root) == before


def test_a_read_only_file_is_written_once_that_is_allowed_and_stays_read_only(desk: Desk) -> None:
    desk.write("f", b"old\n", 0o444)
    linked = desk.write("linked", b"old\n", 0o444)
    (desk.root / "twin").hardlink_to(linked)
    change = Change("f", text(b"old\n"), text(b"new\n"))
    with pytest.raises(ReadOnlyError, match="f is read-only") as caught:
        desk.apply(change)
    assert caught.value.paths == ("f",)
    apply_changes(desk.workspace, desk.journal, [change], "a test", allowed=caught.value.paths)
    assert look(desk.root)["f"] == ("file", 0o444, b"new\n")
    with pytest.raises(ReadOnlyError):
        desk.undo()
    with pytest.raises(RefusedError, match="linked is read-only and has hard links"):
        apply_changes(desk.workspace, desk.journal, [replace(change, path="linked")], "a test", allowed=["linked"])


def test_no_change_is_an_error_that_says_so(desk: Desk) -> None:
    for changes in ([], [Change("f", text(b"x"), text(b"x"))]):
        with pytest.raises(DraftError, match="no change to apply"):
            desk.apply(*changes)


def test_names_that_are_not_utf8_come_back(desk: Desk) -> None:
    for name in ("\udcff", "new\nline", "ünï/ö", '"'):
        desk.apply(Change(name, None, text(b"x")))
    before = look(desk.root)
    assert len(before) == 5
    desk.undo()
    desk.redo()
    assert look(desk.root) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's rights are tried by the superuser giving up its own")
def test_an_ordinary_user_without_rights_gets_a_clear_error(desk: Desk) -> None:
    desk.write("mine", b"old\n")
    desk.write("closed/f", b"old\n")
    (desk.root / "closed").chmod(0o555)
    desk.journal.mkdir()
    for path in [desk.root, *desk.root.rglob("*"), desk.journal]:
        os.chown(path, 65534, 65534)
    desk.write("foreign", b"old\n", 0o666)
    desk.write("unreadable", b"old\n", 0o600)
    before = look(desk.root)
    ways = [desk.root, *desk.root.parents]
    modes = [path.stat().st_mode for path in ways]
    for path in ways[1:-1]:
        path.chmod(path.stat().st_mode | 0o011)
    os.seteuid(65534)
    try:
        mine = Change("mine", text(b"old\n"), text(b"new\n"))
        for after in (text(b"new\n"), None):
            with pytest.raises(DraftError, match=r"closed/f cannot be written: Permission denied"):
                desk.apply(mine, Change("closed/f", text(b"old\n"), after))
        with pytest.raises(DraftError, match=r"unreadable cannot be read: Permission denied"):
            desk.apply(mine, Change("unreadable", text(b"old\n"), text(b"new\n")))
        assert (desk.root / "mine").read_bytes() == b"old\n"
        desk.apply(mine, Change("foreign", text(b"old\n"), text(b"new\n")))
    finally:
        os.seteuid(0)
        for path, mode in zip(ways, modes, strict=True):
            path.chmod(mode & 0o7777)
    # A file of somebody else's stays theirs: it is written in place.
    assert (desk.root / "foreign").stat().st_uid == 0
    assert (desk.root / "foreign").read_bytes() == b"new\n"
    desk.undo()
    assert look(desk.root) == before


@pytest.mark.parametrize("permissions", [0o640, 0o750])
def test_a_deleted_file_comes_back_alone_with_the_permissions_that_it_had(desk: Desk, permissions: int) -> None:
    gone = desk.write("gone", b"gone\n", permissions)
    desk.write("kept", b"old\n")
    mode = EXECUTABLE if permissions & 0o100 else REGULAR
    desk.apply(Change("gone", text(b"gone\n", mode), None), Change("kept", text(b"old\n"), text(b"new\n")))
    reverse(desk.workspace, desk.journal, plan_undo(desk.workspace, desk.journal, 1, ["gone"]))
    assert (gone.read_bytes(), gone.stat().st_mode & 0o7777) == (b"gone\n", permissions)
    assert (desk.root / "kept").read_bytes() == b"new\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_that_may_not_be_read_is_named_and_not_the_journal(desk: Desk) -> None:
    file = desk.write("secret", b"old\n")
    desk.apply(Change("secret", text(b"old\n"), text(b"new\n")))
    file.chmod(0)
    with pytest.raises(DraftError, match=r"^secret cannot be read: Permission denied\. Nothing was written"):
        desk.undo()
    file.chmod(0o644)
    assert file.read_bytes() == b"new\n"
