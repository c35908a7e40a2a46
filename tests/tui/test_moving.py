from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from kcode.tui.moving import paint_what_moves

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Lines(Screen[None]):
    CSS = "Static { height: 1; } #room { height: 1fr; } #hidden { display: none; }"

    def compose(self) -> ComposeResult:
        yield Static("", id="room")
        yield Static("a-line-that-moves")
        yield Static("a-line-that-goes", id="goes")
        yield Vertical(Static(id="inner"), id="hidden")
        yield Static("the-last-line")

    def on_mount(self) -> None:
        paint_what_moves(self)


class Painted(App[None]):
    """Keeps what would be sent to a terminal."""

    sent = ""

    def on_mount(self) -> None:
        self.push_screen(Lines())

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.sent += renderable.render_segments(self.console)
        super()._display(screen, renderable)


def test_a_line_that_moves_is_painted_where_it_is() -> None:
    async def go() -> str:
        async with Painted().run_test(size=(40, 10)) as pilot:
            app = pilot.app
            assert isinstance(app, Painted)
            await pilot.pause()
            # What is hidden is painted. Then a line goes, and before it is gone the hidden one is asked for its place.
            app.screen.query_one("#inner").refresh()
            await pilot.pause()
            app.sent = ""
            app.screen.query_one("#goes").display = False
            assert not app.screen.query_one("#inner").region
            await pilot.pause()
            await pilot.pause()
            return app.sent

    rows = re.split(r"\x1b\[(?=\d+;1H)", asyncio.run(go()))
    assert [row.partition(";")[0] for row in rows if "a-line-that-moves" in row] == ["9"]
