"""Which turns of a conversation are taken back, marked where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.tui.blocks import NoticeBlock, UserBlock

if TYPE_CHECKING:
    from kcode.tui.stack import Stack


class TakenBack:
    """Steps back and forth over the turns of a stack, as the session does."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._turns: list[int] = []

    def step_back(self) -> None:
        """The last turn in force counts no longer."""
        users = (block for block in self._stack.blocks if isinstance(block, UserBlock) and not block.is_taken_back)
        turn = max((block.message_index for block in users), default=-1)
        if turn >= 0:
            self._turns.append(turn)
            self._mark(turn, is_taken_back=True)

    def step_forth(self) -> None:
        """The turn that was taken back last counts again."""
        if self._turns:
            self._mark(self._turns.pop(), is_taken_back=False)

    def _mark(self, turn: int, *, is_taken_back: bool) -> None:
        current = -1
        for block in self._stack.blocks:
            current = block.message_index if isinstance(block, UserBlock) else current
            # What kcode told meanwhile happened all the same.
            if current == turn and not isinstance(block, NoticeBlock):
                block.take_back(is_taken_back=is_taken_back)
                self._stack.mark_changed(block)
