"""The conversation under way, in a thread of its own: whatever it waits for or computes, the screen goes on."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from kcode.errors import KcodeError
from kcode.tui.news import Crashed, NotOpened
from kcode.tui.turns import Said, Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Future

    from kcode.agent.workbench import Workbench
    from kcode.questions import Question
    from kcode.tui.news import News

T = TypeVar("T")
# With so many news unread the stream is not read on: a screen that cannot keep up must not fill the memory.
_MOST_UNREAD = 5_000


class Talk:
    """Its methods are called from the screen's thread; everything about the session happens in the other one.

    `wake` is called from that thread when there are news after none were left; `take` hands them out. `ask` is called
    there as well.
    """

    def __init__(
        self,
        open_bench: Callable[[], Workbench],
        wake: Callable[[], None],
        ask: Callable[[Question], Future[str | None]],
    ) -> None:
        self._open_bench, self._wake, self._ask = open_bench, wake, ask
        self._news: deque[News] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="kcode talk", daemon=True)
        self._turns: Turns | None = None
        self._early: list[Callable[[Turns], None]] = []
        self._done, self._read = asyncio.Event(), asyncio.Event()

    def start(self) -> None:
        self._thread.start()

    def take(self) -> list[News]:
        """The news since the last time, in order."""
        taken: list[News] = []
        while self._news:
            taken.append(self._news.popleft())
        if len(taken) > _MOST_UNREAD:
            self._loop.call_soon_threadsafe(self._read.set)
        return taken

    def say(self, prompt: str, words: str | None = None) -> None:
        """Have a turn about this; behind those that wait, if one runs."""
        said = Said(prompt, prompt if words is None else words)
        self._have(lambda turns: turns.say(said))

    def steer(self, words: str) -> None:
        """Have the running turn take this in before its next request; a turn of its own where none runs."""
        self._have(lambda turns: turns.steer(words))

    def compact(self, focus: str) -> None:
        """Have the conversation compacted, as a turn of its own."""
        self._have(lambda turns: turns.compact(focus))

    def interrupt(self) -> None:
        """End the running turn at once."""
        self._have(Turns.interrupt)

    def look_at_draft(self) -> None:
        """Have news of the draft as it is."""
        self._have(Turns.see_draft)

    async def take_back(self) -> str | None:
        """The last message that waits, which waits no more; None when none does."""
        return await self._with(Turns.take_back)

    async def call(self, work: Callable[[Workbench], T]) -> T:
        """Run this with the workbench, between two events of the turn, and return its result."""

        def run(turns: Turns) -> T:
            done = work(turns.bench)
            turns.count()
            return done

        return await self._with(run)

    async def run(self, work: Callable[[Workbench], Awaitable[T]]) -> T:
        """Run this with the workbench while the turn goes on, and return its result; cancelled, it is cancelled."""

        async def run() -> T:
            return await work(self._opened.bench)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._loop))

    def close(self, seconds: float) -> bool:
        """Interrupt what runs, close the session and end the thread; False when that takes longer than `seconds`."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join(seconds)
        return not self._thread.is_alive()

    # In the other thread.

    @property
    def _opened(self) -> Turns:
        if self._turns is None:
            raise KcodeError("The session is not open yet.")
        return self._turns

    def _have(self, act: Callable[[Turns], None]) -> None:
        """Have this done there; what comes before the session is open is done once it is."""

        def do() -> None:
            if self._turns is None:
                self._early.append(act)
            else:
                act(self._turns)

        self._loop.call_soon_threadsafe(do)

    async def _with(self, work: Callable[[Turns], T]) -> T:
        async def run() -> T:
            return work(self._opened)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._loop))

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def outlive() -> None:
            """Serve, and tell of what nobody thought of."""
            serving = asyncio.create_task(self._serve(spared=asyncio.current_task()))
            await asyncio.wait([serving])
            if (error := serving.exception()) is not None:
                self._tell(Crashed(error))

        try:
            self._loop.run_until_complete(outlive())
        finally:
            self._loop.close()

    async def _serve(self, spared: asyncio.Task[None] | None) -> None:
        try:
            bench = self._open_bench()
        except KcodeError as error:
            self._tell(NotOpened(error))
            await self._done.wait()
            return
        try:
            self._turns = Turns(bench, self._answer, self._tell, self._keep_pace)
            self._turns.tell_opened()
            for act in self._early:
                act(self._turns)
            await self._done.wait()
            self._turns.give_up()
            # The turn, and whatever a screen still waits for.
            others = asyncio.all_tasks(self._loop) - {asyncio.current_task(), spared}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others)
        finally:
            await bench.aclose()

    def _tell(self, news: News) -> None:
        was_empty = not self._news
        self._news.append(news)
        if was_empty:
            self._wake()

    async def _keep_pace(self) -> None:
        if len(self._news) > _MOST_UNREAD:
            self._read.clear()
            await self._read.wait()

    async def _answer(self, question: Question) -> str | None:
        return await asyncio.wrap_future(self._ask(question))
