from __future__ import annotations

from typing import TYPE_CHECKING

from textual.events import Key, Paste

from kcode.tui.completing import CommandHelp
from kcode.tui.history import InputHistory, Typed
from kcode.tui.pastes import Pastes
from kcode.tui.widgets.composer import Composer, edited
from kcode.tui.widgets.recallingentry import recall
from tests.tui import typing
from tests.tui.stage import shown
from tests.tui.typing import ComposerStage, type_in, walk

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot


def test_up_and_down_move_in_the_text_first_and_then_in_the_history(tmp_path: Path) -> None:
    history = InputHistory(tmp_path)
    for text in ("first", "second\nwith two lines"):
        history.add(Typed(text))
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "half")
        await pilot.press("up")
        assert composer.text == "second\nwith two lines"
        await pilot.press("up")
        assert composer.text == "second\nwith two lines"
        await pilot.press("up")
        assert composer.text == "first"
        composer.action_older()
        assert composer.text == "first"
        composer.action_newer()
        composer.action_newer()
        assert composer.text == "half"

    walk(stage, steps)


def test_a_wrapped_line_is_walked_through_by_its_rows(tmp_path: Path) -> None:
    InputHistory(tmp_path).add(Typed("before"))
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        type_in(stage, "word " * 30)
        await pilot.pause()
        assert stage.composer.size.height > 2
        stage.composer.action_older()
        assert stage.composer.text.startswith("word")

    walk(stage, steps, size=(40, 24))


def test_a_message_that_was_taken_back_has_its_pastes_again(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        stage.composer.post_message(Paste("x\n" * 30))
        await pilot.press("enter")
        first = stage.asked[0]
        assert isinstance(first, Composer.Submitted)
        stage.composer.take_back(first.shown)
        assert stage.composer.text == "[paste 1: 30 lines]"
        await pilot.press("enter")
        assert stage.asked[1] == first
        assert first.text == "x\n" * 30

    walk(stage, steps)


def test_up_in_an_empty_composer_takes_a_waiting_message_back(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        stage.composer.queued = 1
        await pilot.press("up")
        assert [type(asked) for asked in stage.asked] == [Composer.QueuePopped]
        await pilot.press("escape")
        assert isinstance(stage.asked[-1], Composer.Interrupted)

    walk(stage, steps)


def test_the_history_is_searched_by_what_stands_there(tmp_path: Path) -> None:
    for text in ("fix the rounding", "write tests", "fix the parser"):
        InputHistory(tmp_path).add(Typed(text))
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "fix")
        await pilot.press("ctrl+r")
        text = shown(stage)
        assert text.index("fix the parser") < text.index("fix the rounding")
        assert "write tests" not in text
        type_in(stage, "rou")
        await pilot.pause()
        assert "fix the parser" not in shown(stage)
        await pilot.press("escape")
        assert composer.text == "fix"
        assert stage.asked == []
        await pilot.press("ctrl+r", "ctrl+r", "enter")
        assert composer.text == "fix the rounding"
        assert not stage.completion.is_open
        await pilot.press("ctrl+r", "z", "z", "enter")
        assert composer.text == "fix the rounding"

    walk(stage, steps)


def test_a_file_is_completed_from_the_list(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "look at ")
        await pilot.press("at", "i", "n", "v")
        text = shown(stage)
        assert "billing/invoice.py" in text
        assert "› " in text  # noqa: RUF001
        await pilot.press("tab")
        assert composer.text.startswith("look at ")
        assert composer.text.endswith(" ")
        assert "@" in composer.text
        assert not stage.completion.is_open
        await pilot.press("at", "b", "i", "l", "l", "enter")
        assert composer.text.endswith("@billing/")
        await pilot.pause()
        assert stage.completion.is_open
        await pilot.press("escape", "m")
        assert not stage.completion.is_open
        await pilot.press("tab", "tab")
        assert composer.text.endswith("@billing/money.py ")
        assert stage.asked == []

    walk(stage, steps)


def test_arrows_choose_a_click_takes_and_an_address_opens_nothing(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "me@example")
        await pilot.pause()
        assert not stage.completion.is_open
        composer.empty()
        await pilot.press("slash", "r", "down", "tab")
        assert composer.text == "/redo "
        composer.empty()
        type_in(stage, "@")
        await pilot.pause()
        await pilot.click(stage.completion, offset=(5, 1))
        assert composer.text == "@tests/"
        assert stage.asked == []

    walk(stage, steps)


def test_a_command_typed_whole_is_sent_by_one_enter(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        type_in(stage, "/help")
        await pilot.pause()
        assert stage.completion.is_open
        await pilot.press("enter")
        assert stage.asked == [Composer.CommandEntered("help", "")]
        assert not stage.completion.is_open

    walk(stage, steps)


def test_a_list_that_what_was_typed_has_overtaken_takes_no_enter(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("/")
        assert "every key" in shown(stage).lower()
        # Faster than the list can follow.
        for key in (*"redo", "enter"):
            stage.post_message(Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        asked = [message for message in stage.asked if isinstance(message, Composer.CommandEntered)]
        assert [(message.name, message.words) for message in asked] == [("redo", "")]

    walk(stage, steps)


def test_a_path_typed_whole_is_sent_by_one_enter(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        type_in(stage, "see @billing/money.py")
        await pilot.pause()
        assert stage.completion.is_open
        await pilot.press("enter")
        sent = stage.asked[-1]
        assert isinstance(sent, Composer.Submitted)
        assert sent.text == "see @billing/money.py"

    walk(stage, steps)


def test_the_list_of_commands_takes_half_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [CommandHelp(f"command{number}", "Do it") for number in range(40)]
    monkeypatch.setattr(typing, "COMMANDS", commands)
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        type_in(stage, "/")
        await pilot.pause()
        assert stage.completion.size.height == 40 // 2 + 1
        await pilot.resize_terminal(80, 24)
        stage.composer.empty()
        type_in(stage, "@")
        await pilot.pause()
        assert stage.completion.size.height <= 9

    walk(stage, steps, size=(80, 40))


def test_what_holds_the_words_searched_for_comes_before_what_only_fits_them() -> None:
    texts = ["f-i-x it", "tests pass", "Fix the tests", "please fix it", "fax in x"]
    assert [index for index, _ in recall(texts, "fix")] == [2, 3, 0, 4]
    assert dict(recall(texts, "fix"))[3] == (7, 8, 9)
    assert [index for index, _ in recall(texts, "")] == [0, 1, 2, 3, 4]


def test_a_text_that_an_editor_left_as_it_was_keeps_its_chips() -> None:
    pastes, chip = Pastes().folded("a\nb\n", "[paste {number}: {lines} lines]")
    typed = Typed(f"see {chip}", pastes)
    assert edited(typed, "see a\nb\n") == typed
    assert edited(typed, "see a\nb\nc\n") == Typed("see a\nb\nc")
