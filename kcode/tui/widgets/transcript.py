"""The conversation on the screen: one widget, however long it gets."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from kcode.events import ReasoningStreamed, TextStreamed, ToolCallOutput
from kcode.tui.blocks import NoticeKind, PatchBlock
from kcode.tui.feed import Feed
from kcode.tui.widgets.blockreader import BlockReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kcode.events import Event
    from kcode.messages import Message
    from kcode.tui.texts import Texts

# Seconds between two paintings of what streams; the longer one where painting itself takes long.
_PACE, _SLOW_PACE, _SLOW = 1 / 13, 1 / 7, 0.025


class Transcript(BlockReader):
    """Shows events as they come and a session's past.

    Pieces of a stream are gathered and painted some twelve times a second; all else is painted at once. Nothing runs
    while nothing comes.
    """

    def __init__(self, texts: Texts, clock: Callable[[], float] = monotonic, *, id: str | None = None) -> None:  # noqa: A002
        self.feed = Feed(texts, clock)
        super().__init__(self.feed.stack, texts("transcript.new_below"), id=id)
        self._is_due = self._is_prepared = False
        self._pace = _PACE

    def show(self, event: Event) -> None:
        """Show an event of the turn that runs."""
        self.feed.take(event)
        if not isinstance(event, ReasoningStreamed | TextStreamed | ToolCallOutput):
            self.flush()
        elif not self._is_due:
            self._is_due = True
            if not self._is_prepared:
                # Thoughts come first, and need none of it.
                self._is_prepared = True
                from kcode.tui.markdown import prepare  # noqa: PLC0415 - after the first paint

                self.run_worker(prepare, thread=True)
            self.set_timer(self._pace, self._flush_when_due)

    def flush(self) -> None:
        """Paint what has come at once."""
        began = monotonic()
        if self.is_mounted:
            self.sync(is_new=True)
        self._pace = _SLOW_PACE if monotonic() - began > _SLOW else _PACE

    def stop(self) -> None:
        """The turn is over without an event that says so: it was cancelled, or failed."""
        self.feed.stop()
        self.flush()

    def load(self, history: Iterable[Message | Event]) -> None:
        """Show a session's past, and its end first."""
        self.feed.load(history)
        self.viewport.follows = True
        self.flush()

    def add_user(self, text: str, *, queued: bool = False, words: str | None = None) -> None:
        """Show what the user sent, or what waits until a turn takes it and tells of it as `words`."""
        if queued:
            self.feed.queue(text, words)
        else:
            self.feed.add_user(text)
            self.viewport.follows = True
        self.flush()

    def unqueue(self, text: str, *, first: bool = False) -> None:
        """Take away the last message that waits and says so, or the first."""
        self.feed.unqueue(text, first=first)
        self.flush()

    def notice(self, text: str, kind: NoticeKind = NoticeKind.INFO) -> None:
        self.feed.notice(text, kind)
        self.flush()

    def show_patch(self, patch: str) -> None:
        self.feed.stack.add(PatchBlock, patch)
        self.flush()

    def as_text(self) -> str:
        """All of it as plain text, one thing after the other, without signs and boxes."""
        return self.feed.as_text()

    def _flush_when_due(self) -> None:
        self._is_due = False
        self.flush()
