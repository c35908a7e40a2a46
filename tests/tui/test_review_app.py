"""`kcode review` is shown as the user has set the interface, and as the review of a session is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from kcode.tui.reviewapp import ReviewApp, review_app
from kcode.tui.screens.review import ReviewScreen
from tests.headless.proposals import propose_changes
from tests.program import MODULE, make_program
from tests.tui.reviewing import desk_of
from tests.tui.stage import shown
from tests.tui.terminal import DEADLINE, Terminal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot


def walk(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: str,
    steps: Callable[[ReviewApp, ReviewScreen, Pilot[int]], Awaitable[None]],
    size: tuple[int, int] = (150, 45),
) -> None:
    """Open the review of a proposal in its own app, with this table of settings, and go through it."""
    monkeypatch.setenv("HOME", str(folder / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    config = folder / "home/.config/kcode/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"[interface]\n{settings}\n", encoding="utf-8")
    desk = desk_of(propose_changes(folder))

    async def run() -> None:
        app = review_app(desk)
        async with app.run_test(size=size) as pilot:
            screen = app.screen
            assert isinstance(screen, ReviewScreen)
            while screen.state is None or screen.is_studying:
                await pilot.pause(0.01)
            await pilot.pause()
            await steps(app, screen, pilot)

    asyncio.run(run())


def test_colours_and_language_are_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ReviewApp, _: ReviewScreen, __: Pilot[int]) -> None:
        assert app.theme == "kcode-light"
        assert "已决定 0/5" in shown(app)

    walk(tmp_path, monkeypatch, 'theme = "kcode-light"\nlanguage = "zh"', steps)


def test_the_users_own_keys_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ReviewApp, screen: ReviewScreen, pilot: Pilot[int]) -> None:
        assert "y accept" in shown(app)
        await pilot.press("a")
        assert screen.desk.acts() == 0
        await pilot.press("y")
        while screen.desk.acts() == 0:
            await pilot.pause(0.01)

    walk(tmp_path, monkeypatch, 'keys = {review-accept = "y"}', steps)


@pytest.mark.parametrize(
    ("how", "columns", "is_split"),
    [("always", 80, True), ("never", 240, False), ("auto", 150, False), ("auto", 240, True)],
)
def test_diffs_are_side_by_side_as_the_user_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, columns: int, *, is_split: bool
) -> None:
    async def steps(_: ReviewApp, screen: ReviewScreen, pilot: Pilot[int]) -> None:
        assert screen.body.look.split is is_split
        assert screen.body.look.wrap
        if how == "auto":
            await pilot.resize_terminal(390 - columns, 45)
            await pilot.pause()
            assert screen.body.look.split is not is_split
            # What is chosen by hand stays so.
            await pilot.press("v")
            await pilot.resize_terminal(columns, 45)
            await pilot.pause()
            assert screen.body.look.split is is_split

    walk(tmp_path, monkeypatch, f'side_by_side = "{how}"\nwrap = true', steps, (columns, 45))


def test_for_screen_readers_there_is_one_thing_at_a_time_and_no_boxes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def steps(app: ReviewApp, screen: ReviewScreen, pilot: Pilot[int]) -> None:
        assert not screen.files.region.width
        await pilot.press("w")
        await pilot.press("l")
        assert screen.files.region.width == app.size.width
        assert not screen.body.region.width
        assert not set(shown(app)) & set("│─┌└┐┘")

    walk(tmp_path, monkeypatch, "linear = true", steps)


def test_ctrl_c_goes_one_step_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def steps(app: ReviewApp, screen: ReviewScreen, pilot: Pilot[int]) -> None:
        await pilot.press("a", "enter")
        while app.screen is screen:
            await pilot.pause(0.01)
        await pilot.press("ctrl+c")
        while app.screen is not screen:
            await pilot.pause(0.01)
        await pilot.press("w", "ctrl+c")
        assert not screen.has_class("-side")
        await pilot.press("ctrl+c")
        while not app._exit:
            await pilot.pause(0.01)

    walk(tmp_path, monkeypatch, "", steps)


def test_a_terminal_that_is_closed_ends_it(tmp_path: Path) -> None:
    program = make_program(tmp_path)
    with Terminal(program, "-m", "kcode", "review", "HEAD") as terminal:
        terminal.read_until(b"decided 0 of")
        terminal.close()
        assert terminal.process.wait(DEADLINE) == 129


@pytest.mark.parametrize("mouse", [True, False])
def test_the_mouse_is_asked_for_where_the_user_wants_that(tmp_path: Path, *, mouse: bool) -> None:
    program = make_program(tmp_path)
    config = program.home / ".config/kcode/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f'[interface]\nmouse = {str(mouse).lower()}\ntheme = "kcode-light"\n', encoding="utf-8")
    (program.repository / "calc/money.py").write_text(MODULE.replace("int(", "round("), encoding="utf-8")
    with Terminal(program, "-m", "kcode", "review", "HEAD", COLORTERM="truecolor") as terminal:
        terminal.read_until(b"decided 0 of", b"accept")
        assert (b"\x1b[?1000h" in terminal.raw) is mouse
        assert b"48;2;255;255;255" in terminal.raw
        terminal.type(b"q")
        assert terminal.end() == 0
