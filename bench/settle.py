"""Whether looking over a large draft after a command costs little: `python -m bench.settle`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.scripted import Row, make_repository, show
from kcode.draft.draft import open_draft
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.repositories import can_mount_overlay, run_over, text_file

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES, ROUNDS, CPU_SECONDS = 3000, 5, 0.03


def settle_seconds(folder: Path, state: Path, backend: Literal["overlay", "copy"]) -> float:
    """CPU seconds of a settling in which nothing changed, the least of a few."""
    workspace = open_workspace(folder, {"HOME": str(state / "home")})
    draft = open_draft(workspace, open_git(workspace, state), state / "draft", backend)
    draft.write("shop/module_1.py", text_file("changed = True\n"), "edit_file")
    run_over(draft, "true")
    draft.settle("sh")
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        draft.settle("true")
        times.append(time.process_time() - start)
    return min(times)


def main() -> bool:
    """Print the table; True when every bound is kept."""
    backends: Sequence[Literal["overlay", "copy"]] = ("overlay", "copy") if can_mount_overlay() else ("copy",)
    rows = []
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch:
        folder = make_repository(Path(scratch) / "repository", FILES)
        for backend in backends:
            seconds = settle_seconds(folder, Path(scratch) / backend, backend)
            name = f"CPU of settling {FILES:,} unchanged files, {backend}"
            rows.append(
                Row(name, f"{seconds * 1000:.1f} ms", f"<= {CPU_SECONDS * 1000:.0f} ms", seconds <= CPU_SECONDS)
            )
    return show(rows)


if __name__ == "__main__":
    main()
