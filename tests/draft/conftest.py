"""Drafts over a small repository, in every backend that this machine can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import pytest

from kcode.draft.draft import open_draft
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import can_mount_overlay, new_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.draft.draft import Draft

FILES = {
    "README.md": "# Title\n",
    "src/main.py": "print('one')\n",
    "src/deep/inner.py": "x = 1\n",
    "tests/test_main.py": "def test(): ...\n",
    ".gitignore": "*.log\nbuild/\n__pycache__/\n",
}


@pytest.fixture(params=["overlay", "copy"])
def backend(request: pytest.FixtureRequest) -> Literal["overlay", "copy"]:
    if request.param == "overlay" and not can_mount_overlay():
        pytest.skip("no overlay can be mounted here")
    return cast("Literal['overlay', 'copy']", request.param)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "repository", FILES)


@pytest.fixture
def draft_of(tmp_path: Path, backend: Literal["overlay", "copy"]) -> Callable[[Path], Draft]:
    """Open the one draft of a test over a folder; each call opens it anew, as a later process would."""

    def open_one(root: Path) -> Draft:
        workspace = open_workspace(root, {"HOME": str(tmp_path / "home")})
        git = open_git(workspace, tmp_path / "state")
        return open_draft(workspace, git, tmp_path / "state/draft", backend)

    return open_one


@pytest.fixture
def draft(draft_of: Callable[[Path], Draft], repository: Path) -> Draft:
    return draft_of(repository)
