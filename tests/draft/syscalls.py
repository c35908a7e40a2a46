"""Kill a process at each system call of an apply or an undo, or make the call fail, and print what is left as JSON lines.

    python -m tests.draft.syscalls FOLDER apply|undo SIGKILL|ENOSPC|…[+] [CALL,…]

Of several faults, joined by commas, the calls get one each in turn. With a + every call of that name from there on
fails, as on a disk that stays full. The process under test is a child that waits until strace has it in hand, so nothing
is imported twice.
"""

from __future__ import annotations

import collections
import ctypes
import itertools
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from kcode.draft.files import EXECUTABLE, Change
from kcode.draft.journal import operations, recover
from kcode.errors import KcodeError
from tests.draft.desk import Desk, look, text

if TYPE_CHECKING:
    from collections.abc import Iterator

# What strace does not know on this machine (as open on arm64) is passed over by the question mark.
CALLS = [
    "openat", "open", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat",
    "unlink", "unlinkat", "symlink", "symlinkat", "fchmod", "fchmodat", "fchown", "ftruncate", "mkdir", "mkdirat", "rmdir",
]  # fmt: skip
TRACE = ",".join(f"?{name}" for name in CALLS)
PR_SET_PTRACER, ANY = 0x59616D61, ctypes.c_ulong(-1)


def three_files(desk: Desk) -> list[Change]:
    """A file with a hard link edited, and one moved to another folder, where it can be executed."""
    old, new = b"one inode, longer than what it becomes\n", b"still one inode\n"
    desk.write("linked", old)
    (desk.root / "twin").hardlink_to(desk.root / "linked")
    desk.write("from/run.sh", b"#!/bin/sh\n", 0o640)
    desk.write("edit.py", b"old\n")
    return [
        Change("linked", text(old), text(new)),
        Change("from/run.sh", text(b"#!/bin/sh\n"), None),
        Change("to/run.sh", None, text(b"#!/bin/sh\nexit\n", EXECUTABLE)),
        Change("edit.py", text(b"old\n"), text(b"new\n")),
    ]


def carry_out(desk: Desk, changes: list[Change], *, undoing: bool) -> None:
    if undoing:
        desk.undo()
    else:
        desk.apply(*changes)


def traced(desk: Desk, changes: list[Change], log: pathlib.Path, inject: str, *, undoing: bool) -> str:
    """Carry it out in a child under strace; "killed", "finished" or the error."""
    mine, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY, 0, 0, 0)  # a machine may let only ancestors trace
        theirs.send(b"ready")
        theirs.recv(1)
        try:
            carry_out(desk, changes, undoing=undoing)
            theirs.send(b"finished")
        except KcodeError as error:
            theirs.send(str(error).encode())
        os._exit(0)
    theirs.close()
    mine.recv(5)
    command = ["strace", "-o", str(log), "-e", f"trace={TRACE}", "-p", str(child)]
    if inject:
        command += ["-e", f"inject={inject}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        first = strace.stderr.readline()
        if "attached" not in first:
            os.kill(child, 9)
            os.waitpid(child, 0)
            raise SystemExit(f"strace: {first}")
        mine.send(b"!")
        os.waitpid(child, 0)
        said = mine.recv(1 << 16).decode()
    mine.close()
    return said or "killed"


def attempt(inject: str, *, undoing: bool, parent: str) -> tuple[dict[str, object], collections.Counter[str]]:
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = pathlib.Path(name)
        desk = Desk(folder)
        changes = three_files(desk)
        if undoing:
            desk.apply(*changes)
        before = look(desk.root)
        ended = traced(desk, changes, folder / "trace", inject, undoing=undoing)
        calls = collections.Counter(line.split("(")[0] for line in (folder / "trace").read_text().splitlines())
        between = look(desk.root)
        settled = recover(desk.workspace, desk.journal)
        found = look(desk.root)
        states = [operation.state for operation in operations(desk.journal)]
        if found == before:  # Whatever happened, the work can go on from here.
            carry_out(desk, changes, undoing=undoing)
        after = look(desk.root)
    outcome: dict[str, object] = {
        "inject": inject, "ended": ended, "untouched": between == before, "whole": between in (before, after),
        "back": found == before, "there": found == after, "states": states, "left": [p for op in settled for p in op.left],
        "end": {key: list(map(str, value)) for key, value in after.items()},
    }  # fmt: skip
    return outcome, calls


def outcomes(parent: str, what: str, faults: str, names: str = "") -> Iterator[dict[str, object]]:
    undoing = what == "undo"
    attempt("", undoing=undoing, parent=parent)  # what is imported late is imported now
    whole, calls = attempt("", undoing=undoing, parent=parent)
    yield whole
    every = [(name, n + 1) for name in names.split(",") if names for n in range(calls[name])]
    every = every or [(name, n + 1) for name in CALLS for n in range(calls[name])]
    for (name, number), fault in zip(every, itertools.cycle(faults.split(",")), strict=False):
        action = f"signal={fault}" if fault.startswith("SIG") else f"error={fault.removesuffix('+')}"
        more = "+" if fault.endswith("+") else ""
        outcome, _ = attempt(f"{name}:{action}:when={number}{more}", undoing=undoing, parent=parent)
        yield outcome


if __name__ == "__main__":
    for line in outcomes(*sys.argv[1:]):
        sys.stdout.write(json.dumps(line) + "\n")
