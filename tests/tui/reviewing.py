"""A review screen over a real proposal, for the tests that walk through it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from textual.app import App

from kcode.agent.place import open_place
from kcode.agent.reviewing import PendingReview
from kcode.draft.pending import Pending
from kcode.tui.pendingdesk import PendingDesk
from kcode.tui.screens.review import ReviewScreen
from kcode.tui.texts import load_texts
from kcode.tui.themes import DEFAULT_THEME, own_themes
from tests.tui.stage import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from textual.pilot import Pilot

    from kcode.tui.reviewdesk import ReviewDesk
    from kcode.tui.screens.reviewlooking import ReviewOutcome
    from tests.headless.proposals import Proposed

DEADLINE = 30.0


class ReviewStage(App[None]):
    """An app with the review screen and nothing else; `left` is what the screen gave when it was left."""

    def __init__(self, screen: ReviewScreen, theme: str = DEFAULT_THEME) -> None:
        super().__init__()
        for one in own_themes():
            self.register_theme(one)
        self.theme = theme
        self._first = screen
        self.left: list[ReviewOutcome | None] = []

    def on_mount(self) -> None:
        self.push_screen(self._first, self.left.append)


class Walk:
    """A person at the screen: what they see, and what they press and click."""

    def __init__(self, app: ReviewStage, screen: ReviewScreen, pilot: Pilot[None]) -> None:
        self.app, self.screen, self.pilot = app, screen, pilot

    @property
    def text(self) -> str:
        return shown(self.app)

    async def until(self, ready: Callable[[], Any]) -> None:
        """Wait for the condition; the test fails with what is on the screen when it never comes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + DEADLINE
        while not ready():
            assert loop.time() < end, self.text
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def see(self, *words: str) -> None:
        """Wait until all of these words are on the screen."""
        await self.until(lambda: all(word in self.text for word in words))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def click(self, words: str, number: int = 0) -> None:
        """Click in the middle of the n-th place where these words stand."""
        places = [
            (line.index(words) + len(words) // 2, y) for y, line in enumerate(self.text.split("\n")) if words in line
        ]
        assert len(places) > number, self.text
        await self.pilot.click(offset=places[number])

    def write(self, text: str) -> None:
        """Have written this in the open box."""
        self.screen._box.put(text)


@asynccontextmanager
async def walking(desk: ReviewDesk, size: tuple[int, int] = (110, 40), **options: Any) -> AsyncIterator[Walk]:
    screen = ReviewScreen(desk, load_texts(), **{"grace": 0.0} | options)
    app = ReviewStage(screen)
    async with app.run_test(size=size) as pilot:
        walk = Walk(app, screen, pilot)
        await walk.until(lambda: screen.state is not None and not screen.is_studying)
        yield walk


def desk_of(proposed: Proposed) -> PendingDesk:
    """The desk as a later process has it."""
    return PendingDesk(proposed.review(), open_place(proposed.place), proposed.place)


def live_desk_of(proposed: Proposed) -> PendingDesk:
    """The desk over the very draft that the model works in."""
    place = open_place(proposed.place)
    pending = Pending(place.workspace, proposed.draft, place.journal, proposed.session.id)
    return PendingDesk(PendingReview(pending, proposed.session), place, proposed.place)
