"""How a screen is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from textual.screen import Screen

Result = TypeVar("Result")


def leave(screen: Screen[Result], result: Result | None = None) -> None:
    """Leave the screen with this result, unless it is left already or stands below another.

    Of a second key that was on its way Textual would make that the screen below goes too.
    """
    if screen.is_current:
        screen.dismiss(result)
