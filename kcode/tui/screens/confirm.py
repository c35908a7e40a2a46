"""What is about to be done, in full, and whether it is to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from kcode.tui.diff.bars import Key, draw_keys
from kcode.tui.dismissal import leave
from kcode.tui.lines import Role, Span
from kcode.tui.widgets.linebar import LineBar, TextPane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts


class ConfirmScreen(ModalScreen[bool]):
    """Asks with `y` and `n`; Enter alone does nothing, since it may be the one that led here."""

    DEFAULT_CSS = """
    ConfirmScreen { align: center middle; background: $background 60%; }
    ConfirmScreen > Vertical { width: 76; max-width: 96%; height: auto; max-height: 90%; background: $panel;
                               border: round $primary; padding: 0 1; }
    ConfirmScreen LineBar { background: $panel; }
    ConfirmScreen TextPane { background: $panel; height: auto; max-height: 70vh; padding: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", id="confirm.yes"),
        Binding("n,escape,q,ctrl+c", "answer(False)", id="confirm.no"),
    ]

    def __init__(self, title: str, lines: Sequence[Line], texts: Texts, yes: str) -> None:
        super().__init__()
        self._words, self._lines, self._texts, self._yes = title, lines, texts, yes
        self._title_bar, self._keys, self._pane = LineBar(), LineBar(), TextPane()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self._title_bar
            yield self._pane
            yield self._keys

    def on_mount(self) -> None:
        self._title_bar.show(lambda _: (Span(self._words, Role.HEADING),))
        keys = [
            Key("y", self._yes, "screen.answer(True)"),
            Key("n", self._texts("review.key_back"), "screen.answer(False)"),
        ]
        self._keys.show(lambda width: draw_keys(keys, width))
        self._pane.show([(), *self._lines, ()])

    def action_answer(self, answer: bool) -> None:
        leave(self, answer)
