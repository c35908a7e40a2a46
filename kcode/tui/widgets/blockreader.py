"""Blocks to go through and act on: a cursor over them, opening and folding, copying, searching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from kcode.sanitize import sanitize
from kcode.tui.blocks import ReasoningBlock, ToolBlock, UserBlock
from kcode.tui.lines import cut
from kcode.tui.viewport import Place
from kcode.tui.widgets.blockview import BlockView

if TYPE_CHECKING:
    from textual.events import Click

    from kcode.tui.blocks import Block

_KINDS: dict[str, type[Block]] = {"reasoning": ReasoningBlock, "output": ToolBlock}


class BlockReader(BlockView):
    """A view with a cursor that is on one block, or on none."""

    # Who clicks and then types means the composer: letters are not to be taken for keys of a block.
    FOCUS_ON_CLICK: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("alt+up,ctrl+up", "step(-1)", show=False, id="transcript.previous"),
        Binding("alt+down,ctrl+down", "step(1)", show=False, id="transcript.next"),
        Binding("enter,space", "toggle_chosen", show=False, id="transcript.toggle"),
        Binding("y", "copy", show=False, id="transcript.copy"),
        Binding("e", "edit", show=False, id="transcript.edit"),
        Binding("o", "open", show=False, id="transcript.open"),
        Binding("ctrl+t", "toggle_all('reasoning')", show=False, id="transcript.reasoning"),
        Binding("ctrl+o", "toggle_all('output')", show=False, id="transcript.output"),
        Binding("n", "find_next(1)", show=False, id="transcript.find_next"),
        Binding("N", "find_next(-1)", show=False, id="transcript.find_previous"),
    ]

    @dataclass
    class BlockOpened(Message, namespace="transcript"):
        """A block was opened or folded."""

        block: Block

    @dataclass
    class EditRequested(Message, namespace="transcript"):
        """The user wants to take a turn anew with other words; `message_index` counts the session's turns from 0.

        `text` is what the user said in it, up to the message that was chosen.
        """

        message_index: int
        text: str

    @dataclass
    class OpenRequested(Message, namespace="transcript"):
        """The user wants to see the text in an editor."""

        text: str
        name: str

    @dataclass
    class Copied(Message, namespace="transcript"):
        """The user wants that text on the clipboard."""

        text: str

    @dataclass
    class LinkFollowed(Message, namespace="transcript"):
        """The user clicked an address of the web, or of a mailbox."""

        address: str

    def action_step(self, step: int) -> None:
        """Move the cursor to the next block that shows something; it begins at the edge of what is seen."""
        self.sync()
        blocks = self.stack.blocks
        first, last = self.viewport.blocks_in_view()
        place = self._cursor_place()
        place = (last + 1 if step < 0 else first - 1) if place is None else place
        place += step
        while 0 <= place < len(blocks) and not blocks[place].rows(self.viewport.width):
            place += step
        if 0 <= place < len(blocks):
            self._choose(place)

    def action_toggle_chosen(self) -> None:
        if (block := self._chosen()) is not None:
            self._open(block, is_open=not block.is_open)

    def action_toggle_block(self, number: int) -> None:
        """Open or fold the block that was clicked, unless the mouse selected text."""
        place = self.stack.place_of(number)
        if place is not None and self.text_selection is None:
            block = self.stack.blocks[place]
            self._open(block, is_open=not block.is_open)

    def action_toggle_all(self, what: str) -> None:
        """Open every block of thoughts, or of tools, or fold them where one is open."""
        kind = _KINDS[what]
        is_open = any(block.is_open for block in self.stack.blocks if isinstance(block, kind))
        self.stack.open_all(kind, is_open=not is_open)
        self.sync()

    def action_copy(self) -> None:
        if (block := self._chosen()) is not None:
            self.post_message(self.Copied(sanitize(block.source)))

    def action_edit(self) -> None:
        block = self._chosen()
        if isinstance(block, UserBlock) and not block.is_queued:
            index = block.message_index
            users = [one for one in self.stack.blocks if isinstance(one, UserBlock) and one.message_index == index]
            said = [one.words.own for one in users[: users.index(block) + 1]]
            self.post_message(self.EditRequested(index, "\n\n".join(said)))

    def action_open(self) -> None:
        if (block := self._chosen()) is not None:
            self.post_message(self.OpenRequested(block.source, type(block).__name__.removesuffix("Block").lower()))

    def action_follow(self, address: str) -> None:
        if self.text_selection is None:
            self.post_message(self.LinkFollowed(address))

    def action_find_next(self, step: int) -> None:
        """Go to the next block that has what is searched for, or the one before; behind the last comes the first."""
        found = self._finds()
        if not found:
            return
        at = self._cursor_place()
        at = -1 if at is None else at
        later = [place for place in found if place > at] if step > 0 else [place for place in found if place < at][::-1]
        self._go_to_find((later or (found if step > 0 else found[::-1]))[0])

    def clear_marks(self) -> None:
        """Take away the cursor, and the marks of a search."""
        self.cursor, self.needle = None, ""
        self.redraw()

    async def on_click(self, event: Click) -> None:
        """Do what stands there, and go to the block where one goes through them at all."""
        clicked = cut(self.line_at(event.y), event.x, event.x + 1)
        seen = self._shown[event.y] if 0 <= event.y < len(self._shown) else None
        if self.has_focus and seen is not None and seen.block is not None:
            self.cursor = seen.block.number
            self.redraw()
        if clicked and clicked[0].action:
            await self.run_action(clicked[0].action)

    def find(self, text: str) -> int:
        """Mark the text wherever it stands, and go to the last place; "" marks nothing. How many blocks have it."""
        self.needle = text
        found = self._finds()
        if found:
            self._go_to_find(found[-1])
        self.redraw()
        return len(found)

    @property
    def found(self) -> tuple[int, int]:
        """Which of the blocks that have what is searched for the cursor is on, from 1, and how many there are."""
        found, at = self._finds(), self._cursor_place()
        return (found.index(at) + 1 if at in found else 0), len(found)

    def _finds(self) -> list[int]:
        needle = self.needle.casefold()
        blocks = self.stack.blocks
        return [n for n, block in enumerate(blocks) if needle in block.linear().casefold()] if needle else []

    def _go_to_find(self, place: int) -> None:
        block = self.stack.blocks[place]
        needle = self.needle.casefold()

        def row_of_it() -> int | None:
            rows = block.rows(self.viewport.width)
            return next((n for n, row in enumerate(rows) if needle in row.text.casefold()), None)

        row = row_of_it()
        if row is None:
            self._open(block, is_open=True)
            row = row_of_it()
        self._choose(place, row or 0)

    def _choose(self, place: int, row: int = 0) -> None:
        self.sync()
        self.cursor = self.stack.blocks[place].number
        self.viewport.show(Place(place, row), at=self.size.height // 3)
        self.settle()
        self.redraw()

    def _open(self, block: Block, *, is_open: bool) -> None:
        if block.can_open:
            block.open(is_open=is_open)
            self.stack.mark_changed(block)
            self.viewport.follows = False
            self.sync()
            self.viewport.keep(Place(self.stack.place_of(block.number) or 0, 0))
            self.settle()
            self.post_message(self.BlockOpened(block))

    def _cursor_place(self) -> int | None:
        return self.stack.place_of(self.cursor) if self.cursor is not None else None

    def _chosen(self) -> Block | None:
        place = self._cursor_place()
        return self.stack.blocks[place] if place is not None else None
