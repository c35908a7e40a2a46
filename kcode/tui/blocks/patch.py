"""A patch in the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.sanitize import sanitize
from kcode.tui.blocks.block import MARGIN, Block
from kcode.tui.lines import Role, Span, expand_tabs
from kcode.tui.rows import Row, broken, indented

if TYPE_CHECKING:
    from kcode.tui.texts import Texts

# The first that a line begins with decides.
_ROLES = (
    ("+++", Role.STRONG),
    ("---", Role.STRONG),
    ("+", Role.ADDED),
    ("-", Role.REMOVED),
    ("@@", Role.ACCENT),
    (" ", Role.TEXT),
)


class PatchBlock(Block):
    """Copied, it is the patch alone."""

    def __init__(self, number: int, texts: Texts, patch: str) -> None:
        super().__init__(number, texts)
        self._patch = patch

    @property
    def source(self) -> str:
        return self._patch

    def linear(self) -> str:
        return self._patch.rstrip("\n")

    def lay_out(self, width: int) -> list[Row]:
        rows: list[Row] = []
        for line in sanitize(self._patch).rstrip("\n").split("\n"):
            role = next((role for start, role in _ROLES if line.startswith(start)), Role.DIM)
            rows += broken((Span(expand_tabs(line), role),) if line else (), max(width - 2, 8))
        return indented(rows, MARGIN, MARGIN)
