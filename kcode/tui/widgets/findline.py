"""The line that finds words in the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.strip import Strip

from kcode.tui.lines import Ground, Role, Span, width_of
from kcode.tui.themes import palette_for
from kcode.tui.widgets.caretline import CaretLine

if TYPE_CHECKING:
    from textual.binding import BindingType
    from textual.widget import Widget
    from textual.widgets import Input

    from kcode.tui.texts import Texts
    from kcode.tui.widgets.transcript import Transcript

# Cells to type in that the count leaves free.
_LEAST = 16


class FindLine(CaretLine):
    """Hidden until it is opened; what is typed is found at once, and marked."""

    DEFAULT_CSS = """
    FindLine { display: none; height: 1; border: none; padding: 0 1; background: $panel; }
    FindLine:focus { border: none; }
    FindLine.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,f3", "find(1)", show=False, id="find.next"),
        Binding("up,shift+f3", "find(-1)", show=False, id="find.previous"),
        Binding("escape", "close", show=False, id="find.close"),
    ]

    def __init__(self, texts: Texts) -> None:
        super().__init__(select_on_focus=False)
        self._texts = texts
        self._transcript: Transcript | None = None
        self._after: Widget | None = None

    def on_mount(self) -> None:
        self.placeholder = self._texts("app.find_hint")

    def open(self, transcript: Transcript, after: Widget) -> None:
        """Find in this transcript; `after` has the focus once it is closed."""
        self._transcript, self._after = transcript, after
        self.add_class("-open")
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._transcript is not None and self.has_class("-open"):
            found = self._transcript.find(self.value) if self.value else 0
            if not self.value:
                self._transcript.clear_marks()
            self.set_class(bool(self.value) and not found, "-nothing")
            self.refresh()

    def action_find(self, step: int) -> None:
        if self._transcript is not None:
            self._transcript.action_find_next(step)
            self.refresh()

    @property
    def _told(self) -> str:
        """How many places there are, and the keys that go through them; "" before anything is typed."""
        if self._transcript is None or not self.value:
            return ""
        place, count = self._transcript.found
        if not count:
            return self._texts("transcript.nothing_found")
        return f"{self._texts('transcript.found', place=place, count=count)} · {self._texts('app.find_keys')}"

    def render_line(self, y: int) -> Strip:
        strip, note = super().render_line(y), (Span(f"  {self._told}", Role.DIM),) if self._told else ()
        room = self.content_size.width - width_of(note)
        if not note or y or room < _LEAST:
            return strip
        beside = palette_for(self.app.current_theme).strip(note, width_of(note), Ground.PANEL)
        return Strip.join([strip.crop(0, room), beside])

    def action_close(self) -> None:
        self.remove_class("-open")
        self.value = ""
        if self._transcript is not None:
            self._transcript.clear_marks()
        if self._after is not None:
            self._after.focus()
