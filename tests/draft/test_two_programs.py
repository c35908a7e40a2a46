"""Two kcode processes and an editor at work in one folder at the same time."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kcode.draft.files import Change
from kcode.draft.journal import apply_changes, operations, plan_undo, recover, reverse
from kcode.errors import StaleError
from kcode.workspace import Workspace
from tests.draft.desk import text

ROUNDS = 30
LINES = 60
# Each has lines of its own, far enough from the others' for a merge.
FIRST_LINE = {"one": 5, "two": 25, "editor": 45}


def start_text() -> bytes:
    return b"".join(b"line %d\n" % number for number in range(LINES))


def with_line(data: bytes, number: int, line: str) -> bytes:
    lines = data.split(b"\n")
    lines[number] = line.encode()
    return b"\n".join(lines)


def be_kcode(root: Path, journal: Path, name: str) -> list[str]:
    """Change a line of the shared file and, in the same operation, a file of one's own; undo every fourth.

    Returns what was refused and why.
    """
    workspace = Workspace(root)
    shared, own = root / "shared", root / name
    refused: list[str] = []
    done = 0
    while done < ROUNDS:
        now, mine = shared.read_bytes(), own.read_bytes()
        after = with_line(now, FIRST_LINE[name] + done % 3, f"{name} {done}")
        changes = [Change("shared", text(now), text(after)), Change(name, text(mine), text(b"%d\n" % done))]
        try:
            if now.count(b"\n") == LINES:  # else the editor is in the middle of writing
                operation = apply_changes(workspace, journal, changes, name)
                done += 1
                if done % 4 == 0:
                    reverse(workspace, journal, plan_undo(workspace, journal, operation.number))
        except StaleError as error:
            refused.append(str(error))
    return refused


def be_editor(root: Path, journal: Path) -> list[str]:
    """Save the shared file in the moment in which kcode writes, until told to end: now in place, now by renaming.

    Returns what was saved last to each line.
    """
    shared, log = root / "shared", journal / "operations.jsonl"
    chance = random.Random(1)  # noqa: S311
    last: dict[int, str] = {}
    seen = saves = 0
    while not (root / "end").exists():
        size = log.stat().st_size if log.exists() else 0
        if size == seen or chance.random() < 0.3:
            seen = size
            os.sched_yield()
            continue
        seen, saves = size, saves + 1
        for _ in range(chance.randrange(40)):
            os.sched_yield()
        number = FIRST_LINE["editor"] + saves % 5
        last[number] = f"editor {saves}"
        if chance.random() < 0.5:
            with shared.open("r+b") as file:
                data = with_line(file.read(), number, last[number])
                file.seek(0)
                file.write(data)
                file.truncate()
        else:
            (root / ".shared.swp").write_bytes(with_line(shared.read_bytes(), number, last[number]))
            (root / ".shared.swp").replace(shared)
    return list(last.values())


def start(*arguments: object) -> subprocess.Popen[bytes]:
    here = Path(__file__).parent.parent.parent
    return subprocess.Popen(
        [sys.executable, "-m", "tests.draft.test_two_programs", *map(str, arguments)],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(here), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> list[str]:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    said: list[str] = json.loads(out)
    return said


def test_two_kcodes_and_an_editor_lose_nothing_and_do_not_interleave(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm")) if os.access("/dev/shm", os.W_OK) else tmp_path
    try:
        work_together(folder.resolve())
    finally:
        if folder != tmp_path:
            shutil.rmtree(folder)


def work_together(folder: Path) -> None:
    root, journal = folder / "work", folder / "journal"
    root.mkdir()
    (root / "shared").write_bytes(start_text())
    for name in ("one", "two"):
        (root / name).write_bytes(b"start\n")
    editor = start("editor", root, journal)
    kcodes = [start(name, root, journal) for name in ("one", "two")]
    try:
        refused = [line for process in kcodes for line in ended(process)]
        (root / "end").touch()
        saved = ended(editor)
    finally:
        for process in (editor, *kcodes):
            process.kill()
            process.wait()

    assert recover(Workspace(root), journal) == []
    assert sorted(path.name for path in root.iterdir()) == ["end", "one", "shared", "two"]
    # Every line is whole and some program's, and what the editor saved last is there.
    lines = (root / "shared").read_text().splitlines()
    assert len(lines) == LINES
    assert all(re.fullmatch(r"(line|one|two|editor) \d+", line) for line in lines)
    assert saved
    assert set(saved) <= set(lines)
    # Of each operation all was written or nothing: the own file is what the last one left.
    everything = operations(journal)
    assert [operation.number for operation in everything] == list(range(1, len(everything) + 1))
    assert {operation.state for operation in everything} <= {"done", "rolled back"}
    for name in ("one", "two"):
        done = [operation for operation in everything if operation.state == "done" and name in operation.paths]
        assert len([operation for operation in done if operation.kind == "apply"]) == ROUNDS
        (record,) = [file for file in done[-1].files if file.path == name]
        assert record.after is not None
        assert hashlib.sha256((root / name).read_bytes()).hexdigest() == record.after.digest
    for line in refused:
        assert re.search(r"changed since|by another program just now|changed just now", line), line


if __name__ == "__main__":
    who, *folders = sys.argv[1:]
    work, log_folder = map(Path, folders)
    told = be_editor(work, log_folder) if who == "editor" else be_kcode(work, log_folder, who)
    sys.stdout.write(json.dumps(told))
