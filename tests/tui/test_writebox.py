"""The box to write in: keys that come in one go count in their order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.events import Key

from kcode.tui.widgets.writebox import WriteBox
from tests.tui.stage import Stage

if TYPE_CHECKING:
    from textual.message import Message


class Table(Stage):
    """A stage that keeps what the box gives."""

    def __init__(self) -> None:
        self.box = WriteBox()
        super().__init__(self.box)
        self.kept: list[Message] = []

    def on_write_box_kept(self, event: WriteBox.Kept) -> None:
        self.kept.append(event)


def write_at_once(*keys: str, text: str = "", is_short: bool = True) -> tuple[str, list[Message]]:
    """What stands in the box once these keys came faster than any of them is carried out; and what was kept."""

    async def run() -> tuple[str, list[Message]]:
        table = Table()
        async with table.run_test() as pilot:
            table.box.open("Say", text, is_short=is_short)
            for key in keys:
                table.post_message(Key(key, key if len(key) == 1 else None))
            await pilot.pause()
            return table.box.text, table.kept

    return asyncio.run(run())


def test_enter_keeps_all_that_was_typed_before_it() -> None:
    _, kept = write_at_once(*"abcdef", "enter")
    assert [event.text for event in kept if isinstance(event, WriteBox.Kept)] == ["abcdef"]


def test_a_line_breaks_and_the_caret_moves_where_the_key_came() -> None:
    assert write_at_once("a", "ctrl+j", "b", "home", "c")[0] == "a\ncb"
    assert write_at_once("end", "x", "enter", "y", text="ab", is_short=False)[0] == "abx\ny"
