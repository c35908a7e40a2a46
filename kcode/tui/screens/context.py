"""What fills the window, what the next call costs, and which files are kept or dropped at a compaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Horizontal

from kcode.pricing import write_dollars
from kcode.tui.columns import column, paragraphs, said, spread, write_cost, write_share
from kcode.tui.dismissal import leave
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Line, Role, Span, width_of, wrap
from kcode.tui.screens.sheet import Sheet
from kcode.tui.widgets.keybar import KeyHint
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kcode.agent.accounting import Account
    from kcode.agent.pins import Pins
    from kcode.agent.windowfiles import WindowFile
    from kcode.tui.texts import Texts

_GAP, _COUNT, _SHARE, _COST = 2, 9, 5, 10
_CACHED, _FRESH, _FREE, _TRIGGER = "█", "▓", "░", "╎"


@dataclass(frozen=True, slots=True)
class Compact:
    """The user wants the conversation compacted; `focus` is what the note has to keep above all, "" for nothing more."""

    focus: str


def window_bar(account: Account, width: int) -> Line:
    """The window from its start to its end: what is probably cached, what is not yet, and what is free.

    Each part that is there has a cell at least. The lengths from which the conversation is compacted are marked.
    """
    size = max(account.window, 1)
    cached = min(account.next.cached, account.tokens, size)
    first = _cells(cached, size, width)
    filled = max(_cells(min(account.tokens, size), size, width), first + (account.tokens > cached and first < width))
    cells = [(_CACHED, Role.GOOD)] * first + [(_FRESH, Role.WARNING)] * (filled - first)
    cells += [(_FREE, Role.RULE)] * (width - len(cells))
    for trigger in (account.soft, account.hard):
        at = trigger * width // size
        if at < width:
            cells[at] = (_TRIGGER, Role.ACCENT)
    return tuple(Span(sign, role) for sign, role in cells)


def _cells(part: int, whole: int, width: int) -> int:
    return max(1, part * width // whole) if part > 0 else 0


def account_rows(account: Account, width: int, texts: Texts) -> list[Row]:
    """The account: the window as a bar, its layers, and what the calls cost."""
    about = "" if account.is_exact else "~"
    used = texts("screens.window_used", tokens=f"{about}{account.tokens:,}", window=f"{account.window:,}")
    share = Span(write_share(account.tokens, account.window), Role.STRONG)
    lines: list[Line] = [
        spread((Span(used),), (share,), width),
        window_bar(account, width),
        *wrap((Span(texts("screens.legend"), Role.DIM),), width),
        (),
        *_layer_lines(account, width, texts),
        (),
        *_fact_lines(account, width, texts),
    ]
    return [Row(line) for line in lines]


def _layer_lines(account: Account, width: int, texts: Texts) -> list[Line]:
    names = {layer.name: _layer_name(layer.name, texts) for layer in account.layers}
    first = max(width_of((Span(name),)) for name in (*names.values(), texts("screens.in_all"))) + _GAP
    rows = [(names[layer.name], layer.tokens, layer.is_exact) for layer in account.layers if layer.tokens]
    room = width - first - _COUNT - _SHARE - _COST - _GAP
    most = max((tokens for _, tokens, _ in rows), default=1)
    lines: list[Line] = []
    for name, tokens, is_exact in rows:
        line = _amount_line(name, tokens, is_exact, account, first, Role.TEXT)
        lines.append((*line, Span("  "), Span("▇" * _cells(tokens, most, room), Role.RULE)) if room > 0 else line)
    lines.append(_amount_line(texts("screens.in_all"), account.tokens, account.is_exact, account, first, Role.STRONG))
    return lines


def _layer_name(name: str, texts: Texts) -> str:
    return texts(f"screens.layer_{name.replace(' ', '_').replace(chr(39), '')}")


def _amount_line(name: str, tokens: int, is_exact: bool, account: Account, first: int, role: Role) -> Line:
    count = f"{'' if is_exact else '~'}{tokens:,}"
    cost = account.next.cost
    # Which layers are cached is not known apart, so each bears its share of the whole.
    dollars = "" if not cost else write_dollars(cost * tokens / max(account.tokens, 1))
    return (
        *column((Span(name, Role.DIM if role is Role.TEXT else role),), first),
        *column((Span(count, role),), _COUNT, right=True),
        *column((Span(write_share(tokens, account.window), Role.DIM),), _SHARE, right=True),
        *column((Span(dollars, Role.DIM),), _COST, right=True),
    )


def _fact_lines(account: Account, width: int, texts: Texts) -> list[Line]:
    facts = []
    if last := account.last:
        share = write_share(last.cached_tokens, last.prompt_tokens)
        told = texts(
            "screens.last_call_facts", tokens=f"{last.prompt_tokens:,}", share=share, out=f"{last.completion_tokens:,}"
        )
        facts.append(("last_call", told))
    if account.spent.steps:
        about = "≈ " if account.spent.usage.cost_is_estimate else ""
        parts = [texts("screens.replies", count=account.spent.steps)]
        if account.compactions:
            parts.append(texts("screens.compactions", count=account.compactions))
        facts.append(("so_far", " · ".join([*parts, about + write_cost(texts, account.spent.usage.cost)])))
    ahead = account.next
    numbers = {"cached": f"{ahead.cached:,}", "fresh": f"{ahead.fresh:,}"}
    if ahead.cost is None:
        facts.append(("next_call", texts("screens.next_facts_unpriced", **numbers)))
    else:
        facts.append(("next_call", texts("screens.next_facts", **numbers, cost=write_cost(texts, ahead.cost))))
    triggers = {
        "soft": f"{account.soft:,}",
        "soft_left": _left(account.soft, account, texts),
        "hard": f"{account.hard:,}",
        "hard_left": _left(account.hard, account, texts),
    }
    facts.append(("compaction", texts("screens.compaction_facts", **triggers)))
    first = max(width_of((Span(texts(f"screens.{name}")),)) for name, _ in facts) + _GAP
    lines: list[Line] = []
    for name, told in facts:
        rows = wrap((Span(told),), max(width - first, 2))
        lines.append((*column((Span(texts(f"screens.{name}"), Role.DIM),), first), *rows[0]))
        lines += [(Span(" " * first), *row) for row in rows[1:]]
    return lines


def _left(trigger: int, account: Account, texts: Texts) -> str:
    left = trigger - account.tokens
    return texts("screens.left", tokens=f"{left:,}") if left > 0 else texts("screens.reached")


def file_rows(files: Sequence[WindowFile], pins: Pins, width: int, texts: Texts) -> list[Row]:
    """The files with what they take, and what the user said of them."""
    rows = [Row((Span(texts("screens.files_here"), Role.HEADING),))]
    rows += [Row(line) for line in paragraphs(texts("screens.pins_words"), width, Role.DIM)]
    rows.append(Row(()))
    known = {file.path for file in files}
    for path in (path for path in (*pins.kept, *pins.dropped) if path not in known):
        rows.append(Row(spread((said(path),), _standing(path, pins, texts), width), path))
    for file in files:
        calls = texts("screens.calls", count=file.calls)
        size: Line = (Span(f"  ~{file.tokens:,} · {calls}", Role.DIM),)
        right = (*_standing(file.path, pins, texts), *size)
        rows.append(Row(spread((said(file.path),), right, width), file.path))
    if not any(row.key for row in rows):
        rows += [Row(line) for line in paragraphs(texts("screens.no_files"), width, Role.DIM)]
    return rows


def _standing(path: str, pins: Pins, texts: Texts) -> Line:
    if path in pins.kept:
        return (Span(texts("screens.pinned"), Role.GOOD),)
    if path in pins.dropped:
        return (Span(texts("screens.dropped"), Role.WARNING),)
    return ()


def next_pins(pins: Pins, path: str) -> Pins:
    """Kept, then dropped, then neither."""
    if path in pins.kept:
        return pins.drop(path)
    return pins.release(path) if path in pins.dropped else pins.keep(path)


class ContextScreen(Sheet["Compact"]):
    """Gives Compact where the user wants that now. `set_pins` is told of each change of what is kept and dropped."""

    DEFAULT_CSS = """
    ContextScreen RowList { width: 1fr; }
    ContextScreen #account { border-right: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("context")

    def __init__(
        self,
        texts: Texts,
        account: Account,
        files: Sequence[WindowFile],
        pins: Pins,
        set_pins: Callable[[Pins], None],
    ) -> None:
        super().__init__(texts, texts("screens.context"))
        self._account, self._files = account, files
        self._pins, self._set_pins = pins, set_pins
        self._facts = RowList(lambda width: account_rows(account, width, texts), id="account", classes="wide-only")
        self._list = RowList(self._rows, id="files")
        self.main_list = self._list

    def compose_body(self) -> ComposeResult:
        with Horizontal(classes="body"):
            yield self._facts
            yield self._list

    def hints(self) -> Sequence[KeyHint]:
        return (
            KeyHint("p", self.text("pin"), "screen.pin"),
            KeyHint("d", self.text("drop"), "screen.drop"),
            KeyHint("c", self.text("compact"), "screen.compact"),
            KeyHint("↓", self.text("down"), "screen.step(1)"),
            KeyHint("↑", self.text("up"), "screen.step(-1)"),
            self.closing(),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()
        self.title_line.show((said(self._account.model, Role.DIM),))
        self._list.show(self._rows, at_top=True)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._change(next_pins(self._pins, event.key))

    def action_pin(self) -> None:
        path = self._list.key
        if path:
            self._change(self._pins.release(path) if path in self._pins.kept else self._pins.keep(path))

    def action_drop(self) -> None:
        path = self._list.key
        if path:
            self._change(self._pins.release(path) if path in self._pins.dropped else self._pins.drop(path))

    @work(exclusive=True, group="ask")
    async def action_compact(self) -> None:
        focus = await self.ask(self.text("focus_label"))
        if focus is not None:
            leave(self, Compact(focus.strip()))

    def _change(self, pins: Pins) -> None:
        self._pins = pins
        self._set_pins(pins)
        self._list.remake()

    def _rows(self, width: int) -> Sequence[Row]:
        files = file_rows(self._files, self._pins, width, self.texts)
        if self._facts.display:
            return files
        return [*account_rows(self._account, width, self.texts), Row(()), *files]
