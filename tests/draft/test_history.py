from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kcode.draft.files import Change
from kcode.draft.history import History
from kcode.draft.journal import operations, undo
from kcode.draft.operations import decode
from kcode.errors import DraftError
from kcode.workspace import Workspace
from tests.draft.desk import Desk, text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_second_kcode_is_told_to_wait(desk: Desk) -> None:
    history = History(desk.journal)
    with (
        history.locked(),
        pytest.raises(DraftError, match=r"Another kcode .* try again"),
        history.locked(patience=0),
    ):
        pytest.fail("the lock was taken twice")
    desk.apply(Change("f", None, text(b"new\n")))


def test_a_second_kcode_waits_for_its_turn(desk: Desk) -> None:
    with ThreadPoolExecutor() as pool:
        with History(desk.journal).locked():
            waiting = [pool.submit(desk.apply, Change(name, None, text(b"new\n"))) for name in "ab"]
            assert not any(future.done() for future in waiting)
        assert sorted(future.result().number for future in waiting) == [1, 2]


def test_a_journal_of_another_workspace_is_refused(desk: Desk, tmp_path: Path) -> None:
    desk.apply(Change("f", None, text(b"new\n")))
    other = tmp_path / "other"
    other.mkdir()
    (other / "f").write_bytes(b"new\n")
    with pytest.raises(DraftError, match="is for"):
        undo(Workspace(other.resolve()), desk.journal)
    assert (other / "f").exists()


def test_a_damaged_log_costs_only_its_damaged_lines(desk: Desk) -> None:
    for i in range(3):
        desk.apply(Change(f"f{i}", None, text(b"x")))
    log = (desk.journal / "operations.jsonl").read_bytes()
    whole = decode(log)
    ends = [i + 1 for i, byte in enumerate(log) if byte == 10]
    for size in range(len(log)):
        lines = sum(end <= size for end in ends)
        got = decode(log[:size])
        assert [operation.number for operation in got] == list(range(1, lines // 2 + lines % 2 + 1))
        assert got[: lines // 2] == whole[: lines // 2]
    for bit in range(0, 8 * len(log), 61):
        flipped = bytearray(log)
        flipped[bit // 8] ^= 1 << bit % 8
        # A line end that is gone damages the line behind it as well.
        kept = 1 if log[bit // 8] == ord("\n") else 2
        assert len([operation for operation in decode(bytes(flipped)) if operation in whole]) >= kept
    (desk.journal / "operations.jsonl").write_bytes(log[: ends[-1]] + b'{"crc":1,"rec')
    desk.apply(Change("f3", None, text(b"x")))
    assert [operation.state for operation in operations(desk.journal)] == ["done"] * 4


def test_old_bytes_are_pruned_but_never_those_of_the_latest_operation(desk: Desk) -> None:
    states = [text(bytes([65 + i]) * 1000) for i in range(6)]
    desk.write("f", states[0].data)
    for i in range(5):
        desk.apply(Change("f", states[i], states[i + 1]))
    history = History(desk.journal)
    history.prune(largest=3_000)
    assert [operation.number for operation in operations(desk.journal)] == [4, 5]
    history.prune(oldest=-1.0)
    assert [operation.number for operation in operations(desk.journal)] == [5]
    assert len([image for image in (desk.journal / "images").iterdir() if not image.name.startswith(".")]) == 2
    desk.undo()
    assert (desk.root / "f").read_bytes() == states[4].data
    with pytest.raises(DraftError, match="applied nothing"):
        desk.undo()


def test_missing_bytes_make_undo_say_so(desk: Desk) -> None:
    desk.write("f", b"old\n")
    desk.apply(Change("f", text(b"old\n"), text(b"new\n")))
    for image in (desk.journal / "images").iterdir():
        image.write_bytes(b"damaged")
    with pytest.raises(DraftError, match="no longer holds"):
        desk.undo()
    assert (desk.root / "f").read_bytes() == b"new\n"
