"""A box to write in, below what it is about: a comment, or a hunk's new lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from kcode.tui.lines import Role, Span
from kcode.tui.widgets.caret import CaretArea
from kcode.tui.widgets.linebar import LineBar

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Key


class _Paper(CaretArea):
    """Enter keeps what is a comment, and is a line's end in what is edited."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "keep", id="write.keep"),
        Binding("enter", "keep_line", id="write.enter"),
        Binding("ctrl+j,shift+enter,alt+enter", "break_line", id="write.break"),
        Binding("escape", "leave", id="write.leave"),
    ]
    is_short = True

    async def _on_key(self, event: Key) -> None:
        """Carry out bindings in order with what is typed, neither before nor after the characters that came with them."""
        if event.is_printable:
            return
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return

    def action_keep(self) -> None:
        self.post_message(WriteBox.Kept(self.text))

    def action_leave(self) -> None:
        self.post_message(WriteBox.Left())

    def action_keep_line(self) -> None:
        if self.is_short:
            self.action_keep()
        else:
            self.action_break_line()

    def action_break_line(self) -> None:
        self.insert("\n")


class WriteBox(Vertical):
    """Is not there until something is to be written. Posts Kept with the text, or Left."""

    DEFAULT_CSS = """
    WriteBox { display: none; height: auto; max-height: 60%; background: $surface; }
    WriteBox.-open { display: block; }
    WriteBox TextArea { height: auto; max-height: 16; min-height: 3; border: none; padding: 0 1;
                        background: $surface; }
    WriteBox TextArea:focus { border: none; }
    """

    class Kept(Message):
        """The text is to be kept."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """Nothing is to be kept."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._bar = LineBar()
        self._paper = _Paper(soft_wrap=True, show_line_numbers=False, tab_behavior="indent")
        # A caret that blinks is a timer that never rests.
        self._paper.cursor_blink = False

    def compose(self) -> ComposeResult:
        yield self._bar
        yield self._paper

    @property
    def text(self) -> str:
        return self._paper.text

    def open(self, title: str, text: str, *, is_short: bool) -> None:
        """Ask for a text, beginning with this one. What `is_short` is kept with enter."""
        self._paper.is_short = is_short
        self._paper.soft_wrap = is_short
        self._paper.text = text
        self._paper.move_cursor(self._paper.document.end if is_short else (0, 0))
        self._bar.show(lambda _: (Span(f" {title}", Role.STRONG),))
        self.add_class("-open")
        # At once, so that what is typed right behind the key that opened the box is not lost.
        self.screen.set_focus(self._paper)

    def put(self, text: str) -> None:
        """Have this text in the box, as if it had been written."""
        self._paper.text = text
        self._paper.move_cursor(self._paper.document.end)

    def carry_out(self, what: Literal["keep", "break_line", "leave"]) -> None:
        """Do what one of the box's keys does."""
        match what:
            case "keep":
                self._paper.action_keep()
            case "break_line":
                self._paper.action_break_line()
            case "leave":
                self._paper.action_leave()

    def close(self) -> None:
        self.remove_class("-open")
