from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from kcode.draft.execution import is_torn
from kcode.draft.files import Change
from kcode.draft.journal import recover
from kcode.errors import DraftError
from tests.draft.desk import Desk, look, text


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# What a crash or an error at any point leaves behind is tried in a process of its own: a profile function is told
# before each call of the operating system, and there kills the process or makes the call fail.
DRIVER = textwrap.dedent(
    """
    import json, os, pathlib, signal, sys, tempfile
    from kcode.draft.journal import operations, recover
    from kcode.errors import KcodeError
    from tests.draft.desk import Desk, everything, look
    WATCHED = {"open", "write", "fsync", "rename", "replace", "link", "unlink", "symlink", "mkdir", "rmdir", "fchmod",
               "fchown", "ftruncate"}

    def run(desk, changes, undoing):
        desk.undo() if undoing else desk.apply(*changes)

    def at(n, act):
        seen = 0
        def watch(frame, event, function):
            nonlocal seen
            if event == "c_call" and getattr(function, "__module__", "") == "posix" and function.__name__ in WATCHED:
                seen += 1
                if seen == n:
                    reached.append(n)
                    act(function.__name__)
        return watch

    reached = []

    def kill(name):
        os.kill(os.getpid(), signal.SIGKILL)

    def fail(name):
        raise OSError(28, "No space left on device", name)

    def attempt(folder, how, undoing, n):
        desk = Desk(folder)
        changes = everything(desk)
        before = look(desk.root)
        if undoing:
            desk.apply(*changes)
            before = look(desk.root)
        ended = "killed"
        child = os.fork() if how == "kill" else 0
        if child:
            _, status = os.waitpid(child, 0)
            ended = "killed" if os.WIFSIGNALED(status) else "finished"
        else:
            sys.setprofile(at(n, kill if how == "kill" else fail))
            try:
                run(desk, changes, undoing)
                ended = "finished"
            except KcodeError as error:
                ended = str(error)
            finally:
                sys.setprofile(None)
            if how == "kill":
                os._exit(0)
        between = look(desk.root)
        settled = recover(desk.workspace, desk.journal)
        found = look(desk.root)
        states = [op.state for op in operations(desk.journal)]
        left = [path for op in settled for path in op.left]
        # Whatever happened, the work can go on from here.
        if found == before:
            run(desk, changes, undoing)
        after = look(desk.root)
        return {"ended": ended, "whole": between in (before, after), "back": found == before, "states": states,
                "there": found == after, "left": left, "reached": ended == "killed" or n in reached, "end": {k: list(map(str, v)) for k, v in after.items()}}

    for n in range(1, 1000):
        with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
            outcome = attempt(pathlib.Path(folder), sys.argv[2], sys.argv[3] == "undo", n)
        print(json.dumps(outcome), flush=True)
        if not outcome["reached"]:
            break
    """
)


