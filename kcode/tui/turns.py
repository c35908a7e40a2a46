"""The turns of a session, one after the other, and the news of them. Lives in the talk's own thread."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.errors import KcodeError
from kcode.events import (
    ContextCompacted,
    DraftChanged,
    ReplyFinished,
    TestsFinished,
    ToolCallFinished,
    TurnFinished,
    TurnStarted,
)
from kcode.tui.news import CommandBegun, Counted, Crashed, DraftSeen, Opened, Rested, TurnFailed
from kcode.workspace import current_branch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from kcode.agent.workbench import Workbench
    from kcode.events import Event
    from kcode.questions import Ask
    from kcode.tui.news import News


@dataclass(frozen=True, slots=True)
class Said:
    """What the user said: `prompt` goes to the model, `words` are the user's own in it."""

    prompt: str
    words: str


@dataclass(frozen=True, slots=True)
class Own:
    """A command that the user runs over the draft."""

    command: str

    @property
    def words(self) -> str:
        """As the user typed it."""
        return f"!{self.command}"


class Turns:
    """`tell` gets each piece of news; `keep_pace` is awaited after each, so that a slow screen slows the stream."""

    def __init__(
        self, bench: Workbench, ask: Ask, tell: Callable[[News], None], keep_pace: Callable[[], Awaitable[None]]
    ) -> None:
        self.bench = bench
        self._ask, self._tell, self._keep_pace = ask, tell, keep_pace
        self._next: deque[Said | Own] = deque()
        self._running: asyncio.Task[None] | None = None

    def tell_opened(self) -> None:
        """Say what the session is, and how it stands."""
        bench = self.bench
        self._tell(
            Opened(
                bench.provider.endpoint.title,
                bench.provider.model,
                current_branch(bench.workspace),
                bench.session.id,
                (*bench.packed, *bench.warnings),
            )
        )
        self.count()
        self.see_draft()

    def say(self, said: Said) -> None:
        """Have a turn about this; behind those that wait, if one runs."""
        self._next.append(said)
        self._go_on()

    def steer(self, words: str) -> None:
        """Have the running turn take this in before its next request; a turn of its own where none runs."""
        if self._running is None:
            self.say(Said(words, words))
        else:
            self.bench.waiting.put(words)

    def compact(self, focus: str) -> None:
        """Have the conversation compacted, unless a turn runs."""
        if self._running is None:
            self._run(self._take_note(focus))

    def run_command(self, command: str) -> None:
        """Have the user's own command run; behind the turn and what waits already, if one runs."""
        self._next.append(Own(command))
        self._go_on()

    def run_tests(self, target: str) -> None:
        """Have the tests run, unless a turn runs."""
        from kcode.agent.owncommands import run_own_tests  # noqa: PLC0415 - needed by few sessions

        if self._running is None:
            self._run(self._watch(run_own_tests(self.bench, target)))

    def interrupt(self) -> None:
        """End the running turn at once."""
        if self._running is not None:
            self._running.cancel()

    def take_back(self) -> str | None:
        """The last message that waits, which waits no more; None when none does."""
        return self._next.pop().words if self._next else self.bench.waiting.take_back()

    def give_up(self) -> None:
        """Have nothing follow on what runs."""
        self._next.clear()
        self.bench.waiting.take()

    def count(self) -> None:
        """Have news of what fills the window and what was spent."""
        bench = self.bench
        self._tell(Counted(bench.account(by_layers=False), bench.provider.billing.is_billed, bench.view.is_confined))

    def see_draft(self) -> None:
        """Have news of the draft as it is."""
        from kcode.agent.reviewing import review_of  # noqa: PLC0415 - after the first paint
        from kcode.draft.provenance import last_run  # noqa: PLC0415

        if not self.bench.view.is_open:
            return
        try:
            view = review_of(self.bench).look()
        except KcodeError:
            return  # whatever it is, it is said where the user asks for the draft
        # As the review knows it too, also of an earlier process.
        self._tell(DraftSeen(view, last_run(self.bench.view.draft.versions.records())))

    def _go_on(self) -> None:
        if self._running is not None or not self._next:
            return
        match self._next.popleft():
            case Own() as own:
                from kcode.agent.owncommands import run_own_command  # noqa: PLC0415 - needed by few sessions

                self._tell(CommandBegun(own.words))
                self._run(self._watch(run_own_command(self.bench, own.command)))
            case Said() as said:
                self._run(self._take_turn(said))

    def _run(self, work: Awaitable[None]) -> None:
        self._running = asyncio.ensure_future(work)
        self._running.add_done_callback(self._come_to_rest)

    def _come_to_rest(self, done: asyncio.Task[None]) -> None:
        self._running = None
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self._tell(Crashed(error))
        # What the turn did not get to hear is what the next one is about.
        self._next.extendleft(Said(words, words) for words in reversed(self.bench.waiting.take()))
        if self._next:
            self._go_on()
        else:
            self._tell(Rested())

    async def _take_turn(self, said: Said) -> None:
        from kcode.agent.reviewing import with_review_if_possible  # noqa: PLC0415 - after the first paint
        from kcode.agent.turn import run_turn  # noqa: PLC0415

        desk = replace(self.bench.desk, ask=self._ask)
        prompt = with_review_if_possible(self.bench, said.prompt)
        await self._follow(run_turn(desk, prompt, said.words))
        self.see_draft()

    async def _take_note(self, focus: str) -> None:
        from kcode.agent.compaction import Need, compact  # noqa: PLC0415 - after the first paint

        await self._follow(compact(self.bench.desk, Need("you asked for it", focus=focus)))

    async def _watch(self, events: AsyncGenerator[Event, None]) -> None:
        """Pass on what comes of something of the user's own; the log has it as a message."""
        await self._follow(events, is_logged=False)
        self.see_draft()

    async def _follow(self, events: AsyncGenerator[Event, None], *, is_logged: bool = True) -> None:
        """Pass the events on, to the log as well, and end with how the conversation stands."""
        try:
            async with aclosing(events) as following:
                async for event in following:
                    if is_logged:
                        self.bench.record(event)
                    self._tell(event)
                    match event:
                        case ReplyFinished() | ToolCallFinished() | ContextCompacted() | TurnFinished() | TurnStarted():
                            self.count()
                        case DraftChanged() | TestsFinished():
                            self.see_draft()
                        case _:
                            pass
                    await self._keep_pace()
        except KcodeError as error:
            self._tell(TurnFailed(error))
        except asyncio.CancelledError:
            self._tell(TurnFailed(None))
        self.count()
