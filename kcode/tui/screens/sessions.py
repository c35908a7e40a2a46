"""The sessions of this workspace: to find one, read its end, go on with it, fork, rename or export it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from textual import work
from textual.containers import Horizontal

from kcode.tui.columns import paragraphs, said, spread, write_ago, write_cost
from kcode.tui.dismissal import leave
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Line, Role, Span
from kcode.tui.screens.sheet import Sheet
from kcode.tui.widgets.keybar import KeyHint
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kcode.tui.texts import Texts

FORMATS = ("md", "html", "json")
_LONGEST_NAME = 200


class SessionEntry(Protocol):
    """A session as the list shows it, such as kcode.session.summary has it.

    `cost` is in US dollars, None where it is not known; `is_open` says that a process works in it.
    """

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def started(self) -> datetime: ...
    @property
    def last_used(self) -> datetime: ...
    @property
    def model(self) -> str | None: ...
    @property
    def endpoint(self) -> str | None: ...
    @property
    def turns(self) -> int: ...
    @property
    def messages(self) -> int: ...
    @property
    def pending_files(self) -> int: ...
    @property
    def cost(self) -> float | None: ...
    @property
    def cost_is_estimate(self) -> bool: ...
    @property
    def is_open(self) -> bool: ...


class Said(NamedTuple):
    """One message of a preview."""

    by_user: bool
    text: str


class SessionShelf(Protocol):
    """Where the sessions are. All of it is called in a thread, and raises KcodeError with what to tell the user."""

    def entries(self) -> Sequence[SessionEntry]:
        """All of this workspace, the newest first."""

    def search(self, words: str) -> Collection[str]:
        """The ids of the sessions whose title or user's messages have all of the words."""

    def preview(self, session_id: str) -> Sequence[Said]:
        """The last messages, the oldest of them first."""

    def name_session(self, session_id: str, title: str) -> None: ...

    def export(self, session_id: str, file: str) -> str:
        """Write the session into the file, whose ending says the format; returns the path as it is shown."""


@dataclass(frozen=True, slots=True)
class Resume:
    id: str


@dataclass(frozen=True, slots=True)
class Fork:
    id: str


def session_rows(entries: Iterable[SessionEntry], width: int, texts: Texts, now: datetime) -> list[Row]:
    """Two lines and a blank one for each session: what it is called and when it was used, and what is to know of it."""
    rows: list[Row] = []
    for entry in entries:
        title = said(entry.title or texts("screens.untitled"), Role.STRONG if entry.title else Role.DIM)
        ago = Span(write_ago(texts, entry.last_used, now), Role.DIM)
        rows.append(Row(spread((title,), (ago,), width), entry.id))
        rows.append(Row(spread(_facts(entry, texts), (), width), entry.id))
        rows.append(Row(()))
    return rows[:-1]


def _facts(entry: SessionEntry, texts: Texts) -> Line:
    parts: list[Span] = [Span(texts("screens.in_use"), Role.GOOD)] if entry.is_open else []
    parts.append(Span(texts("screens.turns", count=entry.turns), Role.DIM))
    if entry.pending_files:
        parts.append(Span(texts("screens.pending", count=entry.pending_files), Role.WARNING))
    about = "≈ " if entry.cost and entry.cost_is_estimate else ""
    parts.append(Span(about + write_cost(texts, entry.cost), Role.DIM))
    if entry.model:
        place = texts("screens.model_at", model=entry.model, endpoint=entry.endpoint or "?")
        parts.append(said(place if entry.endpoint else entry.model, Role.DIM))
    separated = [piece for part in parts for piece in (Span(" · ", Role.RULE), part)]
    return tuple(separated[1:])


def preview_rows(messages: Sequence[Said], width: int, texts: Texts) -> list[Row]:
    """The messages as they are read: who, and the words below."""
    rows: list[Row] = []
    for message in messages:
        name, role = ("you", Role.USER) if message.by_user else ("model", Role.TOOL)
        rows.append(Row((Span(texts(f"screens.{name}"), role),)))
        rows += [Row(line) for line in paragraphs(message.text.strip(), width)]
        rows.append(Row(()))
    return rows


def has_words(title: str, words: str) -> bool:
    """Whether all of the words are in the title, whatever their case."""
    there = title.casefold()
    return all(word in there for word in words.casefold().split())


