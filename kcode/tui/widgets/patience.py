"""Waiting for somebody to stop typing, so that no key that is meant for one thing is taken by another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

PATIENCE = 0.4


async def until_quiet(screen: Screen[object], seconds: float) -> None:
    """Return once nobody has typed for so long."""
    seen = _typing(screen.focused)
    while True:
        await asyncio.sleep(seconds)
        now = _typing(screen.focused)
        if now == seen:
            return
        seen = now


def is_typing(screen: Screen[object]) -> bool:
    """Whether there is something in the line of the focus that is not sent yet."""
    return bool(getattr(screen.focused, "text", "") or getattr(screen.focused, "value", ""))


def _typing(widget: Widget | None) -> tuple[object, ...]:
    """What changes when somebody types: which widget has the focus, its text and where its caret is."""
    names = ("text", "value", "cursor_location", "cursor_position")
    return (widget, *(getattr(widget, name, None) for name in names))
