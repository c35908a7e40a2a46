"""The whole interface in this process, over a real repository and a scripted server: driven by keys, read off the screen."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from kcode.agent.place import open_place
from kcode.options import ModelOptions, PlaceOptions
from kcode.tui.app import KcodeApp, Start
from kcode.tui.keys import teach_keys
from kcode.tui.preferences import Preferences
from kcode.tui.texts import load_texts
from kcode.tui.widgets.composer import Composer
from tests.tui.stage import shown
from tests.tui.tmux import place_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import pytest
    from textual.pilot import Pilot

    from tests.program import Program

DEADLINE = 30.0


class Recording(KcodeApp):
    """`written` is what went to the terminal beside the screen itself."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.written = ""

    def write_sequence(self, sequence: str) -> None:
        self.written += sequence
        super().write_sequence(sequence)


class Living:
    """A person at the interface: what they see, and what they press."""

    def __init__(self, app: Recording, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        return shown(self.app)

    @property
    def said(self) -> str:
        """All of the conversation."""
        return self.app.conversation.transcript.as_text()

    async def until(self, ready: Callable[[], Any]) -> None:
        """Wait for the condition; the test fails with what is on the screen when it never comes."""
        loop = asyncio.get_running_loop()
        end = loop.time() + DEADLINE
        while not ready():
            assert loop.time() < end, f"{self.app.screen} {self.app.focused}\n{self.text}\n\n{self.said}"
            await asyncio.sleep(0.01)

    async def see(self, *words: str) -> None:
        """Wait until all of these words are on the screen."""
        await self.until(lambda: all(word in self.text for word in words))

    async def hear(self, *words: str) -> None:
        """Wait until all of these words stand in the conversation."""
        await self.until(lambda: all(word in self.said for word in words))

    async def rest(self) -> None:
        """Wait until no turn runs."""
        await self.until(lambda: not self.app.conversation.running)

    async def press(self, *keys: str) -> None:
        """Press keys, without the waiting of Pilot's own."""
        await self.pilot._wait_for_screen()
        await self.app._press_keys(keys)
        await asyncio.sleep(0)

    async def click(self, words: str) -> None:
        """Click on the first place that shows this."""
        await self.see(words)
        place = place_in(self.text, words)
        assert place is not None
        assert await self.pilot.click(offset=place)

    async def review(self, decided: str) -> None:
        """Open the review by its key, and wait until it takes keys for its own."""
        await self.press("f2")
        await self.see(decided, "esc back")

    @property
    def composer(self) -> Composer:
        return self.app.conversation.query_one(Composer)

    async def send(self, text: str) -> None:
        """Write this into the composer and press Enter."""
        self.composer.focus()
        self.composer.replace(text, *self.composer.selection, maintain_selection_offset=False)
        # A list that opens at the text would take the first Enter for itself.
        self.composer.action_send() if text.startswith("/") else await self.press("enter")


def enter_environment(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process's environment the program's."""
    for name in list(os.environ):
        if name.startswith(("KCODE_", "XDG_", "MOONSHOT_", "OPENROUTER_", "TMUX")) or name in {"NO_COLOR", "TERM"}:
            monkeypatch.delenv(name)
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@asynccontextmanager
async def living(
    program: Program,
    *,
    resume: str | None = None,
    prompt: str = "",
    preferences: Preferences | None = None,
    size: tuple[int, int] = (110, 40),
) -> AsyncIterator[Living]:
    """The interface in the program's repository; `enter_environment` comes first."""
    options = PlaceOptions(program.repository)
    start = Start(ModelOptions(), options, open_place(options), prompt, resume)
    teach_keys()
    app = Recording(start, preferences or Preferences(), load_texts())
    async with app.run_test(size=size, notifications=True) as pilot:
        try:
            yield Living(app, pilot)
        finally:
            app.end()
