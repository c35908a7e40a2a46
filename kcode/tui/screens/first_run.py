"""The first run: which endpoint, and the key for it, or a look around without one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.containers import Vertical

from kcode.tui.columns import paragraphs, said, spread
from kcode.tui.dismissal import leave
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Role, Span
from kcode.tui.screens.sheet import Sheet
from kcode.tui.widgets.keybar import KeyHint
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kcode.providers.endpoints import Endpoint
    from kcode.providers.keycheck import KeyCheck
    from kcode.providers.logins import HeldKey, Logins
    from kcode.tui.texts import Texts

_DEMO, _CUSTOM = "/demo", "/custom"


@dataclass(frozen=True, slots=True)
class Ready:
    """The endpoint to be used; `base_url` where it is none of the table's own."""

    endpoint: str
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Demo:
    """The user wants to look around without a key."""


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint, and where the key for it is."""

    endpoint: Endpoint
    held: HeldKey


def place_rows(places: Sequence[Place], width: int, texts: Texts) -> list[Row]:
    """What kcode needs, the endpoints that have it, any other URL, and the demo."""
    rows = [*(Row(line) for line in paragraphs(texts("screens.welcome"), width)), Row(())]
    for place in places:
        name = place.endpoint.name
        rows.append(
            Row(spread((said(place.endpoint.title, Role.STRONG),), (held_in_words(place.held, texts),), width), name)
        )
        rows.append(Row(spread((Span(_price(place.endpoint, texts), Role.DIM),), (), width), name))
        if source := _source(place, texts):
            rows.append(Row(spread((Span(source, Role.DIM),), (), width), name))
        rows.append(Row(()))
    for key, name in ((_CUSTOM, "custom"), (_DEMO, "demo")):
        rows.append(Row((Span(texts(f"screens.{name}_row"), Role.STRONG),), key))
        rows += [Row(line, key) for line in paragraphs(texts(f"screens.{name}_words"), width, Role.DIM)]
        rows.append(Row(()))
    return rows[:-1]


def held_in_words(held: HeldKey, texts: Texts) -> Span:
    """Where the key is, with a sign and a colour that say whether that is enough."""
    words = texts(f"screens.held_{held.place.replace(' ', '_')}", variable=held.variable, hint=held.hint).strip()
    return Span(f"✓ {words}", Role.GOOD) if held.is_enough else Span(words, Role.DIM)


def _price(endpoint: Endpoint, texts: Texts) -> str:
    if endpoint.is_loopback:
        return texts("screens.price_local")
    price = endpoint.prices.get(next(iter(endpoint.models), ""))
    if price is None:
        return texts("screens.price_unknown")
    if price.cached is None:
        return texts("screens.price_uncached", input=price.input, output=price.output)
    return texts("screens.price", input=price.input, output=price.output, cached=price.cached)


def _source(place: Place, texts: Texts) -> str:
    """Where a key is had and which variable would serve, for who has none."""
    if place.held.is_enough:
        return ""
    parts = []
    if place.endpoint.key_page:
        parts.append(texts("screens.get_key", page=place.endpoint.key_page))
    parts += [texts("screens.or_set", variable=name) for name in place.endpoint.key_variables[:1]]
    return " · ".join(parts)


class FirstRunScreen(Sheet["Ready | Demo"]):
    """Gives Ready once there is an endpoint with all that it needs, Demo, or None. `message` is why it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("first-run")

    def __init__(self, texts: Texts, logins: Logins, message: str = "") -> None:
        super().__init__(texts, texts("screens.first_run"))
        self._logins, self._message = logins, message
        self._places: dict[str, Place] = {}
        self._list = RowList(id="places")
        self.main_list = self._list

    def compose_body(self) -> ComposeResult:
        with Vertical(classes="body"):
            yield self._list

    def hints(self) -> Sequence[KeyHint]:
        return (
            KeyHint("enter", self.text("choose"), "screen.choose"),
            KeyHint("c", self.text("enter_key"), "screen.enter_key"),
            KeyHint("d", self.text("demo"), "screen.demo"),
            self.closing(),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()
        if self._message:
            self.say(self._message, Role.WARNING)
        self._load()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        if not self.is_asking:
            self._choose(self._list.key)

    def action_enter_key(self) -> None:
        if place := self._places.get(self._list.key):
            self._enter_key(place.endpoint)

    def action_demo(self) -> None:
        leave(self, Demo())

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        from kcode.providers.logins import held_key  # noqa: PLC0415 - after the first paint

        def look() -> list[Place]:
            stored = self._logins.stored()
            found = self._logins.endpoints()
            return [Place(row, held_key(row, stored, self._logins.environment)) for row in found]

        places = await self.fetch(look) or []
        self._places = {place.endpoint.name: place for place in places}
        self._list.show(lambda width: place_rows(places, width, self.texts), at_top=True)

    @work(exclusive=True, group="ask")
    async def _choose(self, key: str) -> None:
        if key == _DEMO:
            self.action_demo()
        elif key == _CUSTOM:
            await self._take_url()
        elif place := self._places.get(key):
            if place.held.is_enough:
                leave(self, Ready(place.endpoint.name))
            else:
                await self._take_key(place.endpoint, None)

    @work(exclusive=True, group="ask")
    async def _enter_key(self, endpoint: Endpoint) -> None:
        await self._take_key(endpoint, None)

    async def _take_url(self) -> None:
        url = await self.ask(self.text("url_label"), "https://")
        if not url:
            return
        endpoint = await self.fetch(lambda: self._logins.at(url))
        if endpoint is None:
            return
        if endpoint.is_loopback:
            leave(self, Ready(endpoint.name, endpoint.base_url))
        else:
            await self._take_key(endpoint, endpoint.base_url)

    async def _take_key(self, endpoint: Endpoint, base_url: str | None) -> None:
        label = self.text("key_label", title=said(endpoint.title).text, host=said(endpoint.host).text)
        key = (await self.ask(label, hidden=True) or "").strip()
        if not key:
            return
        self.say(self.text("checking", host=endpoint.host), Role.DIM)
        # The library that sends it takes half a second to import.
        check = await self.fetch(lambda: asyncio.run(self._logins.check(endpoint, key)))
        if check is None or not await self._may_store(check):
            return
        if await self.fetch(lambda: self._logins.store(endpoint, key)) is not None:
            leave(self, Ready(endpoint.name, base_url))

    async def _may_store(self, check: KeyCheck) -> bool:
        if check.accepted is False:
            self.say(self.text("refused", text=check.text), Role.BAD)
        if check.accepted is None:
            return await self.agree(self.text("untried", text=check.text))
        return check.accepted
