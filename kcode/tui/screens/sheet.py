"""What the small screens share: a title, a body, a line for answers, what went wrong, and the keys at the foot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from kcode.errors import KcodeError
from kcode.tui.columns import paragraphs, spread
from kcode.tui.lines import Line, Role, Span
from kcode.tui.themes import palette_for
from kcode.tui.widgets.entryline import EntryLine
from kcode.tui.widgets.keybar import KeyBar, KeyHint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.geometry import Size
    from textual.strip import Strip

    from kcode.tui.texts import Texts
    from kcode.tui.widgets.rowlist import RowList

Result = TypeVar("Result")
Value = TypeVar("Value")
WIDE = 110


class TitleLine(Widget):
    """The screen's name at the left and what there is to know at once at the right."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TitleLine { dock: top; width: 100%; height: 1; padding: 0 2; background: $panel; }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._facts: Line = ()

    def show(self, facts: Line) -> None:
        """Put these facts at the right."""
        self._facts = facts
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - it is one line
        line = spread((Span(self._title, Role.HEADING),), self._facts, self.size.width)
        return palette_for(self.app.current_theme).strip(line, self.size.width).apply_style(self.rich_style)


class Notice(Widget):
    """What just happened, in at most a few lines above the keys; not there while there is nothing to say."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Notice { width: 100%; height: auto; max-height: 8; padding: 0 2; background: $background; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._text, self._role = "", Role.TEXT

    @property
    def text(self) -> str:
        """What is said at the moment."""
        return self._text

    def show(self, text: str, role: Role) -> None:
        """Say it; "" says nothing any longer."""
        self._text, self._role = text, role
        self.display = bool(text)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual gives all three
        return len(paragraphs(self._text, width, self._role))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        rows = paragraphs(self._text, max(self.size.width, 1), self._role)
        line = rows[y] if y < len(rows) else ()
        return palette_for(self.app.current_theme).strip(line, self.size.width).apply_style(self.rich_style)


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
        Binding("escape,q", "close", show=False, id="screen.close"),
        # For while an answer is typed and the keys are not the list's own.
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("pageup", "leap(-1)", show=False),
        Binding("pagedown", "leap(1)", show=False),
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
        if self.entry.is_open:
            more = [KeyHint("tab", self.text("next_choice"), "screen.entry_next")] if self.entry.has_choices else []
            accept = KeyHint("enter", self.text("accept"), "screen.entry_accept")
            self.keys.show([accept, *more, KeyHint("esc", self.text("cancel"), "screen.entry_cancel")])
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

    def text(self, key: str, **values: object) -> str:
        """A text of the small screens."""
        return self.texts(f"screens.{key}", **values)

    def on_mount(self) -> None:
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

    def action_entry_accept(self) -> None:
        self.entry.action_accept()

    def action_entry_next(self) -> None:
        self.entry.action_next_choice()

    def action_entry_cancel(self) -> None:
        self.entry.action_give_up()

    def action_step(self, by: int) -> None:
        if self.main_list:
            self.main_list.action_step(by)

    def action_leap(self, pages: int) -> None:
        if self.main_list:
            self.main_list.action_leap(pages)

    def action_close(self) -> None:
        self.dismiss(None)
