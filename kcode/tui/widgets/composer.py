"""What the user types into: messages, `/commands` and `!commands`, with the history and what can be completed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported
from textual.message import Message

from kcode.errors import KcodeError
from kcode.tui.completing import Offer
from kcode.tui.fuzzy import Candidates
from kcode.tui.history import Typed, Walk
from kcode.tui.keys import bindings_for
from kcode.tui.pastes import Pastes
from kcode.tui.widgets.completingentry import CompletingEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from kcode.tui.completing import CompletionSource
    from kcode.tui.history import InputHistory, Unsent
    from kcode.tui.texts import Texts
    from kcode.tui.widgets.completion import Completion

# Typing is kept so often, in seconds.
_KEEP_EVERY = 0.3


class Composer(CompletingEntry):
    """Posts what the user wants; the app decides what becomes of it. `queued` says how many messages wait.

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

    class QueuePopped(Message):
        """The user wants the last message that waits back; answer with `put`."""

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
        super().__init__(texts, completion, source, vim=vim, id=id)
        self._sent = history
        self._unsent = unsent
        self._edit_outside = edit_outside
        self._walk: Walk | None = None
        self._before_search: Typed | None = None
        self._found: list[Typed] = []
        self._keeping: Timer | None = None
        self._kept = ""
        self.queued = 0

    def on_mount(self) -> None:
        if (left := self._unsent.load()) is not None:
            self.put(left)
            self._untouched = self.text

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
        if self.text != self._kept and self._before_search is None:
            self._kept = self.text
            self._unsent.save(self.typed)

    # The history

    def action_older(self) -> None:
        if self._completion.is_open:
            self._completion.move(-1)
        elif not self.navigator.is_first_wrapped_line(self.cursor_location):
            self.action_cursor_up()
        elif self.queued and not self.text:
            self.post_message(self.QueuePopped())
        else:
            self._step(self._current_walk().older())

    def action_newer(self) -> None:
        if self._completion.is_open:
            self._completion.move(1)
        elif not self.navigator.is_last_wrapped_line(self.cursor_location):
            self.action_cursor_down()
        else:
            self._step(self._current_walk().newer())

    def _current_walk(self) -> Walk:
        """The walk that is under way, or one that begins at what was typed."""
        if self._walk is None or self._walk.current.text != self.text:
            self._walk = Walk(self._sent.entries, self.typed)
        return self._walk

    def _step(self, walk: Walk | None) -> None:
        if walk is not None:
            self._walk = walk
            self._untouched = walk.current.text
            self.put(walk.current)

    def action_search_history(self) -> None:
        """What stands here is what is looked for; what is typed from here on too."""
        if self._before_search is not None:
            self._completion.move(1)
        elif self._sent.entries:
            self._before_search = self.typed
            self._search()

    def offer(self) -> None:
        if self._before_search is None:
            super().offer()
        else:
            self._search()

    def close_list(self) -> None:
        super().close_list()
        if self._before_search is not None:
            before, self._before_search = self._before_search, None
            self._untouched = before.text
            self.put(before)

    def take_chosen(self) -> None:
        if self._before_search is None:
            super().take_chosen()
            return
        self._before_search = None
        found = self._found[self._completion.number]
        self._untouched = found.text
        self._completion.close()
        self.put(found)

    def _search(self) -> None:
        newest = list(reversed(self._sent.entries))
        found = Candidates([entry.text for entry in newest]).rank(self.text)
        self._found = [newest[one.index] for one in found]
        offers = [Offer(newest[one.index].text, "", "", one.positions) for one in found]
        nothing = [Offer(self._texts("composer.nothing_found"), "")]
        if not offers:
            self._found = [self._before_search or Typed("")]
        self.show_offers(offers or nothing, self._texts("composer.search_hint"))

    # Sending and leaving

    def action_send(self) -> None:
        if self._completion.is_open and not self._is_whole_command():
            self.take_chosen()
            return
        row, column = self.cursor_location
        if column == len(self.document[row]) and self.document[row].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            return
        if self.text.strip():
            self._send(self.typed)

    def _is_whole_command(self) -> bool:
        """Whether a command's name stands there whole, so that Enter need not complete it first."""
        chosen = self._completion.chosen
        return self._before_search is None and chosen is not None and chosen.insert == f"{self.text} "

    def _send(self, typed: Typed) -> None:
        whole = typed.pastes.expanded(typed.text)
        name, _, words = whole.removeprefix("/").partition(" ")
        self._sent.add(typed)
        self._completion.close()
        self._walk = self._token = None
        self.empty()
        self._keep_unsent()
        if whole.startswith("/") and self._completer.is_command(name.strip()):
            self.post_message(self.CommandEntered(name.strip(), words.strip()))
        elif whole.startswith("!") and whole[1:].strip():
            self.post_message(self.ShellEntered(whole[1:].strip()))
        else:
            self.post_message(self.Submitted(whole, typed.text))

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
            self._untouched = made.rstrip("\n")
            self.put(Typed(self._untouched, Pastes()))
