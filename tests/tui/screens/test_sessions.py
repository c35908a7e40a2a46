from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Paste
from textual.widgets import Input

from kcode.errors import SessionError
from kcode.tui.lines import plain, width_of
from kcode.tui.palette import PALETTES
from kcode.tui.screens.sessions import Fork, Resume, Said, SessionsScreen, has_words, preview_rows, session_rows
from tests.tui.screens.show import BROAD, NARROW, TEXTS, settled, showing, until

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    id: str
    title: str
    last_used: datetime
    started: datetime = NOW
    model: str | None = "kimi-k2-thinking"
    endpoint: str | None = "moonshot"
    turns: int = 1
    messages: int = 4
    pending_files: int = 0
    cost: float | None = 0.0421
    cost_is_estimate: bool = True
    is_open: bool = False


@dataclass
class Shelf:
    sessions: list[Entry]
    words: dict[str, str] = field(default_factory=dict)
    written: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def entries(self) -> Sequence[Entry]:
        return self.sessions

    def search(self, words: str) -> Collection[str]:
        return [key for key, text in self.words.items() if words in text]

    def preview(self, session_id: str) -> Sequence[Said]:
        return [Said(True, self.words.get(session_id, "")), Said(False, f"About {session_id}.")]

    def name_session(self, session_id: str, title: str) -> None:
        if self.broken:
            raise SessionError("The session's log cannot be written: no space left. Make room.")
        self.sessions = [replace(one, title=title) if one.id == session_id else one for one in self.sessions]

    def export(self, session_id: str, file: str) -> str:
        self.written.append((session_id, file))
        return f"/home/you/{file}"


def shelf() -> Shelf:
    return Shelf(
        [
            Entry("a", "Blank lines get lost", NOW - timedelta(minutes=3), turns=3, pending_files=2),
            Entry("b", "修复发票总额", NOW - timedelta(hours=2)),
            Entry("c", "Lazy import", NOW - timedelta(days=1), cost=None),
        ],
        {"a": "look at the lexer", "b": "发票", "c": "half a second is too long"},
    )


def test_a_session_is_told_in_words() -> None:
    first, second, blank, *_ = (plain(row.line) for row in session_rows(shelf().sessions, 70, TEXTS, NOW))
    assert first == "Blank lines get lost" + " " * (70 - 20 - 9) + "3 min ago"
    assert second == "3 turns · 2 files pending · ≈ $0.0421 · kimi-k2-thinking at moonshot"
    assert blank == ""


@given(st.text(max_size=40), st.integers(4, 60), st.integers(0, 10**8))
@settings(max_examples=60)
def test_whatever_a_session_is_called_its_lines_fit_and_are_safe(title: str, width: int, seconds: int) -> None:
    entry = Entry("a", title, NOW - timedelta(seconds=seconds), model=title)
    rows = session_rows([entry], width, TEXTS, NOW) + preview_rows([Said(True, title)], width, TEXTS)
    assert all(width_of(row.line) <= width for row in rows)
    assert not any(character < " " for row in rows for character in plain(row.line))


@given(st.lists(st.sampled_from(["blank", "lines", "GET", "x"]), max_size=3))
def test_a_title_has_words_in_any_order_and_case(words: list[str]) -> None:
    assert has_words("Blank lines get lost", " ".join(words)) == ("x" not in words)


def test_the_keys_find_a_session_by_its_messages_and_resume_it() -> None:
    async def walk() -> object:
        async with showing(SessionsScreen(TEXTS, shelf(), now=NOW)) as (app, pilot):
            await settled(pilot)
            assert "3 sessions" in app.text()
            await pilot.press("slash", *"half")
            await until(pilot, lambda: "1 session" in app.text())
            assert "Lazy import" in app.text()
            assert "Blank lines" not in app.text()
            await pilot.press("enter", "enter")
            return app.result

    assert asyncio.run(walk()) == Resume("c")


