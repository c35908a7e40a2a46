"""The line at the bottom: what the model is, where one stands, how full the context is and what it has cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.sanitize import sanitize_line
from kcode.tui.lines import Ground, Role, Span, pad, shorten, width_of
from kcode.tui.widgets.oneline import OneLine

if TYPE_CHECKING:
    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts

_SEPARATOR: Span = Span(" · ", Role.GUTTER)
_BAR = 8
_SEND = "in_composer('send')"
_FULL, _HALF, _EMPTY = "█", "▌", "░"


@dataclass(frozen=True, slots=True)
class StatusState:
    """`cost` is in US dollars and None where it is not known, `is_spent` says that something was; `cached` is the share of the tokens sent that were cached.

    `is_confined` is False where commands run without a sandbox. `used` and `window` are in tokens, `trigger` is where the conversation is compacted. `background` is what goes on
    beside the conversation, in words; `vim` is the name of the mode. `send_key` sends what stands in the
    composer, if that `is_typed`, and `help_key` shows the help; "" is for a key that is not told of.
    """

    endpoint: str = ""
    model: str = ""
    is_confined: bool = True
    branch: str = ""
    is_spent: bool = False
    used: int = 0
    window: int = 0
    trigger: int = 0
    cost: float | None = None
    is_free: bool = False
    cached: float | None = None
    background: str = ""
    vim: str = ""
    help_key: str = ""
    send_key: str = ""
    is_typed: bool = False


def status_line(state: StatusState, width: int, texts: Texts) -> Line:
    """As many parts as the width takes: what matters least goes first, and what stays keeps its place.

    At the right is a key to be clicked on: that which sends what is typed, or the help's. Both have the same room.
    """
    hints = _hint(state.help_key, "help", "open('help')", texts), _hint(state.send_key, "send", _SEND, texts)
    hint, room = hints[state.is_typed], max(map(width_of, hints)) + 2
    if not hint or width < 3 * room:
        return _facts(state, width, texts)
    return (*_facts(state, width - width_of(hint) - 1, texts, spare=room - width_of(hint) - 1), *hint, Span(" "))


def _hint(key: str, what: str, action: str, texts: Texts) -> Line:
    action = f"screen.{action}"
    words = (Span(key, Role.ACCENT, action=action), Span(f" {texts(f'status.{what}')}", Role.DIM, action=action))
    return words if key else ()


def _facts(state: StatusState, width: int, texts: Texts, *, spare: int = 1) -> Line:
    """The parts in so many cells, of which `spare` at the end stay empty."""
    parts = [(rank, shown) for rank, shown in _parts(state, texts) if shown]
    for least in sorted((rank for rank, _ in parts), reverse=True):
        line = _joined([shown for _, shown in parts])
        if width_of(line) <= width - 1 - spare:
            break
        if len(parts) > 1:
            parts = [(rank, shown) for rank, shown in parts if rank != least]
    return pad(shorten((Span(" "), *_joined([shown for _, shown in parts])), max(width - spare, 0)), width)


def _joined(parts: list[Line]) -> Line:
    spans: list[Span] = []
    for shown in parts:
        spans += [_SEPARATOR, *shown] if spans else shown
    return tuple(spans)


def _parts(state: StatusState, texts: Texts) -> list[tuple[int, Line]]:
    """The parts from left to right, each with its rank, of which 0 is the last to go."""
    model = sanitize_line(state.model)
    short = model.rsplit("/", 1)[-1]
    return [
        (1, (Span(f" {state.vim.upper()} ", Role.STRONG, Ground.CURSOR),) if state.vim else ()),
        (0, (Span(short, Role.STRONG),) if short else ()),
        (6, (Span(sanitize_line(state.endpoint), Role.DIM),) if state.endpoint else ()),
        (2, () if state.is_confined else (Span(texts("status.no_sandbox"), Role.WARNING),)),
        (5, (Span(f"{texts('status.branch')} ", Role.GUTTER), Span(_branch(state.branch), Role.DIM)) if state.branch else ()),
        (1, _meter(state, texts)),
        (3, _cost(state, texts)),
        (7, (Span(texts("status.cached", share=f"{state.cached:.0%}"), Role.DIM),) if state.cached is not None else ()),
        (4, (Span(f"◌ {sanitize_line(state.background)}", Role.ACCENT),) if state.background else ()),
    ]  # fmt: skip


def _branch(name: str) -> str:
    name = sanitize_line(name)
    return name if len(name) <= 28 else name[:27] + "…"


def _cost(state: StatusState, texts: Texts) -> Line:
    if state.is_free:
        return ()
    if state.cost is None:
        return (Span(texts("status.cost_unknown"), Role.DIM),) if state.is_spent else ()
    return (Span(f"${state.cost:.2f}" if state.cost >= 0.1 or not state.cost else f"${state.cost:.3f}"),)


def _meter(state: StatusState, texts: Texts) -> Line:
    """A bar and what share of the window is used; near the point of compaction also how far it is to that."""
    if not state.window:
        return ()
    share = min(state.used / state.window, 1.0)
    limit = state.trigger or state.window
    near = state.used / limit
    role = Role.BAD if near >= 0.95 else Role.WARNING if near >= 0.8 else Role.TOOL
    halves = round(share * _BAR * 2)
    bar = _FULL * (halves // 2) + _HALF * (halves % 2)
    spans = [
        Span(f"{texts('status.context')} ", Role.GUTTER),
        Span(bar, role),
        Span(_EMPTY * (_BAR - len(bar)), Role.GUTTER),
        Span(f" {share:.0%}", role if near >= 0.8 else Role.TEXT),
    ]
    if near >= 0.8:
        left = max(limit - state.used, 0)
        spans.append(Span(f" {texts('status.left', tokens=short_number(left))}", role))
    return tuple(spans)


def short_number(number: int) -> str:
    """A count in at most five characters: 950, 9.5k, 131k, 1.2M."""
    if number < 1000:
        return str(number)
    for size, letter in ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "G")):
        if number < size * 1000 or letter == "G":
            value = number / size
            return f"{value:.1f}{letter}" if value < 9.95 else f"{value:.0f}{letter}"
    raise AssertionError


class StatusLine(OneLine):
    """Shows `state`; set it as often as you like, the screen is touched only where what is seen changes."""

    DEFAULT_CSS = """
    StatusLine { background: $panel; }
    """
    ground = Ground.PANEL

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._texts = texts
        self._state = StatusState()

    @property
    def state(self) -> StatusState:
        return self._state

    @state.setter
    def state(self, state: StatusState) -> None:
        self._state = state
        self.draw()

    def line(self, width: int) -> Line:
        return status_line(self._state, width, self._texts)
