"""A run of the tests in a thread of its own: setting one up reads and writes files, which the screen must not wait for."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from kcode.results import TestReport


class BackgroundTests:
    """One run; `run` is for a worker thread, `cancel` may be called from any."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, TestReport]]) -> None:
        self._work = work
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[TestReport]] | None = None
        self._is_cancelled = False

    def run(self) -> TestReport | None:
        """Run the tests to their end; None when they were cancelled. Raises what running them raises."""
        try:
            return asyncio.run(self._watched())
        except asyncio.CancelledError:
            return None

    async def _watched(self) -> TestReport:
        task = asyncio.create_task(self._work())
        self._running = asyncio.get_running_loop(), task
        if self._is_cancelled:
            task.cancel()
        try:
            return await task
        finally:
            self._running = None

    def cancel(self) -> None:
        """End the run and what it started; nothing happens when it has ended."""
        self._is_cancelled = True
        running = self._running
        if running is not None:
            loop, task = running
            with suppress(RuntimeError):  # it ended just now
                loop.call_soon_threadsafe(task.cancel)
