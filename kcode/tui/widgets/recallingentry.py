"""Typing with what was sent before at hand: step by step, by searching, and from the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from kcode.tui.history import Typed, Walk
from kcode.tui.widgets.completingentry import CompletingEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.completing import CompletionSource
    from kcode.tui.history import InputHistory
    from kcode.tui.texts import Texts
    from kcode.tui.widgets.completion import Completion


class RecallingEntry(CompletingEntry):
    """`queued` says how many sent messages still wait for the model."""

    class QueuePopped(Message, namespace="composer"):
        """The user wants the last message that waits back; answer with `take_back`."""

    def __init__(
        self,
        texts: Texts,
        completion: Completion,
        source: CompletionSource,
        history: InputHistory,
        *,
        vim: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(texts, completion, source, vim=vim, id=id)
        self._sent = history
        self._walk: Walk | None = None
        self._before_search: Typed | None = None
        self._found: list[Typed] = []
        self.queued = 0

    @property
    def is_searching(self) -> bool:
        """Whether what stands here is what is looked for."""
        return self._before_search is not None

    def take_back(self, shown: str) -> None:
        """Show a message again that was sent, with its pastes behind their chips, in the place of what stands here."""
        self.put(next((entry for entry in reversed(self._sent.entries) if entry.text == shown), Typed(shown)))

    def on_blur(self) -> None:
        # Looking at another window leaves the list where it is.
        if self._completion.is_open and self.app.app_focus:
            self.close_list()

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
            self.put(before)

    def take_chosen(self) -> None:
        if self._before_search is None:
            super().take_chosen()
            return
        self._before_search = None
        found = self._found[self._completion.number]
        self._completion.close()
        self.put(found)

    def _search(self) -> None:
        from kcode.tui.completing import Offer  # noqa: PLC0415 - needed by few sessions

        newest = list(reversed(self._sent.entries))
        found = recall([entry.text for entry in newest], self.text)
        self._found = [newest[index] for index, _ in found]
        offers = [Offer(newest[index].text, "", "", positions) for index, positions in found]
        nothing = [Offer(self._texts("composer.nothing_found"), "")]
        if not offers:
            self._found = [self._before_search or Typed("")]
        self.show_offers(offers or nothing, self._texts("composer.search_hint"))


def recall(texts: Sequence[str], wanted: str) -> list[tuple[int, tuple[int, ...]]]:
    """Those that hold what is wanted as it stands, in their order, and then those that only fit it; each with where."""
    from kcode.tui.fuzzy import Candidates  # noqa: PLC0415 - needed by few sessions

    places = ((index, text.lower().find(wanted.lower())) for index, text in enumerate(texts))
    exact = {index: tuple(range(at, at + len(wanted))) for index, at in places if at >= 0}
    fitting = {one.index: one.positions for one in Candidates(texts).rank(wanted) if one.index not in exact}
    return [*exact.items(), *fitting.items()]
