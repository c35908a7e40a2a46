"""One line for one answer in words: a filter, a name, a key. It is there only while something is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from kcode.sanitize import sanitize_line
from kcode.tui.widgets.caretline import CaretLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult


class _Words(CaretLine):
    """Takes nothing that would steer the terminal, whether it is pasted or was there before."""

    def validate_value(self, value: str) -> str:
        if sanitize_line(value) == value:
            return value
        return "".join(character for character in value if sanitize_line(character) == character)


class EntryLine(Horizontal):
    """Enter gives what was typed, Esc gives None. One question at a time: another one answers the first with None."""

    DEFAULT_CSS = """
    EntryLine { height: 1; width: 100%; padding: 0 2; background: $panel; display: none; }
    EntryLine Static { width: auto; padding: 0 1 0 0; height: 1; background: $panel; color: $accent; text-style: bold; }
    EntryLine Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    EntryLine Input:focus { border: none; background-tint: $foreground 0%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", show=False),
        Binding("tab", "next_choice", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._label = Static("", markup=False)
        self._input = _Words(compact=True, select_on_focus=False)
        self._input.cursor_blink = False
        self._waiting: asyncio.Future[str | None] | None = None
        self._heard: Callable[[str], None] | None = None
        self._choices: Sequence[str] = ()

    def compose(self) -> ComposeResult:
        yield self._label
        yield self._input

    @property
    def is_open(self) -> bool:
        return self._waiting is not None

    @property
    def has_choices(self) -> bool:
        return bool(self._choices)

    async def ask(
        self,
        label: str,
        value: str = "",
        *,
        hidden: bool = False,
        heard: Callable[[str], None] | None = None,
        choices: Sequence[str] = (),
    ) -> str | None:
        """What the person answers; `heard` is told of each change while they type. `hidden` shows dots.

        Tab goes from one of the `choices` to the next.
        """
        self._answer(None)
        came_from = self.screen.focused
        self._label.update(Content(label))
        self._input.password = hidden
        with self.prevent(Input.Changed):
            self._input.value = value
        self._input.cursor_position = len(value)
        self._heard, self._choices = heard, choices
        self.display = True
        self._input.focus()
        waiting: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        try:
            return await waiting
        finally:
            # A later question has taken the line over.
            if self._waiting is waiting:
                self._waiting, self._heard, self._choices = None, None, ()
                self._input.clear()
                self.display = False
                if came_from and came_from.is_attached:
                    came_from.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._heard:
            self._heard(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer(event.value)

    def action_accept(self) -> None:
        self._answer(self._input.value)

    def action_next_choice(self) -> None:
        if not self._choices:
            return
        value = self._input.value
        at = self._choices.index(value) + 1 if value in self._choices else 0
        self._input.value = self._choices[at % len(self._choices)]
        self._input.cursor_position = len(self._input.value)

    def action_give_up(self) -> None:
        self._answer(None)

    def _answer(self, text: str | None) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(text)
