"""/undo: take back what was applied last, or else the last turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    await step(front, words, "undo")


async def step(front: Front, words: str, way: Literal["undo", "redo"]) -> None:
    """One step back or forth in what `words` names: "turn", "apply", or what changed last."""
    if front.has_turn():
        raise UsageError(front.text("commands.turn_runs"))
    if words not in {"", "turn", "apply"}:
        raise UsageError(front.text("commands.undo_words", way=way))
    await front.step(way, words)
