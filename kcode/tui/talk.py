"""The conversation under way, in a thread of its own: whatever it waits for or computes, the screen goes on."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from kcode.errors import KcodeError
from kcode.events import (
    ContextCompacted,
    DraftChanged,
    Event,
    ReplyFinished,
    TestsFinished,
    TurnFinished,
    TurnStarted,
)
from kcode.workspace import current_branch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from concurrent.futures import Future

    from kcode.agent.accounting import Account
    from kcode.agent.workbench import Workbench
    from kcode.draft.review import Reviewed
    from kcode.messages import Message
    from kcode.questions import Ask, Question
    from kcode.results import TestReport

T = TypeVar("T")
# With so many events unread the stream is not read on: a screen that cannot keep up must not fill the memory.
_MOST_UNREAD = 5_000


@dataclass(frozen=True, slots=True)
class Opened:
    """The session is open: what was said in it so far, and what the user should know before they begin."""

    endpoint: str
    model: str
    branch: str
    session: str
    history: Sequence[Message | Event]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotOpened:
    """The session cannot be opened; nothing will be said in this thread."""

    error: KcodeError


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn ended without a TurnFinished: by an error, or None because the user interrupted it."""

    error: KcodeError | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What fills the window, and what the session took so far."""

    account: Account
    is_billed: bool


@dataclass(frozen=True, slots=True)
class DraftSeen:
    """The proposal as it stands, with its review; `tests` is the last run over the draft as it is, if there is one."""

    view: Reviewed
    tests: TestReport | None


@dataclass(frozen=True, slots=True)
class Rested:
    """No turn runs, and none waits."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """Something went wrong that nobody thought of; what was said and drafted is kept."""

    error: BaseException


News = Event | Opened | NotOpened | TurnFailed | Counted | DraftSeen | Rested | Crashed


@dataclass(frozen=True, slots=True)
class Said:
    """What the user said: `prompt` goes to the model, `words` are the user's own in it."""

    prompt: str
    words: str


