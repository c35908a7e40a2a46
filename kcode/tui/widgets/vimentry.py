"""vi's keys where text is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from kcode.tui.widgets.textentry import TextEntry

if TYPE_CHECKING:
    from textual.events import Key

    from kcode.tui.texts import Texts
    from kcode.tui.vim import Mode, Pressed, Vim

# Of the keys that are no characters, those that vi has; all others do what they do without it.
_NAMED = frozenset({"escape", "backspace", "left", "right", "home", "end"})


class VimEntry(TextEntry):
    """With `vim` the keys are vi's, beginning in insert mode; without it this is a plain text entry."""

    @dataclass
    class ModeChanged(Message, namespace="composer"):
        """`mode` is None once vi's keys are off."""

        mode: Mode | None

    def __init__(
        self,
        texts: Texts,
        *,
        vim: bool = False,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(texts, placeholder=placeholder, id=id)
        self._vim = _beginning() if vim else None

    @property
    def vim_mode(self) -> Mode | None:
        return self._vim.mode if self._vim else None

    @property
    def is_inserting(self) -> bool:
        """Whether a letter that is pressed is typed."""
        return self._vim is None or self._vim.is_inserting

    def use_vim(self, *, on: bool) -> None:
        if on != (self._vim is not None):
            self._vim = _beginning() if on else None
            self.remove_class("-normal")
            self.post_message(self.ModeChanged(self.vim_mode))

    def empty(self) -> None:
        super().empty()
        if self._vim is not None:
            self._keep(_beginning(self._vim))

    def is_vims(self, event: Key) -> bool:
        """Whether vi's keys are on and this is one of them in the mode in which they are."""
        if self._vim is None:
            return False
        if self._vim.is_inserting:
            return event.key == "escape"
        if event.key == "escape":
            return self._vim.is_selecting or bool(self._vim.typing)
        return event.is_printable or event.key in _NAMED or event.key == "ctrl+r"

    async def _on_key(self, event: Key) -> None:
        if self._vim is None or not self.is_vims(event):
            return
        event.prevent_default()
        event.stop()
        key = event.character if event.is_printable and event.character else event.key
        from kcode.tui.vim import press  # noqa: PLC0415 - most people type without vi's keys

        await self._show(press(self._vim, self.text, self.caret_of_vim, key))

    @property
    def caret_of_vim(self) -> int:
        """Where vi's caret is: on the last character of what is selected, where Textual's is behind it."""
        assert self._vim is not None
        return self._visual_caret if self._vim.is_selecting else self.caret

    _visual_caret = 0

    async def _show(self, done: Pressed) -> None:
        from kcode.tui.vim import selection  # noqa: PLC0415

        if done.effect == "undo":
            self.action_undo()
        elif done.effect == "redo":
            self.action_redo()
        elif done.effect is not None:
            await self.app.run_action(done.effect, self)
        else:
            self._visual_caret = done.caret
            self.show_change(done.text, done.caret, selection(done.vim, done.text, done.caret))
        self._keep(done.vim)

    def _keep(self, vim: Vim) -> None:
        changed = self._vim is not None and vim.mode is not self._vim.mode
        self._vim = vim
        if changed:
            self.set_class(not vim.is_inserting, "-normal")
            self.post_message(self.ModeChanged(vim.mode))


def _beginning(vim: Vim | None = None) -> Vim:
    """With the keys as they are over an empty text."""
    from kcode.tui.vim import Vim, enter_insert  # noqa: PLC0415

    return enter_insert(vim or Vim(), "", 0)
