"""/sessions: what was talked about here, to go on with or to fork."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    del words
    front.open("sessions")
