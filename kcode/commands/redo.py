"""/redo: bring back what was undone last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.commands.undo import step

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    await step(front, words, "redo")
