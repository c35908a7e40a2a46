"""Undo and redo of any operation, file or hunk, over files that changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.draft.files import EXECUTABLE, Change
from kcode.draft.hunks import propose
from kcode.draft.journal import operations, plan_redo, plan_undo, reverse
from kcode.errors import DraftError, StaleError, UsageError
from tests.draft.desk import Desk, look, text

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.files import FileState
    from kcode.draft.operations import Operation

LINES = [b"line %d\n" % number for number in range(1, 31)]


def with_lines(changed: dict[int, bytes]) -> FileState:
    return text(b"".join(changed.get(number, line) for number, line in enumerate(LINES, 1)))


BASE = with_lines({})
THREE = with_lines({5: b"five\n", 15: b"fifteen\n", 25: b"twenty-five\n"})


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.write("f", BASE.data, 0o640)
    desk.write("g", b"old\n")
    return desk


def undo(desk: Desk, number: int | None = None, *words: str) -> Operation:
    return reverse(desk.workspace, desk.journal, plan_undo(desk.workspace, desk.journal, number, words))


def redo(desk: Desk, number: int | None = None, *words: str) -> Operation:
    return reverse(desk.workspace, desk.journal, plan_redo(desk.workspace, desk.journal, number, words))


def bytes_of(desk: Desk, name: str = "f") -> bytes:
    return (desk.root / name).read_bytes()


def hunk_ids(*changes: Change) -> list[str]:
    return [hunk.id for change in propose(changes).changes for hunk in change.hunks]


def test_an_old_operation_is_undone_while_later_ones_and_the_users_edits_stay(desk: Desk) -> None:
    desk.apply(Change("f", BASE, with_lines({5: b"five\n"})))
    later = with_lines({5: b"five\n", 25: b"twenty-five\n"})
    desk.apply(Change("f", with_lines({5: b"five\n"}), later))
    mine = with_lines({5: b"five\n", 15: b"mine\n", 25: b"twenty-five\n"})
    desk.write("f", mine.data, 0o640)
    planned = plan_undo(desk.workspace, desk.journal, 1)
    assert planned.merged == {"f"}
    assert planned.changes == (Change("f", mine, with_lines({15: b"mine\n", 25: b"twenty-five\n"})),)
    assert bytes_of(desk) == mine.data  # planned is not done
    reverse(desk.workspace, desk.journal, planned)
    assert look(desk.root)["f"] == ("file", 0o640, planned.changes[0].after.data if planned.changes[0].after else b"")
    undo(desk)
    assert bytes_of(desk) == with_lines({15: b"mine\n"}).data
    with pytest.raises(DraftError, match="applied nothing"):
        undo(desk)
    redo(desk, 1)
    assert bytes_of(desk) == with_lines({5: b"five\n", 15: b"mine\n"}).data
    redo(desk)
    assert bytes_of(desk) == mine.data


def test_what_nobody_but_kcode_changed_needs_no_question(desk: Desk) -> None:
    desk.apply(Change("f", BASE, THREE))
    desk.apply(Change("f", THREE, with_lines({5: b"five\n", 15: b"fifteen\n", 25: b"again\n", 1: b"one\n"})))
    assert plan_undo(desk.workspace, desk.journal).merged == frozenset()
    with pytest.raises(StaleError, match="changed since kcode last wrote"):
        plan_undo(desk.workspace, desk.journal, 1)


def test_one_file_of_an_operation_is_undone_and_then_the_rest(desk: Desk) -> None:
    desk.apply(Change("f", BASE, THREE), Change("g", text(b"old\n"), text(b"new\n")), Change("h", None, text(b"h\n")))
    after = look(desk.root)
    undo(desk, None, "h", "g")
    assert (bytes_of(desk), bytes_of(desk, "g"), (desk.root / "h").exists()) == (THREE.data, b"old\n", False)
    assert redo(desk).paths == ("g", "h")
    assert look(desk.root) == after
    undo(desk, 1, "g")
    undo(desk)  # what was done again of it
    undo(desk)  # and what was never undone
    assert (bytes_of(desk), bytes_of(desk, "g"), (desk.root / "h").exists()) == (BASE.data, b"old\n", False)
    with pytest.raises(DraftError, match="applied nothing"):
        undo(desk)


def test_a_deleted_file_that_is_undone_alone_has_its_permissions_again(desk: Desk) -> None:
    desk.apply(Change("f", BASE, None), Change("g", text(b"old\n"), text(b"new\n")))
    undo(desk, None, "f")
    assert look(desk.root)["f"] == ("file", 0o640, BASE.data)
    assert bytes_of(desk, "g") == b"new\n"


def test_one_hunk_is_undone_and_done_again_by_its_id(desk: Desk) -> None:
    change = Change("f", BASE, THREE)
    desk.apply(change, Change("g", text(b"old\n"), text(b"new\n")))
    first, second, third = hunk_ids(change)
    undo(desk, None, second[:6])
    assert look(desk.root)["f"] == ("file", 0o640, with_lines({5: b"five\n", 25: b"twenty-five\n"}).data)
    undo(desk, 1, first, third)
    assert (bytes_of(desk), bytes_of(desk, "g")) == (BASE.data, b"new\n")
    redo(desk)
    assert bytes_of(desk) == with_lines({5: b"five\n", 25: b"twenty-five\n"}).data
    redo(desk)
    assert (bytes_of(desk), bytes_of(desk, "g")) == (THREE.data, b"new\n")
    with pytest.raises(UsageError, match="no hunk and no file"):
        undo(desk, 1, "nowhere")
    with pytest.raises(UsageError, match="no operation that could be taken back"):
        undo(desk, None, "nowhere")


def test_a_hunk_of_a_renamed_file_is_undone_under_its_new_name(desk: Desk) -> None:
    rename = [Change("f", BASE, None), Change("moved", None, THREE)]
    desk.apply(*rename)
    undo(desk, None, hunk_ids(*rename)[0])
    assert sorted(look(desk.root)) == ["g", "moved"]
    assert bytes_of(desk, "moved") == with_lines({15: b"fifteen\n", 25: b"twenty-five\n"}).data
    undo(desk)
    assert (sorted(look(desk.root)), bytes_of(desk)) == (["f", "g"], BASE.data)


def test_a_file_whose_changes_would_be_lost_refuses_alone(desk: Desk) -> None:
    desk.apply(Change("f", BASE, THREE), Change("g", text(b"old\n"), text(b"new\n")))
    desk.write("g", b"mine\n")
    with pytest.raises(
        StaleError, match=r"^g changed since .* Nothing was written. Others alone: kcode undo 1 FILE\|HUNK"
    ):
        undo(desk)
    undo(desk, None, "f")
    assert (bytes_of(desk), bytes_of(desk, "g")) == (BASE.data, b"mine\n")


def test_a_hunk_whose_change_would_be_lost_leaves_the_others_to_be_undone(desk: Desk) -> None:
    change = Change("f", BASE, THREE)
    desk.apply(change)
    desk.write("f", THREE.data.replace(b"fifteen", b"mine"), 0o640)
    with pytest.raises(StaleError, match=r"Others alone: kcode undo 1 FILE\|HUNK; kcode journal 1 lists them"):
        undo(desk)
    undo(desk, 1, hunk_ids(change)[0])
    assert bytes_of(desk) == with_lines({15: b"mine\n", 25: b"twenty-five\n"}).data


def test_an_operation_that_the_user_took_back_by_hand_is_told_apart(desk: Desk) -> None:
    desk.apply(Change("f", BASE, THREE))
    desk.apply(Change("g", text(b"old\n"), text(b"new\n")))
    desk.write("g", b"old\n")
    with pytest.raises(DraftError, match=r"Nothing is left in your files of operation 2 \(g\)"):
        undo(desk)
    undo(desk, 1)
    assert bytes_of(desk) == BASE.data
    with pytest.raises(DraftError, match="Operation 1 is not in force"):
        undo(desk, 1)
    with pytest.raises(DraftError, match="Operation 2 was not undone"):
        redo(desk, 2)


def test_a_plan_that_no_longer_holds_is_not_carried_out(desk: Desk) -> None:
    desk.apply(Change("f", BASE, THREE))
    planned = plan_undo(desk.workspace, desk.journal)
    desk.write("f", THREE.data + b"mine\n")
    with pytest.raises(StaleError, match="would not be what was shown"):
        reverse(desk.workspace, desk.journal, planned)
    assert bytes_of(desk) == THREE.data + b"mine\n"
    reverse(desk.workspace, desk.journal, (again := plan_undo(desk.workspace, desk.journal)))
    with pytest.raises(StaleError, match="would not be what was shown"):
        reverse(desk.workspace, desk.journal, again)
    assert bytes_of(desk) == BASE.data + b"mine\n"
    assert [operation.state for operation in operations(desk.journal)] == ["done", "done"]


def test_a_mode_is_undone_beside_what_the_user_wrote(desk: Desk) -> None:
    desk.apply(Change("g", text(b"old\n"), text(b"old\n", EXECUTABLE)))
    desk.write("g", b"mine\n", 0o750)
    undo(desk)
    assert look(desk.root)["g"] == ("file", 0o640, b"mine\n")
