"""/export [FILE]: the conversation as Markdown, HTML or JSON, as the file's name ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    def export(bench: Workbench) -> Path:
        from kcode.agent.exporting import write_session  # noqa: PLC0415 - needed by few sessions

        path = Path(words).expanduser() if words else Path(f"kcode-{bench.session.id}.md")
        write_session(bench.place, bench.session, path)
        return path

    front.tell(front.text("commands.exported", path=str(await front.call(export))), "good")
