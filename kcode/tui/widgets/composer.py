"""What the user types into: messages, `/commands` and `!commands`, with the history and what can be completed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.app import SuspendNotSupported
from textual.message import Message

from kcode.errors import KcodeError
from kcode.tui.history import Typed
from kcode.tui.keys import bindings_for
from kcode.tui.widgets.recallingentry import RecallingEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Click
    from textual.timer import Timer

    from kcode.tui.completing import CompletionSource
    from kcode.tui.history import InputHistory, Unsent
    from kcode.tui.texts import Texts
    from kcode.tui.widgets.completion import Completion

# Typing is kept so often, in seconds.
_KEEP_EVERY = 0.3
_BETWEEN = " · "


def sign_at(placeholder: str, column: int) -> str:
    """The sign with which the part of the placeholder in that column begins, or "" where it is none that opens a list."""
    at = 0
    for part in placeholder.split(_BETWEEN):
        if at <= column < at + cell_len(part) and part[0] in "@/":
            return part[0]
        at += cell_len(part + _BETWEEN)
    return ""


def edited(typed: Typed, made: str) -> Typed:
    """What an editor made of a text; one that was left as it was keeps its chips."""
    made = made.rstrip("\n")
    return typed if made == typed.pastes.expanded(typed.text).rstrip("\n") else Typed(made)


class Composer(RecallingEntry):
    """Posts what the user wants; the app decides what becomes of it.

    `edit_outside` opens the text in the user's editor, while the app rests, and returns what they made of it.
    """

    BINDINGS = bindings_for("composer")
    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 1;
        max-height: 33vh;
        border: none;
        border-left: heavy $primary;
        padding: 0 1;
        background: $surface;
        scrollbar-size-vertical: 1;
        &:focus { border: none; border-left: heavy $primary; }
        &.-normal { border-left: heavy $secondary; }
        &.-shell { border-left: heavy $warning; }
        &:ansi .text-area--placeholder { text-style: dim; }
    }
    """

    @dataclass
    class Submitted(Message):
        """A message for the model: `text` with the pastes in full, `shown` with their chips."""

        text: str
        shown: str

    @dataclass
    class CommandEntered(Message):
        """A known `/name`; `words` is what stands behind it, with the pastes in full."""

        name: str
        words: str

    @dataclass
    class ShellEntered(Message):
        """A command behind `!`."""

        command: str

    class Interrupted(Message):
        """Esc, where there was nothing else for it to do."""

    class Ended(Message):
        """The end of input, as shells have it: Ctrl-D where nothing stands."""

    @dataclass
    class EditingFailed(Message):
        """The user's editor cannot be had; `reason` is for the user."""

        reason: str

    def __init__(
        self,
        texts: Texts,
        completion: Completion,
        source: CompletionSource,
        history: InputHistory,
        unsent: Unsent,
        *,
        edit_outside: Callable[[str], str | None] | None = None,
        vim: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(texts, completion, source, history, vim=vim, id=id)
        self._unsent = unsent
        self._edit_outside = edit_outside
        self._keeping: Timer | None = None
        self._kept = ""

    def on_mount(self) -> None:
        if (left := self._unsent.load()) is not None:
            self.put(left)

    def on_unmount(self) -> None:
        self._keep_unsent()

    # What is typed

    def on_text_area_changed(self) -> None:
        self.set_class(self.text.startswith("!"), "-shell")
        self.offer()
        if self._keeping is None and self.text != self._kept:
            self._keep_unsent()
            self._keeping = self.set_timer(_KEEP_EVERY, self._keep_again)

    def _keep_again(self) -> None:
        self._keeping = None
        self._keep_unsent()

    def _keep_unsent(self) -> None:
        if self.text != self._kept and not self.is_searching:
            self._kept = self.text
            self._unsent.save(self.typed)

    def on_click(self, event: Click) -> None:
        """Where nothing stands, a click on what there is a list of begins with its sign, which opens it."""
        at = event.get_content_offset(self)
        if at is not None and not self.text and (sign := sign_at(self._texts("composer.placeholder"), at.x)):
            self.insert(sign)

    # Sending and leaving

    def action_send(self) -> None:
        # Of what was typed right before the key the list has not heard yet.
        if not self.is_searching:
            self.offer()
        if self._completion.is_open and not self._is_whole():
            self.take_chosen()
            return
        row, column = self.cursor_location
        if column == len(self.document[row]) and self.document[row].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            return
        if self.text.strip():
            self._send(self.typed)

    def _is_whole(self) -> bool:
        """Whether a command's name or a path stands there whole, so that Enter need not complete it first."""
        if self.is_searching or self._token is None:
            return False
        row, column = self.cursor_location
        typed = self.document[row][self._token.start : column]
        chosen = self._completion.chosen
        # What was moved to in the list is meant, whatever else fits as it stands.
        offers = self._completion.offers if self._completion.number == 0 else [chosen]
        return any(offer is not None and offer.insert.rstrip() == typed for offer in offers)

    def _send(self, typed: Typed) -> None:
        whole = typed.pastes.expanded(typed.text)
        name, words = (*whole[1:].split(maxsplit=1), "", "")[:2]
        self._sent.add(typed)
        self._completion.close()
        self.empty()
        self._keep_unsent()
        if whole.startswith("/") and self._completer.is_command(name):
            self.post_message(self.CommandEntered(name, words.strip()))
        elif whole.startswith("!") and whole[1:].strip():
            self.post_message(self.ShellEntered(whole[1:].strip()))
        else:
            self.post_message(self.Submitted(whole, typed.text))

    def give_up(self) -> None:
        """Have nothing stand here; what stood here can be had again as what was sent before."""
        if not self.is_searching:
            self._sent.add(self.typed)
        self._completion.close()
        self.put(Typed(""))

    def action_delete_or_end(self) -> None:
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.Ended())

    def action_interrupt(self) -> None:
        self.post_message(self.Interrupted())

    def action_edit_outside(self) -> None:
        """Write in the user's editor; pastes are opened, since nobody edits a chip."""
        if self._edit_outside is None:
            return
        typed = self.typed
        try:
            with self.app.suspend():
                made = self._edit_outside(typed.pastes.expanded(typed.text))
        except KcodeError as error:
            self.post_message(self.EditingFailed(str(error)))
            return
        except SuspendNotSupported:
            self.post_message(self.EditingFailed(self._texts("composer.no_editor")))
            return
        if made is not None:
            self.put(edited(typed, made))
