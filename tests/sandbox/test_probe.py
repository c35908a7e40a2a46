from __future__ import annotations

import asyncio
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from kcode.draft.files import FolderMount
from kcode.errors import NoSandboxError, SandboxError
from kcode.sandbox import Limits, Rung, Sandbox, find_sandbox, run_command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.place import Place


def find(place: Place, **environment: str) -> Sandbox:
    folder = place.home.parent / "probe folder, odd: \\"
    folder.mkdir(exist_ok=True)
    found = asyncio.run(find_sandbox(folder, place.root, place.environment | environment))
    assert list(folder.iterdir()) == []
    return found


def own_programs(folder: Path, **scripts: str) -> str:
    folder.mkdir()
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_the_best_rung_that_works_is_found_and_leaves_the_workspace_alone(
    best_place: Place, sandboxes: dict[Rung, Sandbox]
) -> None:
    found = find(best_place)
    assert found.rung is best_place.sandbox.rung
    assert found.rung in sandboxes
    assert found.isolated
    assert sorted(path.name for path in best_place.root.iterdir()) == [".git", "folder", "kept.txt"]
    assert best_place.sh("cat kept.txt").output == "kept\n"


def test_the_probe_is_quick(best_place: Place) -> None:
    find(best_place)
    started = time.perf_counter()
    find(best_place)
    # Measured: 50-65 ms on two cores; the bound leaves room for a busy machine.
    assert time.perf_counter() - started < 0.6


def test_without_bubblewrap_the_kernels_namespaces_do(best_place: Place, tmp_path: Path) -> None:
    found = find(best_place, PATH=str(tmp_path))
    assert found.rung in {Rung.OVERLAY_NAMESPACES, Rung.NAMESPACES, Rung.NONE}
    assert "not installed" in found.reasons[0]


def test_a_bubblewrap_that_fails_is_named_and_passed_over(best_place: Place, tmp_path: Path) -> None:
    path = own_programs(tmp_path / "bin", bwrap="echo 'bwrap: no permissions' >&2; exit 1")
    found = find(best_place, PATH=path)
    assert "bwrap" not in found.name
    assert any(reason.startswith("overlay+bwrap: ") and "no permissions" in reason for reason in found.reasons)


def test_a_bubblewrap_of_the_workspace_is_never_run(best_place: Place) -> None:
    path = own_programs(best_place.root / "bin", bwrap=f"touch {best_place.home}/trap; exit 0")
    find(best_place, PATH=f"{path}:bin:")
    assert not (best_place.home / "trap").exists()


def test_a_workspace_with_files_of_another_user_is_copied(best_place: Place) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can own other users' files")
    shutil.chown(best_place.root / "folder" / "inner.txt", 1234, 1234)
    found = find(best_place)
    assert not found.overlay
    assert found.isolated
    assert found.reasons


def test_a_huge_file_does_not_decide_on_the_overlay(best_place: Place) -> None:
    # Copied up in the trial it would be larger than any file that a command may write.
    shutil.rmtree(best_place.root / "folder")
    with (best_place.root / "kept.txt").open("wb") as file:
        file.truncate(3 << 30)
    assert find(best_place).rung is best_place.sandbox.rung


def test_an_rm_of_the_workspace_does_not_spoil_the_trial(best_place: Place) -> None:
    path = own_programs(best_place.root / "bin", rm="exit 7")
    found = find(best_place, PATH=f"{path}:{os.environ['PATH']}")
    assert found.rung is best_place.sandbox.rung


def test_without_a_sandbox_commands_are_refused_with_the_reasons(best_place: Place) -> None:
    nothing = Sandbox(Rung.NONE, ("bubblewrap (bwrap) is not installed.", "namespaces: not permitted"))
    mount = FolderMount(best_place.root, best_place.root)
    with pytest.raises(NoSandboxError, match=r"(?s)not installed.*not permitted.*--no-sandbox"):
        asyncio.run(run_command(nothing, mount, ["true"], limits=Limits(), environment={}))


def test_a_draft_of_the_other_kind_is_refused(place: Place) -> None:
    other = Sandbox(Rung.NAMESPACES if place.sandbox.overlay else Rung.OVERLAY_NAMESPACES)
    with pytest.raises(SandboxError, match="start a new draft"):
        asyncio.run(run_command(other, place.mount, ["true"], limits=Limits(), environment={}))


def test_a_failing_mount_is_the_sandboxes_failure_and_not_the_commands(place: Place) -> None:
    shutil.rmtree(place.drafted)
    with pytest.raises(SandboxError, match="could not be isolated"):
        place.sh("true")
