"""The list above the composer: what can be taken for what is being typed, or sent messages that fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.message import Message
from textual.widget import Widget

from kcode.sanitize import sanitize_line
from kcode.tui.lines import Ground, Role, Span, cut, on, pad, shorten, width_of
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Click, MouseScrollDown, MouseScrollUp
    from textual.strip import Strip

    from kcode.tui.completing import Offer
    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts

MOST_ROWS = 8


class Completion(Widget):
    """Stands in the layout right before the composer, takes no room there, and lies over what is above it."""

    DEFAULT_CSS = """
    Completion {
        overlay: screen;
        display: none;
        width: 1fr;
        height: 1;
        background: $panel;
    }
    """

    @dataclass
    class Taken(Message):
        """The offer of this number was clicked; goes to `target`."""

        number: int

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._texts = texts
        self._offers: Sequence[Offer] = ()
        self._cursor = 0
        self._top = 0
        self._rows = MOST_ROWS
        self._hint = ""
        self.target: Widget | None = None

    @property
    def is_open(self) -> bool:
        return bool(self._offers)

    @property
    def chosen(self) -> Offer | None:
        return self._offers[self._cursor] if self._offers else None

    @property
    def offers(self) -> Sequence[Offer]:
        return self._offers

    @property
    def number(self) -> int:
        """Which of the offers is chosen, from 0."""
        return self._cursor

    def show(self, offers: Sequence[Offer], hint: str = "", *, rows: int = MOST_ROWS) -> None:
        """Open with these, the first one chosen, at most so many rows high; close for none."""
        self._offers, self._cursor, self._top, self._hint = offers, 0, 0, hint
        self._rows = max(rows, 1)
        if not offers:
            self.display = False
            return
        height = min(len(offers), self._rows) + 1
        if not self.display or self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
            self.styles.offset = (0, -height)
            self.display = True
        self.refresh(layout=False)

    def close(self) -> None:
        if self._offers:
            self.show(())

    def move(self, by: int) -> None:
        """Choose another one; after the last comes the first."""
        if self._offers:
            self._cursor = (self._cursor + by) % len(self._offers)
            self._top = min(max(self._top, self._cursor - self._rows + 1), self._cursor)
            self.refresh(layout=False)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        palette = palette_for(self.app.current_theme)
        number = self._top + y
        if y < self._rows and number < len(self._offers):
            line = offer_line(self._offers[number], width, is_chosen=number == self._cursor)
        elif self._offers:
            line = self._foot(width)
        else:
            line = ()
        return palette.strip(line, width, Ground.PANEL).apply_style(self.rich_style)

    def _foot(self, width: int) -> Line:
        place = f"{self._cursor + 1}/{len(self._offers)}"
        hint = shorten((Span("  "), Span(self._hint, Role.DIM)), max(width - len(place) - 2, 0))
        return (*pad(hint, max(width - len(place) - 1, 0)), Span(place, Role.DIM))

    def on_click(self, event: Click) -> None:
        event.stop()
        number = self._top + event.y
        if event.y < self._rows and number < len(self._offers) and self.target is not None:
            self.target.post_message(self.Taken(number))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        if self._cursor < len(self._offers) - 1:
            self.move(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        if self._cursor:
            self.move(-1)

    def choose(self, number: int) -> None:
        if 0 <= number < len(self._offers):
            self._cursor = number


def offer_line(offer: Offer, width: int, *, is_chosen: bool) -> Line:
    """An offer's row: what was typed of it stands out, a path too long loses its beginning."""
    mark = Span("› " if is_chosen else "  ", Role.STRONG)  # noqa: RUF001 - a sign, so that colour is not all
    label = _label(offer, Role.STRONG if is_chosen else Role.ACCENT)
    detail = sanitize_line(offer.detail)
    room = max(width - 3, 0)
    taken = min(cell_len(detail), max(room // 2, room - width_of(label) - 2)) if detail else 0
    left = max(room - taken - (2 if taken else 0), 0)
    if width_of(label) > left:
        size = width_of(label)
        label = (Span("…", Role.DIM), *cut(label, size - left + 1, size)) if left else ()
    if taken:
        gap = Span("  ") if offer.label.startswith("/") else Span(" " * max(room - width_of(label) - taken, 2))
        label = (*(pad(label, 18) if offer.label.startswith("/") else label), gap)
        label = (*label, *shorten((Span(detail, Role.DIM),), max(room - width_of(label), 0)))
    line = shorten((mark, *label), width)
    return on(Ground.CURSOR, pad(line, width)) if is_chosen else line


def _label(offer: Offer, marked_role: Role) -> Line:
    spans: list[Span] = []
    marked = set(offer.positions)
    run, is_marked = "", False
    for at, character in enumerate(offer.label):
        if (at in marked) != is_marked and run:
            spans.append(Span(sanitize_line(run), marked_role if is_marked else Role.TEXT))
            run = ""
        is_marked = at in marked
        run += character
    if run:
        spans.append(Span(sanitize_line(run), marked_role if is_marked else Role.TEXT))
    return tuple(spans)
