"""A stage for one widget: an app with kcode's themes and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App

from kcode.tui.themes import DEFAULT_THEME, own_themes

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.widget import Widget


class Stage(App[None]):
    """Shows one widget."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, widget: Widget, theme: str = DEFAULT_THEME) -> None:
        super().__init__()
        self._widget = widget
        for one in own_themes():
            self.register_theme(one)
        self.theme = theme

    def compose(self) -> ComposeResult:
        yield self._widget


def shown(app: App[Any]) -> str:
    """What stands on the screen, as plain text without blanks at the lines' ends."""
    width, height = app.size
    lines = app.screen._compositor.render_strips(app.size)
    return "\n".join(strip.text[:width].rstrip() for strip in lines[:height])