class SessionsScreen(Sheet["Resume | Fork"]):
    """Gives the session to go on with, or None. `current` is the open one, which cannot be resumed."""

    DEFAULT_CSS = """
    SessionsScreen #sessions { width: 1fr; }
    SessionsScreen #preview { width: 1fr; border-left: solid $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("sessions")

    def __init__(self, texts: Texts, shelf: SessionShelf, current: str = "", now: datetime | None = None) -> None:
        super().__init__(texts, texts("screens.sessions"))
        self._shelf, self._current = shelf, current
        self._now = now or datetime.now(UTC)
        self._entries: Sequence[SessionEntry] = ()
        self._words = ""
        self._found: Collection[str] = ()
        self._list = RowList(id="sessions")
        self._preview = RowList(id="preview", classes="wide-only")
        self.main_list = self._list

    def compose_body(self) -> ComposeResult:
        with Horizontal(classes="body"):
            yield self._list
            yield self._preview

    def hints(self) -> Sequence[KeyHint]:
        return (
            KeyHint("enter", self.text("resume"), "screen.resume"),
            KeyHint("/", self.text("filter"), "screen.filter"),
            KeyHint("f", self.text("fork"), "screen.fork"),
            KeyHint("r", self.text("rename"), "screen.rename"),
            KeyHint("e", self.text("export"), "screen.export"),
            self.closing(),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()
        self._load()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        if event.rows is self._list:
            self._show_preview(event.key)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        if event.rows is self._list:
            self.action_resume()

    def action_resume(self) -> None:
        key = self._list.key
        if key and key == self._current:
            self.say(self.text("is_open"), Role.WARNING)
        elif key:
            leave(self, Resume(key))

    def action_fork(self) -> None:
        if self._list.key:
            leave(self, Fork(self._list.key))

    @work(exclusive=True, group="ask")
    async def action_filter(self) -> None:
        answer = await self.ask(self.text("filter_label"), self._words, heard=self._filter)
        if answer is None:
            self._filter("")

    @work(exclusive=True, group="ask")
    async def action_rename(self) -> None:
        entry = self._marked()
        if entry is None:
            return
        title = await self.ask(self.text("rename_label"), entry.title)
        name = " ".join((title or "").split())[:_LONGEST_NAME]
        if name and name != entry.title and await self.act(lambda: self._shelf.name_session(entry.id, name)):
            self._load()

    @work(exclusive=True, group="ask")
    async def action_export(self) -> None:
        entry = self._marked()
        if entry is None:
            return
        files = [f"kcode-{entry.id}.{ending}" for ending in FORMATS]
        file = await self.ask(self.text("export_label"), files[0], choices=files)
        if not file:
            return
        if file.rpartition(".")[2] not in FORMATS:
            self.say(self.text("export_ending"), Role.WARNING)
            return
        path = await self.fetch(lambda: self._shelf.export(entry.id, file))
        if path is not None:
            self.say(self.text("exported", path=path), Role.GOOD)

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        entries = await self.fetch(self._shelf.entries)
        if entries is not None:
            self._entries = entries
            self._show()

    @work(exclusive=True, group="search")
    async def _search(self, words: str) -> None:
        found = await self.fetch(lambda: self._shelf.search(words))
        if found is not None and words == self._words:
            self._found = found
            self._show()

    @work(exclusive=True, group="preview")
    async def _show_preview(self, key: str) -> None:
        if not self._preview.display:
            return
        messages = await self.fetch(lambda: self._shelf.preview(key)) if key else ()
        if messages is not None and key == self._list.key:
            self._preview.show(lambda width: preview_rows(messages, width, self.texts), at_top=True)

    def _filter(self, words: str) -> None:
        self._words, self._found = words.strip(), ()
        self._show()
        if self._words:
            self._search(self._words)

    def _marked(self) -> SessionEntry | None:
        return next((entry for entry in self._entries if entry.id == self._list.key), None)

    def _shown(self) -> list[SessionEntry]:
        return [entry for entry in self._entries if has_words(entry.title, self._words) or entry.id in self._found]

    def _show(self) -> None:
        shown = self._shown()
        empty = self.text("no_match", words=self._words) if self._words else self.text("no_sessions")
        self._list.show(
            lambda width: (
                session_rows(shown, width, self.texts, self._now)
                or [Row(line) for line in paragraphs(empty, width, Role.DIM)]
            )
        )
        count = self.text("sessions_count", count=len(shown))
        words = (said(self._words, Role.ACCENT), Span("  ")) if self._words else ()
        self.title_line.show((*words, Span(count, Role.DIM)))
