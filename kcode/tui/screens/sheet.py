"""What the small screens share: a title, a body, a line for answers, what went wrong, and the keys at the foot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen

from kcode.errors import KcodeError
from kcode.tui.dismissal import leave
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Role
from kcode.tui.moving import paint_what_moves
from kcode.tui.widgets.entryline import EntryLine
from kcode.tui.widgets.keybar import KeyBar, KeyHint
from kcode.tui.widgets.notice import Notice
from kcode.tui.widgets.titleline import TitleLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from kcode.tui.texts import Texts
    from kcode.tui.widgets.rowlist import RowList

Result = TypeVar("Result")
Value = TypeVar("Value")
WIDE = 110


class Sheet(Screen[Result], Generic[Result]):
    """A screen over the conversation. Esc and q give None and go back to it.

    A subclass says its `title`, what stands in between (`compose_body`) and its keys (`hints`).
    """

    DEFAULT_CSS = """
    Sheet { background: $background; layers: base; }
    Sheet .foot { dock: bottom; width: 100%; height: auto; }
    Sheet .body { width: 100%; height: 1fr; padding: 1 0 0 0; }
    Sheet .wide-only { display: none; }
    Sheet.-wide-sheet .wide-only { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_for("sheet"),
        # For while an answer is typed and the keys are not the list's own.
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("pageup", "leap(-1)", show=False),
        Binding("pagedown", "leap(1)", show=False),
        Binding("y", "answer(1)", show=False),
        Binding("n", "answer(0)", show=False),
    ]
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]]] = [(0, "-narrow-sheet"), (WIDE, "-wide-sheet")]  # type: ignore[misc] # Textual's has no ClassVar

    def __init__(self, texts: Texts, title: str) -> None:
        super().__init__()
        self.texts = texts
        self.title_line = TitleLine(title)
        self.notice = Notice()
        self.entry = EntryLine()
        self.keys = KeyBar()
        self.main_list: RowList | None = None
        self._agreeing: asyncio.Future[bool] | None = None

    def compose(self) -> ComposeResult:
        yield self.title_line
        with Vertical(classes="foot"):
            yield self.notice
            yield self.entry
            yield self.keys
        yield from self.compose_body()

    def compose_body(self) -> ComposeResult:
        raise NotImplementedError

    def hints(self) -> Sequence[KeyHint]:
        """The keys that do something at the moment, the most useful first."""
        return (self.closing(),)

    def closing(self) -> KeyHint:
        return KeyHint("esc", self.text("close"), "screen.close")

    def show_hints(self) -> None:
        """Show the keys that do something now: those of the answer while one is asked for."""
        if self._agreeing:
            yes, no = (
                KeyHint("y", self.text("yes"), "screen.answer(1)"),
                KeyHint("n", self.text("no"), "screen.answer(0)"),
            )
            self.keys.show([yes, no])
        elif self.entry.is_open:
            more = [KeyHint("tab", self.text("next_choice"), "screen.entry('next')")] if self.entry.has_choices else []
            accept = KeyHint("enter", self.text("accept"), "screen.entry('accept')")
            self.keys.show([accept, *more, KeyHint("esc", self.text("cancel"), "screen.entry('cancel')")])
        else:
            self.keys.show(self.hints())

    async def ask(
        self,
        label: str,
        value: str = "",
        *,
        hidden: bool = False,
        heard: Callable[[str], None] | None = None,
        choices: Sequence[str] = (),
    ) -> str | None:
        """What the person types into the line above the keys, or None; as EntryLine has it."""
        self.say("")
        asked = asyncio.ensure_future(self.entry.ask(label, value, hidden=hidden, heard=heard, choices=choices))
        await asyncio.sleep(0)
        self.show_hints()
        try:
            return await asked
        finally:
            if self.is_attached:
                self.show_hints()

    async def agree(self, question: str) -> bool:
        """Whether the person says yes to it; until then no other key of the screen does anything."""
        self.action_answer(0)
        agreeing: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._agreeing = agreeing
        came_from = self.focused
        self.set_focus(None)
        self.say(question, Role.WARNING)
        self.show_hints()
        try:
            return await agreeing
        finally:
            if self._agreeing is agreeing:
                self._agreeing = None
                if self.is_attached:
                    self.say("")
                    self.set_focus(came_from)
                    self.show_hints()

    @property
    def is_asking(self) -> bool:
        """Whether a question is open, so that clicks elsewhere mean nothing."""
        return self._agreeing is not None or self.entry.is_open

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's own
        if action == "answer":
            return self._agreeing is not None
        return self._agreeing is None or action in {"close", "step", "leap"}

    def text(self, key: str, **values: object) -> str:
        """A text of the small screens."""
        return self.texts(f"screens.{key}", **values)

    def on_mount(self) -> None:
        paint_what_moves(self)
        self.show_hints()

    def say(self, text: str, role: Role = Role.TEXT) -> None:
        """Tell above the keys what happened."""
        self.notice.show(text, role)

    async def fetch(self, call: Callable[[], Value]) -> Value | None:
        """What the call gives, made in a thread; None after an error, which is told."""
        try:
            return await asyncio.to_thread(call)
        except KcodeError as error:
            self.say(f"✗ {error}", Role.BAD)
            return None

    async def act(self, call: Callable[[], object]) -> bool:
        """Make the call in a thread; False after an error, which is told."""
        try:
            await asyncio.to_thread(call)
        except KcodeError as error:
            self.say(f"✗ {error}", Role.BAD)
            return False
        return True

    def action_entry(self, what: Literal["accept", "next", "cancel"]) -> None:
        match what:
            case "accept":
                self.entry.action_accept()
            case "next":
                self.entry.action_next_choice()
            case "cancel":
                self.entry.action_give_up()

    def action_step(self, by: int) -> None:
        if self.main_list:
            self.main_list.action_step(by)

    def action_leap(self, pages: int) -> None:
        if self.main_list:
            self.main_list.action_leap(pages)

    def action_answer(self, yes: int) -> None:
        if self._agreeing and not self._agreeing.done():
            self._agreeing.set_result(bool(yes))

    def action_close(self) -> None:
        if self._agreeing:
            self.action_answer(0)
        else:
            leave(self, None)
