from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.headless.proposals import propose_changes
from tests.tui.reviewing import desk_of, walking

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_told_of_keys_can_be_clicked(tmp_path: Path) -> None:
    async def walk_through() -> None:
        async with walking(desk_of(propose_changes(tmp_path)), size=(80, 40)) as walk:
            await walk.click("c comment")
            await walk.see("Comment for the model")
            walk.write("one")
            await walk.click("ctrl+j new line")
            await walk.click("enter keep")
            await walk.see("# one", "esc back")
            await walk.click("c comment")
            walk.write("other")
            await walk.click("esc leave")
            await walk.see("# one", "esc back")
            await walk.click("e edit")
            await walk.see("The new lines of this hunk")
            walk.write("    def tax(self): ...")
            await walk.click("ctrl+s keep")
            await walk.see("edited by you", "esc back")
            await walk.click("? keys")
            await walk.click("A R")
            await walk.see("decided 3 of 5")
            await walk.click("undo the last decision")
            await walk.see("decided 0 of 5")
            await walk.click("? keys")
            await walk.until(lambda: "undo the last decision" not in walk.text)

    asyncio.run(walk_through())
