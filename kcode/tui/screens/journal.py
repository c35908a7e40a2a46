"""What kcode wrote to the user's files, and taking it back: the plan is shown before anything is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import work
from textual.containers import Horizontal

from kcode.draft.entries import read_entries
from kcode.draft.journal import plan_redo, plan_undo, reverse
from kcode.errors import ReadOnlyError
from kcode.sanitize import sanitize_names
from kcode.tui.columns import paragraphs, said, spread, write_ago
from kcode.tui.difflines import diff_lines, size_line
from kcode.tui.keys import bindings_for
from kcode.tui.lines import Line, Role, Span
from kcode.tui.screens.sheet import Sheet
from kcode.tui.widgets.keybar import KeyHint
from kcode.tui.widgets.rowlist import Row, RowList

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from kcode.draft.entries import Entry
    from kcode.draft.operations import Operation
    from kcode.draft.reversal import Reversal
    from kcode.tui.texts import Texts
    from kcode.workspace import Workspace

_MOST_LISTED, _MOST_NAMED = 200, 3
_MARKS = {
    "in force": Span("● ", Role.GOOD),
    "partly undone": Span("◐ ", Role.WARNING),
    "undone": Span("○ ", Role.DIM),
    "reversal": Span("↶ ", Role.DIM),
    "pending": Span("! ", Role.WARNING),
    "rolled back": Span("✗ ", Role.BAD),
}


def journal_rows(
    entries: Sequence[Entry], width: int, texts: Texts, now: datetime, titles: Mapping[str, str]
) -> list[Row]:
    """Two lines and a blank one for each operation: what it was and when, then which files and by whom.

    `titles` has those of the sessions, by what the operations are labelled with.
    """
    rows: list[Row] = []
    for entry in entries:
        operation = entry.operation
        key = str(operation.number)
        what = texts(f"screens.kind_{operation.kind}", of=operation.of)
        mark = Span("↷ ", Role.DIM) if operation.kind == "redo" and entry.standing == "reversal" else None
        head = (mark or _MARKS[entry.standing], Span(f"{key} ", Role.DIM), Span(what, Role.STRONG), Span("  "))
        size = size_line(entry.proposal, texts) if entry.proposal else (Span(texts("screens.bytes_lost"), Role.DIM),)
        ago = write_ago(texts, datetime.fromtimestamp(operation.when, UTC), now)
        rows.append(Row(spread((*head, *size), (Span(ago, Role.DIM),), width), key))
        rows.append(Row(spread(_facts(entry, texts, titles), (), width), key))
        rows.append(Row(()))
    return rows[:-1]


def _facts(entry: Entry, texts: Texts, titles: Mapping[str, str]) -> Line:
    standing = texts(f"screens.standing_{entry.standing.replace(' ', '_')}")
    title = titles.get(entry.operation.label) or texts("screens.by_session", label=entry.operation.label)
    names = sanitize_names(entry.operation.paths, _MOST_NAMED)
    dot = Span(" · ", Role.RULE)
    return (Span("  "), Span(standing, Role.DIM), dot, Span(names), dot, said(title, Role.DIM))


def entry_rows(entry: Entry, width: int, texts: Texts) -> list[Row]:
    """What an operation did."""
    if entry.proposal is None:
        return [Row(line) for line in paragraphs(texts("screens.bytes_lost"), width, Role.DIM)]
    return [Row(line) for line in diff_lines(entry.proposal, width, texts)]


def plan_rows(reversal: Reversal, width: int, texts: Texts) -> list[Row]:
    """What an undo or a redo would write."""
    head = texts(f"screens.plan_{reversal.kind}", number=reversal.operation.number)
    lines = diff_lines(reversal.proposal, width, texts, reversal.merged)
    return [*(Row(line) for line in paragraphs(head, width, Role.HEADING)), Row(()), *map(Row, lines)]


class JournalScreen(Sheet[None]):
    """Writes through the journal, and only after a yes to the plan that is shown.

    `title_of` gives a session's title by its id, "" where it has none, and is called in a thread. `on_written` is told of each operation.
    """

    DEFAULT_CSS = """
    JournalScreen RowList { width: 1fr; }
    JournalScreen #diff { border-left: solid $panel; }
    JournalScreen.-narrow-sheet #diff { display: none; border: none; }
    JournalScreen.-narrow-sheet.-reading #diff { display: block; }
    JournalScreen.-narrow-sheet.-reading #operations { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings_for("journal")

    def __init__(
        self,
        texts: Texts,
        workspace: Workspace,
        journal: Path,
        *,
        title_of: Callable[[str], str] = lambda _: "",
        on_written: Callable[[Operation], None] = lambda _: None,
        now: datetime | None = None,
    ) -> None:
        super().__init__(texts, texts("screens.journal"))
        self._workspace, self._journal = workspace, journal
        self._title_of, self._on_written = title_of, on_written
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._list = RowList(id="operations")
        self._diff = RowList(id="diff")
        self.main_list = self._list

    def compose_body(self) -> ComposeResult:
        with Horizontal(classes="body"):
            yield self._list
            yield self._diff

    def hints(self) -> Sequence[KeyHint]:
        reading = self.has_class("-reading")
        return (
            KeyHint("u", self.text("undo"), "screen.reverse('undo')"),
            KeyHint("r", self.text("redo"), "screen.reverse('redo')"),
            KeyHint("tab", self.text("back" if reading else "show"), "screen.read"),
            self.closing(),
        )

    def on_mount(self) -> None:
        super().on_mount()
        self._list.focus()
        self._load()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        if event.rows is self._list:
            self._show_entry()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if not self.is_asking:
            self.action_read()

    def action_read(self) -> None:
        """Go from the list to the diff, or back."""
        self._read(not self.has_class("-reading"))

    def action_close(self) -> None:
        if self.has_class("-reading") and not self.is_asking:
            self._read(False)
        else:
            super().action_close()

    @work(exclusive=True, group="ask")
    async def action_reverse(self, kind: Literal["undo", "redo"]) -> None:
        entry = self._entries.get(self._list.key)
        if entry is None:
            return
        plan = plan_undo if kind == "undo" else plan_redo
        number = entry.operation.number
        reversal = await self.fetch(lambda: plan(self._workspace, self._journal, number))
        if reversal is None:
            return
        self._diff.show(lambda width: plan_rows(reversal, width, self.texts), at_top=True)
        self._read(True)
        files = "".join(span.text for span in size_line(reversal.proposal, self.texts))
        agreed = await self.agree(self.text(f"agree_{kind}", number=reversal.operation.number, files=files))
        operation = await self._write(reversal, ()) if agreed else None
        self._read(False)
        if operation is None:
            self._show_entry()
            return
        self._on_written(operation)
        done = "undone_paths" if kind == "undo" else "redone_paths"
        self.say(self.text(done, paths=sanitize_names(operation.paths)), Role.GOOD)
        self._load()

    async def _write(self, reversal: Reversal, allowed: Collection[str]) -> Operation | None:
        read_only: list[tuple[str, ...]] = []

        def write() -> Operation | None:
            try:
                return reverse(self._workspace, self._journal, reversal, allowed=allowed)
            except ReadOnlyError as error:
                read_only.append(error.paths)
                return None

        operation = await self.fetch(write)
        if not read_only or allowed:
            return operation
        agreed = await self.agree(self.text("agree_read_only", paths=sanitize_names(read_only[0])))
        return await self._write(reversal, read_only[0]) if agreed else None

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        def read() -> tuple[list[Entry], dict[str, str]]:
            found = read_entries(self._journal, _MOST_LISTED)
            return found, {label: self._title_of(label) for label in {one.operation.label for one in found}}

        read_so_far = await self.fetch(read)
        if read_so_far is None:
            return
        entries, titles = read_so_far
        self._entries = {str(entry.operation.number): entry for entry in entries}
        now = self._now or datetime.now(UTC)
        self._list.show(
            lambda width: (
                journal_rows(entries, width, self.texts, now, titles)
                or [Row(line) for line in paragraphs(self.text("no_entries"), width, Role.DIM)]
            )
        )
        self._show_entry()

    def _show_entry(self) -> None:
        entry = self._entries.get(self._list.key)
        self._diff.show(lambda width: entry_rows(entry, width, self.texts) if entry else (), at_top=True)

    def _read(self, reading: bool) -> None:
        self.set_class(reading, "-reading")
        (self._diff if reading else self._list).focus()
        self.main_list = self._diff if reading else self._list
        if not self.is_asking:
            self.show_hints()
