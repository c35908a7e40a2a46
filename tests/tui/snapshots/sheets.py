"""The small screens."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kcode.agent.pins import Pins
from kcode.agent.windowfiles import WindowFile
from kcode.draft.files import Change
from kcode.providers.logins import Logins
from kcode.tui.keys import KEYS, shown_keys
from kcode.tui.preferences import choices_of
from kcode.tui.screens.context import ContextScreen
from kcode.tui.screens.first_run import FirstRunScreen
from kcode.tui.screens.help import HelpItem, HelpScreen
from kcode.tui.screens.journal import JournalScreen
from kcode.tui.screens.sessions import Said, SessionsScreen
from kcode.tui.screens.settings import Origin, Setting, SettingsScreen
from kcode.tui.sources import WorkspaceSource
from tests.draft.desk import Desk, text
from tests.tui.happenings import TEXTS
from tests.tui.screens.show import Show
from tests.tui.snapshots.project import (
    ANSWER,
    ISSUE,
    account,
)
from tests.tui.snapshots.staging import BROAD, SCENES, scene, see

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen

    Opening = Callable[["Path"], AbstractAsyncContextManager["Pilot[Any]"]]


NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@asynccontextmanager
async def showing(screen: Screen[Any], *words: str) -> AsyncIterator[Pilot[Any]]:
    async with Show(screen).run_test(size=BROAD) as pilot:
        await see(pilot, *words)
        yield pilot


@dataclass(frozen=True)
class Entry:
    id: str
    title: str
    last_used: datetime
    turns: int = 1
    pending_files: int = 0
    cost: float | None = 0.0421
    model: str | None = "kimi-k2-thinking"
    endpoint: str | None = "moonshot"
    started: datetime = NOW
    messages: int = 4
    cost_is_estimate: bool = True
    is_open: bool = False


class Shelf:
    def entries(self) -> Sequence[Entry]:
        return [
            Entry("a", "Instalments add up to the invoice", NOW - timedelta(minutes=3), 3, 3, is_open=True),
            Entry("b", "修复发票总额的舍入", NOW - timedelta(hours=2), 7, cost=0.31),
            Entry("c", "Read amounts with a thousands separator, a sign and at most two digits after the point, as people write them", NOW - timedelta(days=1), cost=None),
            Entry("d", "", NOW - timedelta(days=12), model="kimi-k3", endpoint="openrouter", cost=1.5),
        ]  # fmt: skip

    def search(self, words: str) -> Collection[str]:
        return [entry.id for entry in self.entries() if words in entry.title]

    def preview(self, session_id: str) -> Sequence[Said]:
        return [
            Said(True, ISSUE),
            Said(False, ANSWER.split("\n\n", maxsplit=1)[0]),
            Said(True, f"Go on with {session_id}."),
        ]

    def name_session(self, session_id: str, title: str) -> None:
        raise AssertionError((session_id, title))

    def export(self, session_id: str, file: str) -> str:
        raise AssertionError((session_id, file))


@scene
async def sessions(_: Path) -> AsyncIterator[Pilot[Any]]:
    async with showing(SessionsScreen(TEXTS, Shelf(), now=NOW), "Instalments add up", "Go on with a.") as pilot:
        yield pilot


@scene
async def context(_: Path) -> AsyncIterator[Pilot[Any]]:
    files = [
        WindowFile("billing/money.py", 12_400, 7),
        WindowFile("tests/test_money.py", 4_100, 3),
        WindowFile("docs/说明.md", 900, 1),
    ]
    screen = ContextScreen(
        TEXTS, account(96_000, 92_160, 0.3141), files, Pins(("billing/money.py",), ("docs/说明.md",)), print
    )
    async with showing(screen, "of 262,144 tokens") as pilot:
        yield pilot


@scene
async def helping(_: Path) -> AsyncIterator[Pilot[Any]]:
    keys = [HelpItem(shown_keys(key.id, {}), TEXTS(f"keys.{key.id}"), TEXTS(f"keys.in-{key.scope}")) for key in KEYS]
    group = TEXTS("app.commands")
    commands = [HelpItem(f"/{one.name}", one.help, group) for one in WorkspaceSource(TEXTS).commands()]
    async with showing(HelpScreen(TEXTS, keys, commands), group) as pilot:
        yield pilot


@scene
async def settings(_: Path) -> AsyncIterator[Pilot[Any]]:
    found = [
        Setting(
            name, TEXTS(f"settings.{name}"), value, choices_of(name) or ("true", "false"), waits=name == "language"
        )
        for name, value in (
            ("theme", "kcode-dark"), ("language", "auto"), ("vim", "false"), ("mouse", "true"), ("notifications", "bell"),
            ("reasoning", "collapsed"), ("wrap", "false"), ("side_by_side", "auto"), ("linear", "false"),
        )
    ]  # fmt: skip
    origins = [
        Origin("endpoint", "moonshot", "config.toml"),
        Origin("base_url", "https://api.moonshot.ai/v1", "config.toml"),
        Origin("model", "kimi-k2-thinking", "KCODE_MODEL"),
    ]

    async def keep(*_: str) -> None:
        """Nothing is changed in the picture."""

    async with showing(SettingsScreen(TEXTS, found, keep, origins), "kcode-dark") as pilot:
        yield pilot


@scene
async def first_run(folder: Path) -> AsyncIterator[Pilot[Any]]:
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "OPENROUTER_API_KEY": "sk-or-0123456789abcdef"}
    message = "There is no key for moonshot."
    async with showing(FirstRunScreen(TEXTS, Logins(home), message), "Moonshot") as pilot:
        yield pilot


@scene
async def journal(folder: Path) -> AsyncIterator[Pilot[Any]]:
    desk = Desk(folder)
    old = b"".join(b"line %d\n" % number for number in range(12))
    desk.write("src/parser.py", old)
    desk.apply(Change("src/parser.py", text(old), text(old.replace(b"line 3\n", b"line three\nand more\n"))))
    desk.apply(Change("docs/new.md", None, text(b"# new\n")))
    desk.undo()
    later = datetime.now(UTC) + timedelta(hours=3)
    screen = JournalScreen(TEXTS, desk.workspace, desk.journal, title_of=lambda _: "Blank lines get lost", now=later)
    async with showing(screen, "Undo of 2", "3 h ago") as pilot:
        yield pilot


@scene
async def journal_undo(folder: Path) -> AsyncIterator[Pilot[Any]]:
    async with SCENES["journal"](folder) as pilot:
        await pilot.press("end", "u")
        await see(pilot, "Undo 1 like that?")
        yield pilot
