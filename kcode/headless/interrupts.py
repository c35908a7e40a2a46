"""Run a coroutine so that Ctrl-C, SIGTERM and SIGHUP all leave by the same way: cancelled, cleaned up, then out."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def run_until_signal(work: Coroutine[object, object, T], runner: asyncio.Runner | None = None) -> T:
    """Run the work to its end and return its result.

    Raises KeyboardInterrupt after Ctrl-C and SystemExit(128 + n) after the signal n, both once the work has cleaned up.
    """
    if runner is None:
        with asyncio.Runner() as own:
            return run_until_signal(work, own)
    received: list[int] = []

    async def guarded() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # this is a coroutine that a runner runs

        def stop(number: int) -> None:
            received.append(number)
            task.cancel()

        former = {number: signal.getsignal(number) for number in _SIGNALS}
        # Whoever started kcode with nohup wants it to outlive the terminal.
        heard = [number for number, handler in former.items() if handler is not signal.SIG_IGN]
        for number in heard:
            loop.add_signal_handler(number, stop, number)
        try:
            return await work
        finally:
            for number in heard:
                loop.remove_signal_handler(number)
                signal.signal(number, former[number])

    try:
        return runner.run(guarded())
    except asyncio.CancelledError:
        raise SystemExit(128 + received[0] if received else 1) from None
