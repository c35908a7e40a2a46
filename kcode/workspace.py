"""The folder that kcode works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root` is the git work tree's root or a plain folder, with links resolved; `git_dir` is None without git.

    `start` is the folder inside root, relative to it, that the user stands in ("" for root itself).
    """

    root: Path
    git_dir: Path | None = None
    start: str = ""
