"""A workspace, a home with secrets in it, and each way to isolate that this machine can do."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kcode.errors import SandboxError
from kcode.sandbox import UNISOLATED, Rung, Sandbox
from tests.sandbox.place import ISOLATED, Place, make_place

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> dict[Rung, Sandbox]:
    """The rungs that work here. Which do is tried once, by hand, so that the probe's own tests stand apart."""
    program = shutil.which("bwrap") or ""
    version = (0, 0)
    if program:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        version = (int(said.split(".")[0]), int(said.split(".")[1]))
    found = {Rung.UNISOLATED: UNISOLATED}
    for rung in ISOLATED:
        if "bwrap" in rung.value and not program:
            continue
        sandbox = Sandbox(rung, (), program if "bwrap" in rung.value else "", version)
        try:
            if make_place(sandbox, tmp_path_factory.mktemp("trial")).sh("true").exit_code == 0:
                found[rung] = sandbox
        except SandboxError:
            continue
    return found


@pytest.fixture(params=ISOLATED, ids=lambda rung: rung.value)
def place(request: pytest.FixtureRequest, sandboxes: dict[Rung, Sandbox], tmp_path: Path) -> Place:
    if request.param not in sandboxes:
        pytest.skip(f"{request.param.value} does not work on this machine")
    return make_place(sandboxes[request.param], tmp_path)


@pytest.fixture
def best_place(sandboxes: dict[Rung, Sandbox], tmp_path: Path) -> Place:
    """For what does not depend on the rung."""
    best = next((sandboxes[rung] for rung in ISOLATED if rung in sandboxes), None)
    if best is None:
        pytest.skip("no command can be isolated on this machine")
    return make_place(best, tmp_path)


@pytest.fixture
def open_place(tmp_path: Path) -> Place:
    """Without isolation."""
    return make_place(UNISOLATED, tmp_path)


@pytest.fixture
def mark() -> str:
    """A word that no other process has on its command line."""
    return f"mark-{uuid.uuid4().hex}"


def _marked(word: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if word.encode() in line:
                found.append(int(entry.name))
    return found


@pytest.fixture
def marked() -> Callable[[str], list[int]]:
    """The processes of the whole machine that have the word on their command line."""
    return _marked


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    def wait(condition: Callable[[], bool], seconds: float = 10) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return wait