def attempts(tmp_path: Path, how: str, what: str) -> list[dict[str, Any]]:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    root = Path(__file__).parent.parent.parent
    # Hundreds of runs, each of which waits for the disk some 150 times.
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(tmp_path)
    done = subprocess.run(
        [sys.executable, str(driver), folder, how, what],
        env=os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("what", ["apply", "undo"])
def test_a_process_killed_at_any_point_leaves_all_files_old_or_all_new(tmp_path: Path, what: str) -> None:
    outcomes = attempts(tmp_path, "kill", what)
    assert len(outcomes) > 60
    assert outcomes[-1]["ended"] == "finished"
    assert any(not outcome["whole"] for outcome in outcomes)  # else no kill came between two files
    for outcome in outcomes:
        assert outcome["back"] or outcome["there"]
        assert outcome["left"] == []
        assert "pending" not in outcome["states"]
        assert outcome["end"] == outcomes[-1]["end"]


@pytest.mark.parametrize("what", ["apply", "undo"])
def test_an_error_at_any_point_leaves_all_files_as_they_were(tmp_path: Path, what: str) -> None:
    outcomes = attempts(tmp_path, "fail", what)
    assert len(outcomes) > 60
    for outcome in outcomes:
        assert outcome["whole"]
        assert outcome["end"] == outcomes[-1]["end"]
        if outcome["ended"] == "finished":
            assert outcome["there"]
        else:
            assert outcome["back"]
            assert "No space left on device" in outcome["ended"]


def faults(tmp_path: Path, *arguments: str) -> list[dict[str, Any]]:
    """What each system call of an apply or undo of three files leaves when the fault comes at it."""
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else str(tmp_path)
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(
        [sys.executable, "-m", "tests.draft.syscalls", folder, *arguments],
        cwd=root, env=os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    if done.stderr.startswith("strace:"):
        pytest.skip(f"no process may be traced here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    whole, *found = [json.loads(line) for line in done.stdout.splitlines()]
    assert whole["ended"] == "finished"
    for outcome in found:
        assert outcome["back"] or outcome["there"], outcome
        assert outcome["left"] == [], outcome
        assert "pending" not in outcome["states"], outcome
        assert outcome["end"] == whole["end"], outcome
    return found


@pytest.mark.parametrize("what", ["apply", "undo"])
def test_killed_at_any_system_call_all_files_are_old_or_all_new_at_the_next_start(tmp_path: Path, what: str) -> None:
    found = faults(tmp_path, what, "SIGKILL")
    assert len(found) > 100
    assert {outcome["ended"] for outcome in found} == {"killed"}
    assert any(not outcome["whole"] for outcome in found)  # else none came between two files


@pytest.mark.parametrize("what", ["apply", "undo"])
def test_a_system_call_that_fails_leaves_all_files_as_they_were(tmp_path: Path, what: str) -> None:
    errors = {
        "ENOSPC": "No space left on device",
        "EIO": "Input/output error",
        "EROFS": "Read-only file system",
        "EDQUOT": "Disk quota exceeded",
    }
    found = faults(tmp_path, what, ",".join(errors))
    assert len(found) > 100
    for outcome in found:
        if outcome["ended"] == "finished":
            assert outcome["whole"], outcome
        else:
            assert outcome["untouched"], outcome
            assert any(name in outcome["inject"] and said in outcome["ended"] for name, said in errors.items()), outcome


def test_a_disk_that_stays_full_is_noticed_before_the_first_file_changes(tmp_path: Path) -> None:
    for outcome in faults(tmp_path, "apply", "ENOSPC+", "write"):
        assert outcome["untouched"] or "All files were written" in outcome["ended"], outcome


def test_when_putting_back_fails_too_the_next_start_does_it(tmp_path: Path) -> None:
    found = faults(tmp_path, "undo", "EIO+", "fsync,ftruncate,unlinkat,linkat,rename,mkdirat")
    assert any("Putting the files back failed too" in outcome["ended"] for outcome in found)
    for outcome in found:
        assert outcome["untouched"] or "the next kcode command here" in outcome["ended"].lower(), outcome


def crash_after_one_file(desk: Desk, *changes: Change) -> None:
    """The operation is begun and its first file written, then the process is gone."""
    desk.apply(*changes)
    log = desk.journal / "operations.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-1]))


def test_after_a_crash_a_file_in_a_third_state_is_left_alone_and_named(desk: Desk) -> None:
    for name in "abc":
        desk.write(name, b"old\n")
    crash_after_one_file(desk, *(Change(name, text(b"old\n"), text(b"new\n")) for name in "abc"))
    desk.write("b", b"the user's\n")
    desk.write("c", b"old\n")
    (settled,) = recover(desk.workspace, desk.journal)
    assert (settled.state, settled.left) == ("rolled back", ("b",))
    assert [(desk.root / name).read_bytes() for name in "abc"] == [b"old\n", b"the user's\n", b"old\n"]
    assert recover(desk.workspace, desk.journal) == []
    with pytest.raises(DraftError, match="applied nothing"):
        desk.undo()


def test_after_a_crash_behind_the_last_file_the_operation_counts_as_done(desk: Desk) -> None:
    desk.write("gone/f", b"old\n")
    before = look(desk.root)
    crash_after_one_file(desk, Change("gone/f", text(b"old\n"), None), Change("new/f", None, text(b"new\n")))
    (settled,) = recover(desk.workspace, desk.journal)
    assert settled.state == "done"
    desk.undo()
    assert look(desk.root) == before


@pytest.mark.parametrize(
    ("data", "torn"),
    [
        (b"new ne2", True),
        (b"old ne2", True),
        (b"new and longer", True),
        (b"old and longer", True),
        (b"new and", True),
        (b"new", False),
        (b"", False),
        (b"newer old", False),
        (b"mine", False),
    ],
)
def test_a_half_written_file_is_known_by_its_bytes(data: bytes, torn: bool) -> None:
    assert is_torn(data, b"old ne2", b"new and longer") == torn
    assert is_torn(data, b"new and longer", b"old ne2") == torn


@pytest.mark.parametrize("size", [0, 1, 5, 9, 11, 12, 20])
def test_a_hard_linked_file_that_a_crash_left_half_written_is_put_back(desk: Desk, size: int) -> None:
    old, new = b"old old old\n", b"new, and longer than it\n"
    for before, after in ((old, new), (new, old)):
        file = desk.write("f", before)
        twin = desk.root / "twin"
        twin.unlink(missing_ok=True)
        twin.hardlink_to(file)
        crash_after_one_file(desk, Change("f", text(before), text(after)))
        with file.open("r+b") as stream:
            stream.write(after[:size] + before[min(size, len(after)) :])
            stream.truncate()
        (settled,) = recover(desk.workspace, desk.journal)
        assert settled.left == ()
        assert file.read_bytes() == twin.read_bytes() == (after if settled.state == "done" else before)
        file.unlink()


def test_when_even_the_log_fails_midway_the_next_call_settles_it(desk: Desk) -> None:
    desk.write("f", b"old\n")
    log, aside = desk.journal / "operations.jsonl", desk.journal / "aside"

    def break_log(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == "place":
            sys.setprofile(None)
            log.rename(aside)
            log.mkdir()

    sys.setprofile(break_log)
    try:
        with pytest.raises(DraftError, match=r"All files were written\. .* The next kcode command here settles"):
            desk.apply(Change("f", text(b"old\n"), text(b"new\n")), Change("g", None, text(b"new\n")))
    finally:
        sys.setprofile(None)
    log.rmdir()
    aside.rename(log)
    (settled,) = recover(desk.workspace, desk.journal)
    assert settled.state == "done"
    assert {name: entry[2] for name, entry in look(desk.root).items()} == {"f": b"new\n", "g": b"new\n"}
    desk.undo()
    assert look(desk.root) == {"f": ("file", 0o644, b"old\n")}
