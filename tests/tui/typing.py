"""A stage with a composer on it, over a small project."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.widgets import Static

from kcode.tui.completing import CommandHelp, SymbolPlace
from kcode.tui.history import InputHistory, Unsent
from kcode.tui.keys import teach_keys
from kcode.tui.texts import load_texts
from kcode.tui.themes import DEFAULT_THEME
from kcode.tui.widgets.completion import Completion
from kcode.tui.widgets.composer import Composer
from tests.tui.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from textual.message import Message
    from textual.pilot import Pilot

    from kcode.tui.vim import Mode

FILES = [
    "billing/invoice.py",
    "billing/money.py",
    "docs/my notes.md",
    "docs/odd).md",
    "setup.cfg",
    "tests/test_invoice.py",
]
SYMBOLS = [
    SymbolPlace("Invoice", "billing/invoice.py", 3, 40, "class"),
    SymbolPlace("Invoice.total", "billing/invoice.py", 12, 20, "method"),
    SymbolPlace("half", "docs/my notes.md", 1, 1),
]
COMMANDS = [
    CommandHelp("help", "Every key and command"),
    CommandHelp("review", "Review what is proposed"),
    CommandHelp("redo", "Apply again what was undone"),
]


class Source:
    def files(self) -> Sequence[str]:
        return FILES

    def symbols(self, prefix: str) -> Sequence[SymbolPlace]:
        return [place for place in SYMBOLS if prefix.lower() in place.name.lower()]

    def commands(self) -> Sequence[CommandHelp]:
        return COMMANDS


class ComposerStage(Stage):
    """`asked` holds what the composer posted, in order."""

    def __init__(
        self,
        folder: Path,
        *,
        vim: bool = False,
        language: str = "en",
        theme: str = DEFAULT_THEME,
        edit_outside: Callable[[str], str | None] | None = None,
    ) -> None:
        texts = load_texts(language)
        teach_keys()
        self.completion = Completion(texts)
        self.composer = Composer(
            texts,
            self.completion,
            Source(),
            InputHistory(folder),
            Unsent(folder, "one"),
            vim=vim,
            edit_outside=edit_outside,
        )
        above = Static("", markup=False)
        above.styles.height = "1fr"
        super().__init__(Vertical(above, self.completion, self.composer), theme)
        self.asked: list[Message] = []
        self.modes: list[Mode | None] = []

    def on_mount(self) -> None:
        self.composer.focus()

    def on_composer_mode_changed(self, message: Composer.ModeChanged) -> None:
        self.modes.append(message.mode)

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        self.asked.append(message)

    def on_composer_command_entered(self, message: Composer.CommandEntered) -> None:
        self.asked.append(message)

    def on_composer_shell_entered(self, message: Composer.ShellEntered) -> None:
        self.asked.append(message)

    def on_composer_interrupted(self, message: Composer.Interrupted) -> None:
        self.asked.append(message)

    def on_composer_queue_popped(self, message: Composer.QueuePopped) -> None:
        self.asked.append(message)

    def on_composer_editing_failed(self, message: Composer.EditingFailed) -> None:
        self.asked.append(message)


def walk(
    stage: ComposerStage, steps: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24)
) -> None:
    async def run() -> None:
        async with stage.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(pilot)

    asyncio.run(run())


def type_in(stage: ComposerStage, text: str) -> None:
    """As if typed, at once."""
    composer = stage.composer
    composer.replace(text, *composer.selection, maintain_selection_offset=False)
