"""The blocks of a conversation in their order, and which of them are others than when they were last looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kcode.agent.owncommands import OWN_COMMAND
from kcode.tui.blocks import (
    AnswerBlock,
    Block,
    NoticeBlock,
    NoticeKind,
    ReasoningBlock,
    ToolBlock,
    TurnEndBlock,
    UserBlock,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kcode.messages import ToolCall
    from kcode.tui.blocks.reasoning import Reasoning
    from kcode.tui.texts import Texts

_Some = TypeVar("_Some", bound=Block)
# One below the other without a blank row between them.
_CLOSE = (ReasoningBlock, ToolBlock, NoticeBlock)


class Stack:
    """Blocks are added at the end, but before the messages that wait; those stay last."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._blocks: list[Block] = []
        self._waiting = 0
        self._number = 0
        self._turns = 0
        self._changed: int | None = None
        self._reasoning: Reasoning = "collapsed"
        self.show_output: bool | None = None
        self.is_linear = False
        """Whether blocks are laid out for those who hear them read."""

    @property
    def blocks(self) -> Sequence[Block]:
        return self._blocks

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return self._waiting

    def take_changed(self) -> int | None:
        """The place of the first block that is another, or has another place, than at the last call."""
        changed, self._changed = self._changed, None
        return changed

    def mark_changed(self, block: Block) -> None:
        """The block is shown otherwise from here on."""
        place = self.place_of(block.number)
        if place is not None:
            self._note(place)

    def place_of(self, number: int) -> int | None:
        """Where the block of that number stands; those at the end are found at once."""
        return next(
            (place for place in range(len(self._blocks) - 1, -1, -1) if self._blocks[place].number == number), None
        )

    def add(self, kind: Callable[..., _Some], *values: object, **more: object) -> _Some:
        """Make a block and put it at the end."""
        self._number += 1
        block = kind(self._number, self._texts, *values, **more)
        block.is_linear = self.is_linear
        place = len(self._blocks) - self._waiting
        before = self._blocks[place - 1] if place else None
        block.is_spaced = place > 0 and not (isinstance(before, _CLOSE) and isinstance(block, _CLOSE))
        self._blocks.insert(place, block)
        self._note(place)
        return block

    def remove(self, block: Block) -> None:
        place = self.place_of(block.number)
        if place is not None:
            del self._blocks[place]
            self._note(place)

    def add_user(self, message: str, *, begins_turn: bool = True) -> UserBlock:
        """Show a message of the user's, which begins a turn or went into the one that ran."""
        self._turns += begins_turn
        return self.add(UserBlock, message, max(self._turns - 1, 0))

    def add_reasoning(self, text: str = "", *, is_live: bool = False) -> ReasoningBlock:
        block = self.add(ReasoningBlock, text, is_live=is_live)
        block.show(self._reasoning)
        return block

    def add_answer(self, text: str = "", *, is_live: bool = False) -> AnswerBlock:
        return self.add(AnswerBlock, text, is_live=is_live)

    def add_tool(self, call: ToolCall) -> ToolBlock:
        block = self.add(ToolBlock, call)
        if self.show_output is not None:
            block.open(is_open=self.show_output)
        elif call.name == OWN_COMMAND:
            block.open(is_open=True, by_user=False)
        return block

    def add_notice(self, text: str, kind: NoticeKind) -> NoticeBlock:
        return self.add(NoticeBlock, text, kind)

    def add_turn_end(self, text: str) -> TurnEndBlock:
        return self.add(TurnEndBlock, text)

    def queue(self, message: str, words: str | None = None) -> UserBlock:
        """Put a message that waits behind all others; it will be told of as `words`, where those are others."""
        self._number += 1
        block = UserBlock(self._number, self._texts, message, -1, waits_as=message if words is None else words)
        block.is_spaced, block.is_linear = bool(self._blocks), self.is_linear
        self._blocks.append(block)
        self._waiting += 1
        self._note(len(self._blocks) - 1)
        return block

    def unqueue(self, words: str, *, first: bool = False) -> str | None:
        """Take away the last waiting message that is told of as that, or the first; what it shows, if there is one."""
        waiting = self._blocks[len(self._blocks) - self._waiting :] if self._waiting else []
        found = [block for block in waiting if isinstance(block, UserBlock) and block.waits_as == words]
        if not found:
            return None
        block = found[0] if first else found[-1]
        self._waiting -= 1
        self.remove(block)
        return block.message

    def open_all(self, kind: type[Block], *, is_open: bool) -> None:
        """Show all of every block of that kind, or fold them, and those that come."""
        if kind is ReasoningBlock:
            self.show_reasoning("open" if is_open else "collapsed")
            return
        if kind is ToolBlock:
            self.show_output = is_open
        for block in self._blocks:
            if isinstance(block, kind):
                block.open(is_open=is_open)
        self._note(0)

    def show_reasoning(self, how: Reasoning) -> None:
        """Show what the model thought in this way, also in the replies that come."""
        self._reasoning = how
        for block in self._blocks:
            if isinstance(block, ReasoningBlock):
                block.show(how)
        self._note(0)

    def read_aloud(self, *, is_linear: bool) -> None:
        """Lay all blocks out for those who hear them read, also those that come, or for those who see them."""
        self.is_linear = is_linear
        for block in self._blocks:
            if block.is_linear is not is_linear:
                block.is_linear = is_linear
                block.mark_changed()
        self._note(0)

    def _note(self, place: int) -> None:
        self._changed = place if self._changed is None else min(self._changed, place)
