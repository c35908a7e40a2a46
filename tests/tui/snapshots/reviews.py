"""The review in its states."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from kcode.tui.screens.review import ReviewScreen
from tests.tui.happenings import TEXTS
from tests.tui.reviewing import desk_of
from tests.tui.screens.show import Show
from tests.tui.snapshots.project import (
    propose_in_demo,
)
from tests.tui.snapshots.staging import BROAD, scene, see, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from textual.pilot import Pilot

    Opening = Callable[["Path"], AbstractAsyncContextManager["Pilot[Any]"]]


@asynccontextmanager
async def reviewing(folder: Path) -> AsyncIterator[tuple[ReviewScreen, Pilot[Any]]]:
    screen = ReviewScreen(desk_of(propose_in_demo(folder)), TEXTS, grace=0.0)
    async with Show(screen).run_test(size=BROAD) as pilot:
        await see(pilot, "decided 0 of")
        await until(lambda: not screen.is_studying, pilot)
        yield screen, pilot


@scene
async def review(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with reviewing(folder) as (_, pilot):
        await pilot.press("a")
        yield pilot


@scene
async def review_side_by_side(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with reviewing(folder) as (_, pilot):
        await pilot.press("v")
        yield pilot


@scene
async def review_why(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with reviewing(folder) as (_, pilot):
        await pilot.press("w")
        await see(pilot, "There it is")
        yield pilot


@scene
async def review_comment(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with reviewing(folder) as (screen, pilot):
        await pilot.press("j", "c")
        screen._box.put("a credit note has a negative amount: does that hold?")
        await see(pilot, "does that hold")
        yield pilot


@scene
async def review_summary(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with reviewing(folder) as (_, pilot):
        await pilot.press("a", "x", "a", "enter")
        await see(pilot, TEXTS("review.apply_title"))
        yield pilot


@scene
async def review_keys(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with reviewing(folder) as (_, pilot):
        await pilot.press("question_mark")
        yield pilot
