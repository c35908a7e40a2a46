"""A screen as a text that is kept: what stands there, and below it how each cell looks in every theme.

An SVG of one screen in one theme takes 40 kB and cannot be read in a diff. This takes some 6 kB for all themes together,
and a diff of it shows the words that changed, or the letters that stand for another colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_letters, digits
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.style import Style
    from textual.strip import Strip

    from tests.tui.snapshots.camera import View

# The letter of the commonest look is a point, so that the others stand out.
_NAMES = "." + ascii_letters + digits + "!#$%&*+<=>?@^~"
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "strike", "reverse")


@dataclass(frozen=True)
class Seen:
    """One screen at one size: its rows as text, and for each theme the look of each cell."""

    size: tuple[int, int]
    rows: tuple[str, ...]
    looks: Mapping[str, tuple[tuple[str, ...], ...]]


def look_of(style: Style | None) -> str:
    """A style in words, without what is not seen."""
    if style is None:
        return "default"
    words = [name for name in _ATTRIBUTES if getattr(style, name)]
    words += [style.color.name] if style.color else ["default"]
    words += ["on", style.bgcolor.name] if style.bgcolor and not style.bgcolor.is_default else []
    return " ".join(words)


def read(strips: Sequence[Strip], size: tuple[int, int]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The rows as text, and the look of each cell."""
    texts, looks = [], []
    for strip in strips[: size[1]]:
        texts.append(strip.text.rstrip())
        looks.append(tuple(look for part in strip for look in [look_of(part.style)] * cell_len(part.text)))
    return tuple(texts), tuple(looks)


def _write(seen: Seen) -> str:
    themes = list(seen.looks)
    cells = [list(zip(*(seen.looks[theme][y] for theme in themes), strict=True)) for y in range(len(seen.rows))]
    counts: dict[tuple[str, ...], int] = {}
    for row in cells:
        for cell in row:
            counts[cell] = counts.get(cell, 0) + 1
    commonest = max(counts, key=lambda cell: counts[cell])
    order = [commonest, *(cell for cell in counts if cell != commonest)]
    names = dict(zip(order, _NAMES, strict=False))
    width, height = seen.size
    lines = [f"== {width}x{height}", *seen.rows, f"-- looks at {width}x{height}"]
    lines += ["".join(names[cell] for cell in row).rstrip(".") for row in cells]
    lines.append(f"-- themes at {width}x{height}: {', '.join(themes)}")
    lines += [f"{name}  {' | '.join(cell)}" for cell, name in names.items()]
    return "\n".join(lines) + "\n"


def sheet_of(views: Sequence[View]) -> str:
    """The views of one scene as the text that is kept."""
    seen = []
    for size in dict.fromkeys(view.size for view in views):
        found = {view.theme: read(view.strips, size) for view in views if view.size == size}
        texts = {rows for rows, _ in found.values()}
        # Only colours are a theme's own: whoever sees none reads the same words and signs.
        assert len(texts) == 1, "\n\n".join("\n".join(rows) for rows in texts)
        seen.append(Seen(size, texts.pop(), {theme: looks for theme, (_, looks) in found.items()}))
    return "\n".join(_write(one) for one in seen)
