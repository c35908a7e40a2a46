"""Links are followed inside the workspace and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kcode.draft.files import LINK, FileState
from kcode.errors import ToolError
from tests.repositories import changed_paths, text_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kcode.draft.draft import Draft


def test_links_are_followed_inside_the_workspace_only(
    draft_of: Callable[[Path], Draft], repository: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for name, target in {
        "inside": "src", "up/back": "../src/main.py", "absolute": str(repository / "src"), "out": str(tmp_path),
        "climb": "../secret.txt", "loop": "pool", "pool": "loop", "sneak": ".git",
    }.items():  # fmt: skip
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).symlink_to(target)
    draft = draft_of(repository)
    assert draft.read("inside") == FileState(LINK, b"src")
    assert draft.read("inside/main.py") == text_file("print('one')\n")
    assert draft.read("absolute/deep/inner.py") == text_file("x = 1\n")
    assert draft.resolve("up/back", follow=True) == "src/main.py"
    assert [entry.path for entry in draft.entries("inside")] == ["src/deep", "src/main.py"]
    draft.write("inside/main.py", text_file("through\n"), "edit_file")
    assert changed_paths(draft.changes()) == ["src/main.py"]
    for path in ("out/secret.txt", "loop/x", "sneak/config"):
        with pytest.raises(ToolError):
            draft.read(path)
        with pytest.raises(ToolError):
            draft.write(path, text_file("x"), "write_file")
    with pytest.raises(ToolError, match="outside"):
        draft.resolve("climb", follow=True)
    assert draft.read("climb") == FileState(LINK, b"../secret.txt")
    draft.write("climb", text_file("a file now\n"), "write_file")
    assert secret.read_text() == "secret"
