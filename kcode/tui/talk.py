"""The conversation under way, in a thread of its own: whatever it waits for or computes, the screen goes on."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from kcode.errors import KcodeError
from kcode.tui.loopthread import LoopThread
from kcode.tui.news import Crashed, NotOpened, Remembered
from kcode.tui.turns import Said, Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from concurrent.futures import Future

    from kcode.agent.workbench import Workbench
    from kcode.events import Event
    from kcode.messages import Message
    from kcode.questions import Question
    from kcode.tui.news import News

T = TypeVar("T")
_CLOSED = "This session is closed. Leave, and go on with it by kcode -c."
# With so many news unread the stream is not read on: a screen that cannot keep up must not fill the memory.
_MOST_UNREAD = 5_000


class Talk:
    """Its methods are called from the screen's thread; everything about the session happens in the other one.

    What `remember` returns of an earlier session is told before that is opened, which takes longer.
    `wake` is called from that thread when there are news after none were left; `take` hands them out. `ask` is called
    there as well.
    """

    def __init__(
        self,
        open_bench: Callable[[], Workbench],
        wake: Callable[[], None],
        ask: Callable[[Question], Future[str | None]],
        remember: Callable[[], Sequence[Message | Event]] | None = None,
    ) -> None:
        self._open_bench, self._wake, self._ask, self._remember = open_bench, wake, ask, remember
        self._news: deque[News] = deque()
        self._thread = LoopThread("kcode talk", self._serve, lambda error: self._tell(Crashed(error)), _CLOSED)
        self._turns: Turns | None = None
        self._early: list[Callable[[Turns], None]] = []
        self._done, self._read = asyncio.Event(), asyncio.Event()

    def start(self) -> None:
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the session is open, or on its way."""
        return self._thread.is_alive

    def take(self) -> list[News]:
        """The news since the last time, in order."""
        taken: list[News] = []
        while self._news:
            taken.append(self._news.popleft())
        if len(taken) > _MOST_UNREAD:
            self._thread.post(self._read.set)
        return taken

    def have(self, act: Callable[[Turns], None]) -> None:
        """Have this done with the turns; what comes before the session is open is done once it is."""

        def do() -> None:
            if self._turns is None:
                self._early.append(act)
            else:
                act(self._turns)

        self._thread.post(do)

    def say(self, prompt: str, words: str | None = None) -> None:
        """Have a turn about this; behind those that wait, if one runs."""
        said = Said(prompt, prompt if words is None else words)
        self.have(lambda turns: turns.say(said))

    def steer(self, words: str) -> None:
        """Have the running turn take this in before its next request; a turn of its own where none runs."""
        self.have(lambda turns: turns.steer(words))

    def interrupt(self) -> None:
        """End the running turn at once."""
        self.have(Turns.interrupt)

    def look_at_draft(self) -> None:
        """Have news of the draft as it is."""
        self.have(Turns.see_draft)

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

        return await self._thread.call(run)

    def close(self, seconds: float) -> bool:
        """Interrupt what runs, close the session and end the thread; False when that takes longer than `seconds`."""
        self._thread.post(self._done.set)
        return self._thread.join(seconds)

    # In the other thread.

    @property
    def _opened(self) -> Turns:
        if self._turns is None:
            raise KcodeError("The session is not open yet.")
        return self._turns

    async def _with(self, work: Callable[[Turns], T]) -> T:
        async def run() -> T:
            return work(self._opened)

        return await self._thread.call(run)

    async def _serve(self) -> None:
        try:
            if self._remember is not None:
                self._tell(Remembered(self._remember()))
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
            await self._thread.cancel_others()
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