class Talk:
    """Owns the workbench. Its methods are called from the screen's thread; news come back through `wake`.

    `wake` is called from the other thread when there are news after none were left; `take` hands them out.
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
        self._bench: Workbench | None = None
        self._next: deque[Said] = deque()
        self._turn: asyncio.Task[None] | None = None
        self._done, self._read = asyncio.Event(), asyncio.Event()

    # From the screen's thread.

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
        self._loop.call_soon_threadsafe(self._queue, Said(prompt, prompt if words is None else words))

    def steer(self, text: str) -> None:
        """Have the running turn take this in before its next request; a turn of its own where none runs."""
        self._loop.call_soon_threadsafe(self._steer, text)

    def interrupt(self) -> None:
        """End the running turn at once; what waits stays waiting for the user to say so."""
        self._loop.call_soon_threadsafe(self._interrupt)

    async def call(self, work: Callable[[Workbench], T]) -> T:
        """Run this with the workbench, between two events of the turn, and return its result."""

        async def run(bench: Workbench) -> T:
            done = work(bench)
            self._count(bench)
            return done

        return await self.run(run)

    async def run(self, work: Callable[[Workbench], Awaitable[T]]) -> T:
        """Run this with the workbench while the turn goes on, and return its result; cancelled, it is cancelled."""

        async def run() -> T:
            if self._bench is None:
                raise KcodeError("The session is not open.")
            return await work(self._bench)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._loop))

    async def take_back(self) -> str | None:
        """The last message that waits, which waits no more; None when none does."""

        async def pop(bench: Workbench) -> str | None:
            return self._next.pop().words if self._next else bench.waiting.take_back()

        return await self.run(pop)

    def compact(self, focus: str) -> None:
        """Have the conversation compacted, as a turn of its own."""
        self._loop.call_soon_threadsafe(self._compact, focus)

    def look_at_draft(self) -> None:
        """Have news of the draft as it is."""
        self._loop.call_soon_threadsafe(self._see_draft)

    def close(self, seconds: float) -> bool:
        """Interrupt what runs, close the session and end the thread; False when that takes longer than `seconds`."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join(seconds)
        return not self._thread.is_alive()

    # In the talk's own thread.

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = self._loop.create_task(self._serve())
        try:
            self._loop.run_until_complete(asyncio.wait([serving]))
            if (error := serving.exception()) is not None:
                self._tell(Crashed(error))
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            self._bench = self._open_bench()
            self._tell_opened(self._bench)
        except KcodeError as error:
            self._tell(NotOpened(error))
            await self._done.wait()
            return
        self._go_on()
        await self._done.wait()
        self._next.clear()
        self._bench.waiting.take()
        # The turn, and whatever a screen still waits for.
        others = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)
        await self._bench.aclose()

    def _tell_opened(self, bench: Workbench) -> None:
        from kcode.session.history import read_history  # noqa: PLC0415 - after the first paint

        self._tell(
            Opened(
                bench.provider.endpoint.title,
                bench.provider.model,
                current_branch(bench.workspace),
                bench.session.id,
                read_history(bench.session),
                (*bench.packed, *bench.warnings),
            )
        )
        self._count(bench)
        self._see_draft()

    def _tell(self, news: News) -> None:
        was_empty = not self._news
        self._news.append(news)
        if was_empty:
            self._wake()

    def _queue(self, said: Said) -> None:
        self._next.append(said)
        self._go_on()

    def _steer(self, text: str) -> None:
        if self._turn is None or self._bench is None:
            self._queue(Said(text, text))
        else:
            self._bench.waiting.put(text)

    def _go_on(self) -> None:
        if self._turn is None and self._next and self._bench is not None:
            self._turn = self._loop.create_task(self._take_turn(self._bench, self._next.popleft()))
            self._turn.add_done_callback(self._come_to_rest)

    def _come_to_rest(self, turn: asyncio.Task[None]) -> None:
        self._turn = None
        error = None if turn.cancelled() else turn.exception()
        if error is not None:
            self._tell(Crashed(error))
        # What the turn did not get to hear is what the next one is about.
        assert self._bench is not None  # a turn was taken
        for text in reversed(self._bench.waiting.take()):
            self._next.appendleft(Said(text, text))
        if self._next and not self._done.is_set():
            self._go_on()
        else:
            self._tell(Rested())

    def _interrupt(self) -> None:
        if self._turn is not None:
            self._turn.cancel()

    async def _take_turn(self, bench: Workbench, said: Said) -> None:
        from kcode.agent.reviewing import with_review_if_possible  # noqa: PLC0415 - after the first paint
        from kcode.agent.turn import run_turn  # noqa: PLC0415

        try:
            desk = replace(bench.desk, ask=self._asking())
            prompt = with_review_if_possible(bench, said.prompt)
            async with aclosing(run_turn(desk, prompt, said.words)) as events:
                async for event in events:
                    bench.record(event)
                    self._tell(event)
                    self._follow(bench, event)
                    if len(self._news) > _MOST_UNREAD:
                        self._read.clear()
                        await self._read.wait()
        except KcodeError as error:
            self._tell(TurnFailed(error))
        except asyncio.CancelledError:
            self._tell(TurnFailed(None))
        self._count(bench)
        self._see_draft()

    def _compact(self, focus: str) -> None:
        if self._turn is None and self._bench is not None:
            self._turn = self._loop.create_task(self._take_note(self._bench, focus))
            self._turn.add_done_callback(self._come_to_rest)

    async def _take_note(self, bench: Workbench, focus: str) -> None:
        from kcode.agent.compaction import Need, compact  # noqa: PLC0415 - after the first paint

        try:
            async with aclosing(compact(bench.desk, Need("you asked for it", focus=focus))) as events:
                async for event in events:
                    bench.record(event)
                    self._tell(event)
        except KcodeError as error:
            self._tell(TurnFailed(error))
        except asyncio.CancelledError:
            self._tell(TurnFailed(None))
        self._count(bench)

    def _follow(self, bench: Workbench, event: Event) -> None:
        match event:
            case ReplyFinished() | ContextCompacted() | TurnFinished() | TurnStarted():
                self._count(bench)
            case DraftChanged() | TestsFinished():
                self._see_draft()
            case _:
                pass

    def _count(self, bench: Workbench) -> None:
        self._tell(Counted(bench.account(), bench.provider.billing.is_billed))

    def _see_draft(self) -> None:
        from kcode.agent.reviewing import review_of  # noqa: PLC0415 - after the first paint

        bench = self._bench
        if bench is None or not bench.view.is_open:
            return
        try:
            view = review_of(bench).look()
        except KcodeError:
            return  # whatever it is, it is said where the user asks for the draft
        self._tell(DraftSeen(view, bench.fresh_tests()))

    def _asking(self) -> Ask:
        async def ask(question: Question) -> str | None:
            return await asyncio.wrap_future(self._ask(question))

        return ask
