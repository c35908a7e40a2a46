"""/thinking [open | collapsed | hidden]: how the model's reasoning is shown. It thinks in any case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.commands.front import Front

WAYS = ("collapsed", "open", "hidden")


async def run(front: Front, words: str) -> None:
    current = str(front.preference("reasoning"))
    if words and words not in WAYS:
        raise UsageError(front.text("commands.thinking_words", ways=", ".join(WAYS)))
    way = words or WAYS[(WAYS.index(current) + 1) % len(WAYS) if current in WAYS else 0]
    await front.set_preference("reasoning", way)
    front.tell(front.text(f"commands.thinking_{way}"))
