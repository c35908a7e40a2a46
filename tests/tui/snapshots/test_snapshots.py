"""Every screen looks as it was kept. `make snapshots` keeps what it looks like by now: read the diff of that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.snapshots.camera import look_at
from tests.tui.snapshots.scenes import SCENES
from tests.tui.snapshots.sheet import sheet_of
from tests.tui.snapshots.staging import SETTINGS, is_of_the_user

KEPT = Path(__file__).parent / "kept"


@pytest.mark.parametrize("name", SCENES)
def test_it_looks_as_it_was_kept(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in filter(is_of_the_user, [*os.environ]):
        monkeypatch.delenv(variable)
    for variable, value in SETTINGS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert sheet_of(look_at(name, tmp_path)) == (KEPT / f"{name}.txt").read_text(encoding="utf-8")


def test_nothing_is_kept_that_no_scene_shows() -> None:
    assert {file.stem for file in KEPT.iterdir()} == set(SCENES)
