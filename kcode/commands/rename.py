"""/rename NAME: what the session is called in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    if not words:
        raise UsageError(front.text("commands.rename_words"))

    def rename(bench: Workbench) -> None:
        bench.log.append_name(words)

    await front.call(rename)
    front.tell(front.text("commands.renamed", name=words), "good")