def test_esc_in_the_filter_shows_all_again_and_then_closes() -> None:
    async def walk() -> object:
        async with showing(SessionsScreen(TEXTS, shelf(), now=NOW)) as (app, pilot):
            await settled(pilot)
            await pilot.press("slash", *"zz")
            await until(pilot, lambda: "No session has" in app.text())
            await pilot.press("escape")
            await until(pilot, lambda: "3 sessions" in app.text())
            await pilot.press("escape")
            return app.result

    assert asyncio.run(walk()) is None


def test_a_new_name_is_kept_and_a_failure_is_told() -> None:
    async def walk() -> None:
        there = shelf()
        async with showing(SessionsScreen(TEXTS, there, now=NOW)) as (app, pilot):
            await settled(pilot)
            await pilot.press("r", "exclamation_mark", "enter")
            await until(pilot, lambda: "Blank lines get lost!" in app.text())
            there.broken = True
            await pilot.press("r", "x", "enter")
            await until(pilot, lambda: "no space left" in app.text())

    asyncio.run(walk())


def test_nothing_that_steers_the_terminal_gets_into_the_line_for_answers() -> None:
    async def walk() -> None:
        there = Shelf([Entry("a", "na\x1b[31mme", NOW)])
        async with showing(SessionsScreen(TEXTS, there, now=NOW)) as (app, pilot):
            await settled(pilot)
            await pilot.press("r")
            line = app.screen.query_one(Input)
            assert line.value == "na[31mme"
            line.post_message(Paste(" x\x1b]52;c;aGk=\x07\u202ey"))
            await until(pilot, lambda: line.value == "na[31mme x]52;c;aGk=y")
            assert not any(character < " " for row in app.text().split("\n") for character in row)

    asyncio.run(walk())


def test_a_session_is_exported_in_the_chosen_format_and_its_path_shown() -> None:
    async def walk() -> None:
        there = shelf()
        async with showing(SessionsScreen(TEXTS, there, now=NOW)) as (app, pilot):
            await settled(pilot)
            await pilot.press("e", "tab", "enter")
            await until(pilot, lambda: "/home/you/kcode-a.html" in app.text())
            assert there.written == [("a", "kcode-a.html")]

    asyncio.run(walk())


def test_the_mouse_alone_marks_reads_and_forks() -> None:
    async def walk() -> object:
        async with showing(SessionsScreen(TEXTS, shelf(), now=NOW), BROAD) as (app, pilot):
            await settled(pilot)
            await pilot.click("#sessions", offset=(5, 3))
            await until(pilot, lambda: "About b." in app.text())
            row = app.text().splitlines().index(next(line for line in app.text().splitlines() if " fork" in line))
            await pilot.click(offset=(app.text().splitlines()[row].index("fork"), row))
            return app.result

    assert asyncio.run(walk()) == Fork("b")


def test_the_open_session_is_not_resumed_into_itself() -> None:
    async def walk() -> None:
        async with showing(SessionsScreen(TEXTS, shelf(), "a", NOW)) as (app, pilot):
            await settled(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: "is the one that is open" in app.text())

    asyncio.run(walk())


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("size", [NARROW, BROAD])
def test_it_is_drawn_in_every_theme(theme: str, size: tuple[int, int]) -> None:
    async def walk() -> None:
        async with showing(SessionsScreen(TEXTS, shelf(), now=NOW), size, theme) as (app, pilot):
            await settled(pilot)
            assert "› Blank lines get lost" in app.text()  # noqa: RUF001 - the sign of the list
            assert "esc close" in app.text()
            assert ("About a." in app.text()) == (size == BROAD)

    asyncio.run(walk())


def test_the_users_own_keys_work_and_are_shown_at_the_foot() -> None:
    async def walk() -> object:
        async with showing(SessionsScreen(TEXTS, shelf(), now=NOW)) as (app, pilot):
            await settled(pilot)
            app.set_keymap({"sessions-fork": "ctrl+n"})
            await until(pilot, lambda: "ctrl+n fork" in app.text())
            await pilot.press("f")
            await pilot.press("ctrl+n")
            return app.result

    assert asyncio.run(walk()) == Fork("a")
