"""Typing with a list of what the word under the caret may become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.actions import SkipAction

from kcode.tui.widgets.completion import MOST_ROWS, Completion
from kcode.tui.widgets.vimentry import VimEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Key

    from kcode.tui.completing import Completer, CompletionSource, Offer, Token
    from kcode.tui.history import Typed
    from kcode.tui.texts import Texts


class CompletingEntry(VimEntry):
    """The list opens while a word is typed that can be completed, and stays closed for a word where esc closed it."""

    def __init__(
        self,
        texts: Texts,
        completion: Completion,
        source: CompletionSource,
        *,
        vim: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(texts, vim=vim, placeholder=texts("composer.placeholder"), id=id)
        completion.target = self
        self._completion = completion
        self._source = source
        self._made: Completer | None = None
        self._token: Token | None = None
        self._closed_at: tuple[int, int] | None = None
        # A text that came from elsewhere, and that nobody has typed in yet.
        self._untouched: str | None = None

    @property
    def _completer(self) -> Completer:
        if self._made is None:
            from kcode.tui.completing import Completer  # noqa: PLC0415 - after the first paint

            self._made = Completer(self._source)
        return self._made

    def put(self, typed: Typed) -> None:
        super().put(typed)
        self._untouched = self.text

    async def _on_key(self, event: Key) -> None:
        if event.key == "escape" and self._completion.is_open:
            event.prevent_default()
            event.stop()
            if self._token is not None:
                self._closed_at = self.cursor_location[0], self._token.start
            self.close_list()

    def prepare_completion(self) -> None:
        """Prepare the files of the source for the first `@`; for a thread, once they are known."""
        self._completer.prepare()

    def on_text_area_selection_changed(self) -> None:
        if self._completion.is_open:
            self.offer()

    def offer(self) -> None:
        """Open, change or close the list for what stands before the caret."""
        from kcode.tui.completing import find_token  # noqa: PLC0415 - after the first paint

        row, column = self.cursor_location
        is_typing = self.selection.is_empty and self.has_focus and self.is_inserting
        token = find_token(row, self.document[row][:column]) if is_typing else None
        if token is None or (row, token.start) != self._closed_at:
            self._closed_at = None
        if token is None or self._closed_at or self.text == self._untouched:
            self._token = None
            self._completion.close()
        elif token != self._token or not self._completion.is_open:
            self._token = token
            most = max(self.screen.size.height // 2, MOST_ROWS) if token.kind == "command" else MOST_ROWS
            self.show_offers(self._completer.offers(token), self._texts("composer.completion_hint"), most=most)

    def fit_list(self) -> None:
        """Have an open list fit the window as it is by now."""
        if self._completion.is_open:
            self._token = None
            self.offer()

    def show_offers(self, offers: Sequence[Offer], hint: str, *, most: int = MOST_ROWS) -> None:
        """Show these as far as there is room above, at most so many at a time."""
        self._completion.show(offers, hint, rows=min(most, self.region.y - 2))

    def close_list(self) -> None:
        self._token = None
        self._completion.close()

    def take_chosen(self) -> None:
        """Put what is chosen in the list in the place of the word."""
        offer, token = self._completion.chosen, self._token
        if offer is None or token is None:
            return
        row, column = self.cursor_location
        self._token = None
        self._completion.close()
        self.history.checkpoint()
        done = self.replace(offer.insert, (row, token.start), (row, column), maintain_selection_offset=False)
        self.move_cursor(done.end_location)

    def on_completion_taken(self, message: Completion.Taken) -> None:
        message.stop()
        self._completion.choose(message.number)
        self.take_chosen()
        self.focus()

    def action_complete(self) -> None:
        """Take what is chosen; where the list is closed, open it again."""
        if self._token is not None:
            self.offer()
        if self._completion.is_open:
            self.take_chosen()
        else:
            self._closed_at = None
            self._untouched = None
            self.offer()
            if not self._completion.is_open:
                raise SkipAction
