"""Look at the scenes and keep what they show: `make snapshots`, or `python -m tests.tui.snapshots.renew [NAME …]`.

With `--pictures FOLDER` first, nothing is kept, and each of them is drawn in every theme as SVG instead.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from docs.svg import draw_picture, read_strip
from tests.tui.snapshots.camera import MORE_THEMES, View, look_at
from tests.tui.snapshots.scenes import SCENES
from tests.tui.snapshots.sheet import sheet_of
from tests.tui.snapshots.staging import SETTINGS, is_of_the_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEPT = Path(__file__).parent / "kept"


@contextmanager
def settled_surroundings() -> Iterator[Path]:
    """A folder of its own as the home, and nothing of the user's to change what is shown."""
    kept = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="kcode-scene-") as scratch:
        for name in filter(is_of_the_user, [*os.environ]):
            del os.environ[name]
        os.environ.update(SETTINGS, HOME=f"{scratch}/home")
        try:
            yield Path(scratch)
        finally:
            os.environ.clear()
            os.environ.update(kept)


def draw(name: str, views: Sequence[View], folder: Path) -> None:
    for view in views:
        rows = [read_strip(strip) for strip in view.strips]
        paper = max((run for row in rows for run in row), key=lambda run: run.cells).look.paper
        file = folder / f"{name}-{view.size[0]}-{view.theme.removeprefix('kcode-')}.svg"
        file.write_text(draw_picture(rows, view.size[0], file.stem, paper), encoding="utf-8")


def main(names: list[str]) -> None:
    folder = None
    if names[:1] == ["--pictures"]:
        folder, names = Path(names[1]), names[2:]
    KEPT.mkdir(exist_ok=True)
    for name in names or SCENES:
        with settled_surroundings() as scratch:
            if folder is not None:
                draw(name, look_at(name, scratch, MORE_THEMES), folder)
            else:
                (KEPT / f"{name}.txt").write_text(sheet_of(look_at(name, scratch)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
