"""An app that shows one of the small screens and keeps what it gave."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.app import App

from kcode.tui.texts import load_texts
from kcode.tui.themes import DEFAULT_THEME, own_themes, repaint
from tests.tui.stage import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot
    from textual.screen import Screen

TEXTS = load_texts()
NARROW, BROAD = (80, 24), (150, 45)
NOTHING = object()


class Show(App[None]):
    """`result` is NOTHING until the screen has closed."""

    def __init__(self, screen: Screen[Any], theme: str = DEFAULT_THEME) -> None:
        super().__init__()
        for one in own_themes():
            self.register_theme(one)
        self.theme = theme
        self._shown = screen
        self.result: object = NOTHING

    def watch_theme(self) -> None:
        self.call_next(repaint, self)

    def on_mount(self) -> None:
        self.push_screen(self._shown, self._keep)

    def _keep(self, result: object) -> None:
        self.result = result

    def text(self) -> str:
        """What stands on the screen."""
        return shown(self)


@asynccontextmanager
async def showing(
    screen: Screen[Any], size: tuple[int, int] = NARROW, theme: str = DEFAULT_THEME
) -> AsyncIterator[tuple[Show, Pilot[None]]]:
    app = Show(screen, theme)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.screen is screen)
        yield app, pilot


async def until(pilot: Pilot[None], holds: Callable[[], bool], tries: int = 200) -> None:
    """Let the app work until that holds; fails with what is on the screen when it never does."""
    for _ in range(tries):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError(shown(pilot.app))


async def settled(pilot: Pilot[None]) -> None:
    """Let what the screen does in threads come to its end."""
    await until(pilot, lambda: all(worker.is_finished or worker.group == "ask" for worker in pilot.app.workers))
    await pilot.pause()
