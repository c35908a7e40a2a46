"""/theme [NAME]: the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    themes = front.themes()
    current = str(front.preference("theme"))
    name = words or await front.choose(front.text("commands.which_theme"), themes, current, are_themes=True)
    if name is None:
        return
    if name not in themes:
        raise UsageError(front.text("commands.theme_words", themes=", ".join(themes)))
    await front.set_preference("theme", name)
    front.tell(front.text("commands.theme_changed", theme=name), "good")
