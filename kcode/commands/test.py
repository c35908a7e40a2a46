"""/test: the tests over the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    if front.has_turn():
        raise UsageError(front.text("commands.turn_runs"))
    front.begin("test", words)
