"""What the user may set of the interface, with a sample of how it looks, and where endpoint and model come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.containers import Horizontal

from kcode.errors import KcodeError
from kcode.tui.columns import column, paragraphs, said
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Ground, Line, Role, Span, on, pad, shorten, width_of, wrap
from kcode.tui.screens.sheet import Sheet
from kcode.tui.widgets.keybar import KeyHint
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kcode.tui.texts import Texts

    SetValue = Callable[[str, str], Awaitable[None]]

_GAP = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """One preference; without `choices` its value is any text. What `waits` holds from the next start on."""

    name: str
    words: str
    value: str
    choices: tuple[str, ...] = ()
    waits: bool = False


class Origin(NamedTuple):
    """A setting that is not changed here: its value, and the flag, variable or file that it comes from."""

    name: str
    value: str
    source: str


def neighbour(setting: Setting, by: int) -> str:
    """The choice so many places on; the value itself where there are no choices."""
    if not setting.choices:
        return setting.value
    at = setting.choices.index(setting.value) if setting.value in setting.choices else -(by > 0)
    return setting.choices[(at + by) % len(setting.choices)]


def setting_rows(settings: Sequence[Setting], origins: Sequence[Origin], width: int, texts: Texts) -> list[Row]:
    """Each setting with its value and what it means, then where the model comes from."""
    names = [setting.name for setting in settings] + [origin.name for origin in origins]
    first = max((width_of((said(name),)) for name in names), default=0) + _GAP
    rows: list[Row] = []
    for setting in settings:
        value = said(setting.value, Role.STRONG)
        arrows = (Span("◂ ", Role.DIM), value, Span(" ▸", Role.DIM)) if setting.choices else (Span("  "), value)
        rows.append(Row((*column((said(setting.name, Role.ACCENT),), first), *arrows), setting.name))
        words = f"{setting.words} {texts('screens.from_next_start')}" if setting.waits else setting.words
        rows += [Row(line, setting.name) for line in _indented(words, first + 2, width)]
        rows.append(Row(()))
    if origins:
        rows.append(Row((Span(texts("screens.origins"), Role.HEADING),)))
    for origin in origins:
        rows.append(Row((*column((said(origin.name, Role.DIM),), first), Span("  "), said(origin.value))))
        rows += [Row(line) for line in _indented(texts("screens.from", source=origin.source), first + 2, width)]
    return rows


def _indented(text: str, indent: int, width: int) -> list[Line]:
    lines = wrap((said(text, Role.DIM),), max(width - indent, 2))
    return [(Span(" " * indent), *line) for line in lines]


def sample_rows(width: int, texts: Texts) -> list[Row]:
    """A few lines of everything that a theme colours."""
    removed = on(Ground.REMOVED, (Span("- ", Role.REMOVED), Span("    return total", Role.TEXT)))
    added = on(
        Ground.ADDED,
        (
            Span("+ ", Role.ADDED),
            Span("    "),
            Span("return", Role.KEYWORD),
            Span(" "),
            Span("round", Role.FUNCTION, Ground.ADDED_WORD),
            Span("(total, ", Role.TEXT),
            Span("2", Role.NUMBER),
            Span(")"),
        ),
    )
    lines: list[Line] = [
        *wrap((Span(texts("screens.sample_user"), Role.USER),), width),
        (),
        *wrap((Span(texts("screens.sample_thought"), Role.REASONING),), width),
        (),
        (Span("edit_file", Role.TOOL), Span(" billing/money.py ", Role.TEXT), Span("+1 -1", Role.DIM)),
        pad(removed, width, Ground.REMOVED),
        pad(added, width, Ground.ADDED),
        (Span("  "), Span("# 12 %", Role.COMMENT), Span("  "), Span('"net"', Role.STRING)),
        (),
        (Span("✓ ", Role.GOOD), Span(texts("screens.sample_good"), Role.GOOD)),
        (Span("✗ ", Role.BAD), Span(texts("screens.sample_bad"), Role.BAD)),
        (Span("! ", Role.WARNING), Span(texts("screens.sample_warning"), Role.WARNING)),
    ]
    return [Row(shorten(line, width)) for line in lines]


class SettingsScreen(Sheet[None]):
    """A change is kept at once, by `set_value`, which raises KcodeError where that cannot be."""

    DEFAULT_CSS = """
    SettingsScreen #settings { width: 3fr; }
    SettingsScreen #sample { width: 2fr; border-left: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("settings")

    def __init__(
        self, texts: Texts, settings: Sequence[Setting], set_value: SetValue, origins: Sequence[Origin] = ()
    ) -> None:
        super().__init__(texts, texts("screens.settings"))
        self._settings = {setting.name: setting for setting in settings}
        self._set_value, self._origins = set_value, origins
        self._list = RowList(self._rows, id="settings")
        self._sample = RowList(lambda width: sample_rows(width, texts), id="sample", classes="wide-only")
        self._sample.can_focus = False
        self.main_list = self._list

    def compose_body(self) -> ComposeResult:
        with Horizontal(classes="body"):
            yield self._list
            yield self._sample

    def hints(self) -> Sequence[KeyHint]:
        return (
            KeyHint("→", self.text("next"), "screen.change(1)"),
            KeyHint("←", self.text("previous"), "screen.change(-1)"),
            KeyHint("enter", self.text("change"), "screen.choose"),
            self.closing(),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        setting = self._settings.get(self._list.key)
        if setting and not setting.choices:
            self._ask(setting)
        else:
            self.action_change(1)

    def action_change(self, by: int) -> None:
        setting = self._settings.get(self._list.key)
        if setting and setting.choices:
            self._keep(setting, neighbour(setting, by))

    @work(exclusive=True, group="ask")
    async def _ask(self, setting: Setting) -> None:
        answer = await self.ask(f"{setting.name}:", setting.value)
        if answer is not None and answer.strip() != setting.value:
            self._keep(setting, answer.strip())

    @work(group="keep")
    async def _keep(self, setting: Setting, value: str) -> None:
        try:
            await self._set_value(setting.name, value)
        except KcodeError as error:
            self.say(f"✗ {error}", Role.BAD)
            return
        self._settings[setting.name] = replace(setting, value=value)
        self.say(self.text("next_start", name=setting.name, value=value) if setting.waits else "")
        self._list.remake()

    def _rows(self, width: int) -> Sequence[Row]:
        found = setting_rows(list(self._settings.values()), self._origins, width, self.texts)
        return found or [Row(line) for line in paragraphs(self.text("no_settings"), width, Role.DIM)]
