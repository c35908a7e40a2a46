"""vi's keys where text is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from kcode.tui.vim import Mode, Vim, enter_insert, press, selection
from kcode.tui.widgets.textentry import TextEntry

if TYPE_CHECKING:
    from textual.events import Key

    from kcode.tui.texts import Texts
    from kcode.tui.vim import Pressed

# Of the keys that are no characters, those that vi has; all others do what they do without it.
_NAMED = frozenset({"escape", "backspace", "left", "right", "home", "end"})


class VimEntry(TextEntry):
    """With `vim` the keys are vi's, beginning in insert mode; without it this is a plain text entry."""

    @dataclass
    class ModeChanged(Message):
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
        self._vim = Vim() if vim else None

    @property
    def vim_mode(self) -> Mode | None:
        return self._vim.mode if self._vim else None

    def use_vim(self, *, on: bool) -> None:
        if on != (self._vim is not None):
            self._vim = Vim() if on else None
            self.remove_class("-normal")
            self.post_message(self.ModeChanged(self.vim_mode))

    def empty(self) -> None:
        super().empty()
        if self._vim is not None:
            self._keep(enter_insert(self._vim, "", 0))

    def is_vims(self, event: Key) -> bool:
        """Whether vi's keys are on and this is one of them in the mode in which they are."""
        if self._vim is None:
            return False
        if self._vim.mode is Mode.INSERT:
            return event.key == "escape"
        if event.key == "escape":
            return self._vim.mode is not Mode.NORMAL or bool(self._vim.typing)
        return event.is_printable or event.key in _NAMED or event.key == "ctrl+r"

    async def _on_key(self, event: Key) -> None:
        if self._vim is None or not self.is_vims(event):
            return
        event.prevent_default()
        event.stop()
        key = event.character if event.is_printable and event.character else event.key
        self._show(press(self._vim, self.text, self.caret_of_vim, key))

    @property
    def caret_of_vim(self) -> int:
        """Where vi's caret is: on the last character of what is selected, where Textual's is behind it."""
        assert self._vim is not None
        if self._vim.mode not in {Mode.VISUAL, Mode.VISUAL_LINE}:
            return self.caret
        return self._visual_caret

    _visual_caret = 0

    def _show(self, done: Pressed) -> None:
        if done.effect == "undo":
            self.action_undo()
        elif done.effect == "redo":
            self.action_redo()
        elif done.effect is not None:
            self.call_next(self.run_action, done.effect)
        else:
            self._visual_caret = done.caret
            self.show_change(done.text, done.caret, selection(done.vim, done.text, done.caret))
        self._keep(done.vim)

    def _keep(self, vim: Vim) -> None:
        changed = self._vim is not None and vim.mode is not self._vim.mode
        self._vim = vim
        if changed:
            self.set_class(vim.mode is not Mode.INSERT, "-normal")
            self.post_message(self.ModeChanged(vim.mode))
