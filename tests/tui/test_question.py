from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.app import App
from textual.widgets import TextArea

from kcode.questions import ChooseModel, EnterKey, GoOn
from kcode.tui.lines import plain
from kcode.tui.palette import PALETTES
from kcode.tui.texts import load_texts
from kcode.tui.themes import own_themes
from kcode.tui.widgets.question import Confirm, QuestionPanel, choice_rows, choices_for
from tests.tui.screens.show import TEXTS, until
from tests.tui.stage import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.app import ComposeResult
    from textual.pilot import Pilot

    from kcode.questions import Question

KEY = "sk-test-0123456789abcdef"
STUCK = GoOn("The model repeats the same call.")
SERVED = ChooseModel("The endpoint does not serve k2.", ("kimi-k2-thinking", "qwen3"))


class Desk(App[None]):
    """A place to type, with the panel above it."""

    def __init__(self, patience: float = 0.02, theme: str = "kcode-dark") -> None:
        super().__init__()
        for one in own_themes():
            self.register_theme(one)
        self.theme = theme
        self.panel = QuestionPanel(TEXTS, patience)
        self.answers: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield self.panel
        yield TextArea()

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()

    def put(self, question: Question | Confirm) -> None:
        async def ask() -> None:
            self.answers.append(await self.panel.ask(question))

        self.run_worker(ask())


def walk(question: Question | Confirm, steps: Callable[[Desk, Pilot[None]], Awaitable[None]]) -> list[str | None]:
    async def go() -> list[str | None]:
        app = Desk()
        async with app.run_test(size=(80, 24)) as pilot:
            app.put(question)
            await until(pilot, lambda: app.panel.has_focus_within)
            await steps(app, pilot)
            await until(pilot, lambda: bool(app.answers))
            assert not app.panel.display
            await until(pilot, lambda: isinstance(app.focused, TextArea))
            return app.answers

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("question", "keys", "answer"),
    [
        (STUCK, "y", "yes"),
        (STUCK, "n", None),
        (STUCK, "enter", "yes"),
        (STUCK, "escape", None),
        (SERVED, "2", "qwen3"),
        (SERVED, "down enter", "qwen3"),
        (SERVED, "down down enter k 3 enter", "k3"),
        (SERVED, "down down enter escape escape", None),
        (SERVED, "end enter", None),
        (Confirm("Throw the draft away?", "Throw it away", "Keep it"), "y", "yes"),
        (Confirm("Throw the draft away?", "Throw it away", "Keep it"), "down enter", None),
        (EnterKey("The key was refused."), "escape escape", None),
    ],
)
def test_keys_answer(question: Question | Confirm, keys: str, answer: str | None) -> None:
    async def press(app: Desk, pilot: Pilot[None]) -> None:
        assert question.message in shown(app)
        await pilot.press(*keys.split())

    assert walk(question, press) == [answer]


def test_a_key_is_typed_unseen_and_one_that_can_be_none_is_told() -> None:
    async def press(app: Desk, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "not shown" in shown(app))
        await pilot.press(*"a b", "enter")
        await until(pilot, lambda: "neither blanks" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "not shown" in shown(app))
        await pilot.press(*KEY)
        assert KEY not in shown(app)
        await pilot.press("enter")

    assert walk(EnterKey("The key was refused."), press) == [KEY]


def test_one_click_answers() -> None:
    async def press(app: Desk, pilot: Pilot[None]) -> None:
        row = next(i for i, line in enumerate(shown(app).splitlines()) if "Stop here" in line)
        await pilot.click(offset=(5, row))

    assert walk(STUCK, press) == [None]


def test_it_takes_no_key_that_was_meant_for_the_composer() -> None:
    async def go() -> None:
        app = Desk(patience=60)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("h")
            app.put(STUCK)
            await until(pilot, lambda: "Let it go on" in shown(app))
            await pilot.press("y", "enter", "n")
            assert app.query_one(TextArea).text == "hy\nn"
            assert app.answers == []

    asyncio.run(go())


def test_a_second_question_waits_for_the_first() -> None:
    async def go() -> None:
        app = Desk()
        async with app.run_test(size=(80, 24)) as pilot:
            app.put(STUCK)
            app.put(SERVED)
            await until(pilot, lambda: app.panel.has_focus_within)
            assert "repeats the same call" in shown(app)
            await pilot.press("y")
            await until(pilot, lambda: "does not serve" in shown(app) and app.panel.has_focus_within)
            await pilot.press("1")
            await until(pilot, lambda: len(app.answers) == 2)
            assert app.answers == ["yes", "kimi-k2-thinking"]

    asyncio.run(go())


def test_a_question_that_is_no_longer_asked_goes_away() -> None:
    async def go() -> None:
        app = Desk()
        async with app.run_test(size=(80, 24)) as pilot:
            app.put(STUCK)
            await until(pilot, lambda: app.panel.is_open)
            app.workers.cancel_all()
            await until(pilot, lambda: not app.panel.display and not app.panel.is_open)

    asyncio.run(go())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_can_be_stopped_and_names_of_models_are_safe(language: str) -> None:
    texts = load_texts(language)
    for question in (STUCK, EnterKey("x"), ChooseModel("x", ("a\x1b[31m",) * 12), Confirm("x", "y", "n")):
        choices = choices_for(question, texts)
        assert choices[-1].letter == "n"
        assert not any(character < " " for row in choice_rows(choices, 60) for character in plain(row.line))


@pytest.mark.parametrize("theme", PALETTES)
def test_it_is_drawn_in_every_theme(theme: str) -> None:
    async def go() -> None:
        app = Desk(theme=theme)
        async with app.run_test(size=(150, 45)) as pilot:
            app.put(SERVED)
            await until(pilot, lambda: "› kimi-k2-thinking" in shown(app))  # noqa: RUF001 - the sign of the list

    asyncio.run(go())
