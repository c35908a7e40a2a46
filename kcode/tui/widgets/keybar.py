"""The line of keys at the foot of a screen; a click on a key does what the key does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.strip import Strip
from textual.widget import Widget

from kcode.tui.keys import printed_key
from kcode.tui.lines import Line, Role, Span, width_of
from kcode.tui.themes import palette_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.geometry import Size


class KeyHint(NamedTuple):
    """A key as it is shown, what it does in a word or two, and the action that it runs."""

    key: str
    words: str
    action: str


def hint_rows(hints: Sequence[KeyHint], width: int, bound: Mapping[str, Sequence[str]] | None = None) -> list[Line]:
    """The hints in as many rows as they need; one whose key is not among those `bound` to its action shows one of them."""
    rows: list[list[Span]] = [[]]
    used = 0
    for hint in hints:
        keys = (bound or {}).get(hint.action, ())
        key = hint.key if not keys or hint.key in keys else keys[0]
        piece = (Span(key, Role.ACCENT, action=hint.action), Span(f" {hint.words}", Role.DIM, action=hint.action))
        size = width_of(piece)
        if used and used + 2 + size > width:
            rows.append([])
            used = 0
        if used:
            rows[-1].append(Span("  "))
            used += 2
        rows[-1] += piece
        used += size
    return [tuple(row) for row in rows]


class KeyBar(Widget):
    """One line of hints, or two where one is too narrow."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar { width: 100%; height: auto; padding: 0 1; background: $panel; }
    """

    def __init__(self, hints: Sequence[KeyHint] = ()) -> None:
        super().__init__()
        self._hints = tuple(hints)

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def show(self, hints: Sequence[KeyHint]) -> None:
        """Show other hints."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual gives all three
        return len(self._rows(width))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        rows = self._rows(width)
        if y >= len(rows):
            return Strip.blank(width, self.rich_style)
        return palette_for(self.app.current_theme).strip(rows[y], width).apply_style(self.rich_style)

    def _rows(self, width: int) -> list[Line]:
        return hint_rows(self._hints, max(width, 1), self._bound())

    def _bound(self) -> dict[str, list[str]]:
        """Which keys run each action of the screen, as the user's keymap has them."""
        found: dict[str, list[str]] = {}
        for key, active in self.screen.active_bindings.items():
            if active.node is self.screen:
                found.setdefault(f"screen.{active.binding.action}", []).append(printed_key(key))
        return found
