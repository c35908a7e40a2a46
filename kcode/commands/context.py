"""/context: what fills the window, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    del words
    front.open("context")
