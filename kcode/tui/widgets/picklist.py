"""Picking one of many names: what is typed leaves those that it fits, and the mark shows which it would be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from kcode.tui.columns import said, spread
from kcode.tui.fuzzy import Candidates
from kcode.tui.lines import Role, Span
from kcode.tui.widgets.entryline import EntryLine
from kcode.tui.widgets.keybar import KeyBar, KeyHint
from kcode.tui.widgets.notice import Notice
from kcode.tui.widgets.patience import PATIENCE, is_typing, until_quiet
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from kcode.tui.texts import Texts

_HIGHEST = 9


def fitting(names: Candidates, typed: str, *, other: bool) -> list[str]:
    """The names that what is typed fits, the best first; with `other` also what is typed, as it stands there."""
    words = typed.strip()
    found = [names.texts[match.index] for match in names.rank(words, most=len(names.texts))]
    return [*found, words] if other and words and words not in names.texts else found


def pick_rows(names: Sequence[str], current: str, width: int, texts: Texts) -> list[Row]:
    """A row for each name."""
    now = (Span(texts("screens.pick_current"), Role.GOOD),)
    rows = [Row(spread((said(name),), now if name == current else (), width), name) for name in names]
    return rows or [Row((Span(texts("screens.pick_none"), Role.DIM),))]


class _Keys(KeyBar):
    """The keys of a list, to be clicked as well."""

    class Pressed(Message):
        """One of them was clicked."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def action_press(self, what: str) -> None:
        self.post_message(self.Pressed(what))


class PickList(Vertical):
    """Not there while nothing is picked. Enter picks what is marked, a click what it is on, and Esc nothing."""

    DEFAULT_CSS = """
    PickList { width: 100%; height: auto; display: none; background: $panel; border-top: solid $accent; }
    PickList Notice, PickList RowList, PickList EntryLine { background: $panel; }
    PickList RowList { max-height: 40vh; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", show=False),
        Binding("down", "step(1)", show=False),
        Binding("pageup", "leap(-1)", show=False),
        Binding("pagedown", "leap(1)", show=False),
    ]

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._title = Notice()
        self._list = RowList(one_click=True)
        # Keys go to the line where the name is typed.
        self._list.can_focus = False
        self._entry = EntryLine()
        self._tried: Callable[[str], None] = lambda _: None
        self._clicked = ""

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._list
        yield self._entry
        yield _Keys(
            (
                KeyHint("enter", self._texts("screens.question_choose"), "press('accept')"),
                KeyHint("↑", self._texts("screens.previous"), "press('up')"),
                KeyHint("↓", self._texts("screens.next"), "press('down')"),
                KeyHint("esc", self._texts("screens.pick_leave"), "press('leave')"),
            )
        )

    async def pick(
        self,
        question: str,
        names: Sequence[str],
        current: str = "",
        *,
        other: bool = False,
        tried: Callable[[str], None],
    ) -> str | None:
        """The name that the user picks, with `other` also one that is not among them; None where they turn away.

        `tried` is told of each name that the mark comes to.
        """
        if is_typing(self.screen):
            await until_quiet(self.screen, PATIENCE)
        known = Candidates(tuple(names))

        def show(typed: str) -> None:
            found = fitting(known, typed, other=other)
            at = current if not typed and current in found else found[0] if found else ""
            self._list.show(lambda width: pick_rows(found, current, width, self._texts), at)

        self._title.show(question, Role.STRONG)
        self._list.styles.height = min(max(len(names), 1), _HIGHEST)
        self.display, self._tried, self._clicked = True, tried, ""
        show("")
        try:
            typed = await self._entry.ask(self._texts("screens.pick_filter"), heard=show)
        finally:
            self.display = False
        return (self._clicked if typed is None else self._list.key) or None

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        if self.display and event.key and event.key == self._list.key:
            self._tried(event.key)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._clicked = event.key
        self._entry.action_give_up()

    def on__keys_pressed(self, event: _Keys.Pressed) -> None:
        match event.what:
            case "accept":
                self._entry.action_accept()
            case "leave":
                self._entry.action_give_up()
            case _:
                self.action_step(-1 if event.what == "up" else 1)

    def action_step(self, by: int) -> None:
        self._list.action_step(by)

    def action_leap(self, pages: int) -> None:
        self._list.action_leap(pages)
