"""Looks at a scene in every theme and at both sizes, without opening it anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kcode.tui.palette import ANSI, BLIND, DARK, LIGHT
from tests.tui.snapshots.scenes import SCENES
from tests.tui.snapshots.staging import BROAD, DEADLINE, NARROW, until
from tests.tui.stage import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.strip import Strip

THEMES = (DARK.name, LIGHT.name, ANSI.name)
MORE_THEMES = (*THEMES, BLIND.name)
# A screen that is the same after so many looks in a row has come to rest.
_SAME = 3


@dataclass(frozen=True)
class View:
    """What is seen of a scene in one theme at one size."""

    size: tuple[int, int]
    theme: str
    strips: Sequence[Strip]


def look_at(name: str, folder: Path, themes: Sequence[str] = THEMES) -> list[View]:
    async def look() -> list[View]:
        views: list[View] = []
        async with SCENES[name](folder) as pilot:
            for size in (BROAD, NARROW):
                if pilot.app.size != size:
                    await pilot.resize_terminal(*size)
                for theme in themes:
                    pilot.app.theme = theme
                    views.append(View(size, theme, await at_rest(pilot)))
        return views

    return asyncio.run(look())


async def at_rest(pilot: Pilot[Any]) -> Sequence[Strip]:
    """What is on the screen once nothing moves any more."""
    app = pilot.app
    for screen in (*app._background_screens, app.screen):
        await until(lambda screen=screen: screen.size == app.size, pilot)  # type: ignore[misc] # the screen of this round
        is_drawn = asyncio.Event()
        app.call_later(screen.call_after_refresh, is_drawn.set)
        await asyncio.wait_for(is_drawn.wait(), DEADLINE)
    await pilot.pause()
    seen: list[Sequence[Strip]] = []
    end = asyncio.get_running_loop().time() + DEADLINE
    while len(seen) < _SAME or any(one != seen[-1] for one in seen[-_SAME:]):
        await asyncio.sleep(0.005)
        assert asyncio.get_running_loop().time() < end, shown(app)
        # A screen that stands over another one keeps a picture of it.
        app.screen.refresh()
        seen.append(app.screen._compositor.render_strips(app.size))
    return seen[-1]
