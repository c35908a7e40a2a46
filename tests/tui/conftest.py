from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.headless.proposals import Proposed, propose_changes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proposed:
    """A proposal of five hunks in three files, in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return propose_changes(tmp_path)
