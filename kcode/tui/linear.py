"""The conversation for those who hear it read: plain lines, one thing after the other, words in the place of signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.tui.blocks import Block


def linear_text(blocks: Iterable[Block]) -> str:
    """All that the blocks hold, be they open or folded, safe to print."""
    return sanitize("\n\n".join(filter(None, (block.linear() for block in blocks))))
