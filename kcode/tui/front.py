"""The conversation screen as slash commands see it."""

from __future__ import annotations

import os
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from kcode.tui.clipboard import copy_sequence
from kcode.tui.stepping import step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from kcode.agent.checkup import Finding
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Shown, Tone, Work
    from kcode.tui.screens.conversation import ConversationScreen
    from kcode.tui.stepping import Way

T = TypeVar("T")


class ScreenFront:
    """Implements kcode.commands.front.Front."""

    def __init__(self, screen: ConversationScreen) -> None:
        self._screen = screen

    async def call(self, work: Callable[[Workbench], T]) -> T:
        return await self._screen.kcode.talk.call(work)

    async def run(self, work: Callable[[Workbench], Awaitable[T]]) -> T:
        return await self._screen.kcode.talk.run(work)

    def tell(self, text: str, tone: Tone = "info") -> None:
        self._screen.tell(text, tone)

    def text(self, key: str, **values: object) -> str:
        return self._screen.texts(key, **values)

    def open(self, which: Shown) -> None:
        self._screen.action_open(which)

    def say(self, prompt: str, words: str) -> None:
        self._screen.say(words, prompt)

    async def choose(
        self,
        question: str,
        choices: Sequence[str],
        current: str,
        *,
        other: bool = False,
        are_themes: bool = False,
    ) -> str | None:
        app = self._screen.kcode

        def show(name: str) -> None:
            if are_themes:
                app.show_theme(name)

        picks = await self._screen.picks()
        picked = await picks.pick(question, choices, current, other=other, tried=show)
        if picked is None:
            show(current)
        return picked

    def has_turn(self) -> bool:
        return self._screen.running

    def copy(self, text: str) -> None:
        sequence = copy_sequence(text, os.environ)
        if sequence is None:
            self.tell(self.text("app.too_large_to_copy"), "warning")
        else:
            self._screen.kcode.write_sequence(sequence)

    def last_answer(self) -> str:
        from kcode.tui.blocks import AnswerBlock  # noqa: PLC0415 - after the first paint

        blocks = reversed(self._screen.transcript.stack.blocks)
        return next((block.source for block in blocks if isinstance(block, AnswerBlock)), "")

    def begin(self, what: Work, words: str) -> None:
        self._screen.running = True
        if what == "compact":
            self._screen.kcode.talk.have(lambda turns: turns.compact(words))
        else:
            self._screen.kcode.talk.have(lambda turns: turns.run_tests(words))

    def show_patch(self, patch: str) -> None:
        self._screen.transcript.show_patch(patch)

    def themes(self) -> tuple[str, ...]:
        names = self._screen.kcode.available_themes
        return tuple(sorted(names, key=lambda name: (not name.startswith("kcode-"), name)))

    def preference(self, name: str) -> object:
        return getattr(self._screen.kcode.preferences, name)

    async def set_preference(self, name: str, value: str) -> None:
        await self._screen.kcode.set_preference(name, value)

    async def resume(self, session: str | None) -> None:
        self._screen.kcode.change_session(session)

    async def step(self, way: Way, what: str) -> None:
        await step(self._screen, way, what)

    async def examine(self) -> list[Finding]:
        from kcode.agent.checkup import examine_place  # noqa: PLC0415 - needed by few sessions

        start = self._screen.kcode.start

        async def examine(_: Workbench) -> list[Finding]:
            async with aclosing(examine_place(start.model, start.place)) as findings:
                return [finding async for finding in findings]

        return await self.run(examine)

    def leave(self) -> None:
        self._screen.kcode.leave()
