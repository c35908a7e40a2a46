"""That what moves on the screen is painted at its new place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widget import Widget

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.screen import Screen


def paint_what_moves(screen: Screen[Any]) -> None:
    """Have every widget that a new layout puts elsewhere painted once more.

    Textual 8.2.8 paints what differs from the layout before. But where a hidden widget was painted since, the next one
    that asks where such a widget stands has all laid out on the way, and nothing differs any more when it comes to painting.
    """
    places: dict[Widget, Region] = {}

    def look(_: object) -> None:
        now = {widget: widget.region for widget in screen.walk_children(Widget) if widget.is_on_screen}
        for widget, place in now.items():
            if places and places.get(widget) != place:
                widget.refresh()
        places.clear()
        places.update(now)

    screen.screen_layout_refresh_signal.subscribe(screen, look, immediate=True)
