"""Run a coroutine so that Ctrl-C, SIGTERM and SIGHUP all leave by the same way: cancelled, cleaned up, then out."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

from kcode.streams import let_go_of_unread

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import FrameType

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_signal(work: Coroutine[object, object, T], runner: asyncio.Runner | None = None) -> T:
    """Run the work to its end and return its result.

    Raises KeyboardInterrupt after Ctrl-C and SystemExit(128 + n) after the signal n, both once the work has cleaned up.
    A second Ctrl-C does not wait for that.
    """
    if runner is None:
        with asyncio.Runner() as own:
            return run_until_signal(work, own)
    received: list[int] = []

    async def guarded() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # this is a coroutine that a runner runs

        def stop(number: int, _frame: FrameType | None) -> None:
            # Not through the loop, which does not get its turn while a write waits for a reader.
            if number == signal.SIGINT and number in received:
                raise KeyboardInterrupt
            received.append(number)
            let_go_of_unread()
            task.cancel()
            loop.call_soon_threadsafe(lambda: None)  # wakes it

        former = {number: signal.getsignal(number) for number in _SIGNALS}
        # Whoever started kcode with nohup wants it to outlive the terminal.
        heard = [number for number, handler in former.items() if handler is not signal.SIG_IGN]
        for number in heard:
            signal.signal(number, stop)
        try:
            return await work
        finally:
            for number in heard:
                signal.signal(number, former[number])

    try:
        result = runner.run(guarded())
    except asyncio.CancelledError:
        if not received:
            raise SystemExit(1) from None
    else:
        # Work that heard of the signal only at its end has gone to its end, but its words may be lost.
        if not received:
            return result
    raise KeyboardInterrupt if signal.SIGINT in received else SystemExit(128 + received[0])
