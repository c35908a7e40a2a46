"""An event loop in a thread of its own, which another loop can have work done in."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kcode.errors import KcodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Awaited(Generic[T]):
    """What somebody waits for in `loop`, and is told from another thread."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[T]

    def settle(self, set_it: Callable[[asyncio.Future[T]], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(lambda: None if self.future.done() else set_it(self.future))


class LoopThread:
    """Runs `serve` until it returns, and beside it what is asked for.

    `closed` is what those are told who ask too late, or whose work the end cut off. `crashed` is called in the thread with
    what `serve` raised.
    """

    # Not `asyncio.run_coroutine_threadsafe`: where the loop stops before it has begun, its coroutine is never awaited and
    # its future never answered; and where one of both loops is closed, cancelling prints a traceback.

    def __init__(
        self,
        name: str,
        serve: Callable[[], Coroutine[Any, Any, None]],
        crashed: Callable[[BaseException], None],
        closed: str,
    ) -> None:
        self._serve, self._crashed, self._closed = serve, crashed, closed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._lock = threading.Lock()
        self._is_over = False
        self._awaited: set[_Awaited[Any]] = set()

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether that came, or it was never started."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def post(self, act: Callable[[], object]) -> None:
        """Have this called there soon; after the end nothing is."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act)

    async def call(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Await this there; cancelled here, it is cancelled there. KcodeError where the end comes before it is done."""
        here = asyncio.get_running_loop()
        awaited: _Awaited[T] = _Awaited(here, here.create_future())
        with self._lock:
            if self._is_over or not self._thread.is_alive():
                raise KcodeError(self._closed)
            self._awaited.add(awaited)
        tasks: list[asyncio.Task[T]] = []
        self.post(lambda: tasks.extend(self._begin(work, awaited)))
        try:
            return await awaited.future
        except asyncio.CancelledError:
            self.post(lambda: [task.cancel() for task in tasks])
            raise

    # In the thread.

    async def cancel_others(self) -> None:
        """Take nothing on any more, and wait for what was asked for to end by being cancelled."""
        with self._lock:
            self._is_over = True
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    def _begin(self, work: Callable[[], Coroutine[Any, Any, T]], awaited: _Awaited[T]) -> list[asyncio.Task[T]]:
        if self._is_over:
            return []
        task = self._loop.create_task(work())
        task.add_done_callback(lambda done: self._settle(awaited, done))
        return [task]

    def _settle(self, awaited: _Awaited[T], done: asyncio.Task[T]) -> None:
        with self._lock:
            self._awaited.discard(awaited)
        error = KcodeError(self._closed) if done.cancelled() else done.exception()
        if error is None:
            awaited.settle(lambda future: future.set_result(done.result()))
        else:
            awaited.settle(lambda future: future.set_exception(error))

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        # Not as the work of `run_until_complete`, which would raise what went wrong in the middle of a thread.
        serving = self._loop.create_task(self._serve())
        serving.add_done_callback(lambda _: self._loop.stop())
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self.cancel_others())
            if (error := serving.exception()) is not None:
                self._crashed(error)
        finally:
            self._loop.close()
            self._give_up()

    def _give_up(self) -> None:
        """Tell all who still wait that nothing comes."""
        with self._lock:
            self._is_over = True
            left, self._awaited = self._awaited, set()
        for awaited in left:
            awaited.settle(lambda future: future.set_exception(KcodeError(self._closed)))
