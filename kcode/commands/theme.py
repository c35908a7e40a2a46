"""/theme [NAME]: the colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    themes = front.themes()
    name = words or await front.choose(front.text("commands.which_theme"), themes)
    if name is None:
        return
    if name not in themes:
        raise UsageError(front.text("commands.theme_words", themes=", ".join(themes)))
    front.set_preference("theme", name)
