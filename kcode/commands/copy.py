"""/copy: the last answer, as Markdown, into the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    del words
    answer = front.last_answer()
    if not answer:
        front.tell(front.text("commands.no_answer"))
        return
    front.copy(answer)
    front.tell(front.text("commands.copied", count=len(answer)))
