from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from textual.events import Paste
from textual.geometry import Offset

from kcode.tui.history import InputHistory, Typed, Unsent
from kcode.tui.vim import Mode
from kcode.tui.widgets.composer import Composer
from tests.tui.stage import shown
from tests.tui.typing import ComposerStage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.pilot import Pilot


def walk(
    stage: ComposerStage, steps: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24)
) -> None:
    async def run() -> None:
        async with stage.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(pilot)

    asyncio.run(run())


def type_in(stage: ComposerStage, text: str) -> None:
    """As if typed, at once."""
    composer = stage.composer
    composer.replace(text, *composer.selection, maintain_selection_offset=False)


def test_enter_sends_and_other_ways_make_a_line(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("enter")
        assert stage.asked == []
        type_in(stage, "one")
        await pilot.press("ctrl+j", "a", "shift+enter", "b", "alt+enter", "c", "backslash", "enter", "d")
        assert stage.composer.text == "one\na\nb\nc\nd"
        assert stage.composer.size.height == 5
        await pilot.press("enter")
        assert stage.asked == [Composer.Submitted("one\na\nb\nc\nd", "one\na\nb\nc\nd")]
        assert stage.composer.text == ""
        assert stage.composer.size.height == 1
        assert "Ask or tell" in shown(stage)

    walk(stage, steps)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("/help", Composer.CommandEntered("help", "")),
        ("/review the tests ", Composer.CommandEntered("review", "the tests")),
        ("/usr/bin is full", Composer.Submitted("/usr/bin is full", "/usr/bin is full")),
        ("/unknown", Composer.Submitted("/unknown", "/unknown")),
        ("!git status", Composer.ShellEntered("git status")),
        ("!", Composer.Submitted("!", "!")),
    ],
)
def test_what_is_sent_depends_on_how_it_begins(tmp_path: Path, typed: str, asked: object) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        stage.composer.put(Typed(typed))
        stage.composer.action_send()
        await pilot.pause()
        assert stage.asked == [asked]

    walk(stage, steps)


def test_a_large_paste_is_a_chip_that_is_sent_in_full_and_can_be_opened_or_deleted(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)
    log = "".join(f"line {n}\r\n" for n in range(240))

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "see ")
        for _ in range(2):
            composer.post_message(Paste(log))
        composer.post_message(Paste("small\x1b[31m\rpaste"))
        await pilot.pause()
        assert composer.text == "see [paste 1: 240 lines][paste 2: 240 lines]small␛[31m\npaste"
        composer.move_cursor((0, 44))
        composer.action_delete_left()
        assert composer.text.startswith("see [paste 1: 240 lines]small")
        composer.action_undo()
        assert "[paste 2: 240 lines]" in composer.text
        composer.action_unfold()
        assert composer.document.line_count == 242
        assert composer.text.startswith("see [paste 1: 240 lines]line 0\nline 1\n")
        await pilot.press("enter")
        sent = stage.asked[0]
        assert isinstance(sent, Composer.Submitted)
        assert sent.text.count("line 239\n") == 2
        assert sent.shown.startswith("see [paste 1: 240 lines]line 0")

    walk(stage, steps)
    # The history has it whole too.
    entry = InputHistory(tmp_path).entries[-1]
    assert entry.pastes.expanded(entry.text).count("line 0\n") == 2


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


def test_what_was_not_sent_is_there_after_a_crash(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        type_in(stage, "half a thought")
        await pilot.pause()
        assert Unsent(tmp_path, "one").load() == Typed("half a thought")

    walk(stage, steps)
    again = ComposerStage(tmp_path)

    async def more(pilot: Pilot[None]) -> None:
        assert again.composer.text == "half a thought"
        await pilot.press("enter")
        assert Unsent(tmp_path, "one").load() is None

    walk(again, more)


def test_readlines_keys_delete_and_put_back(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "one two-three four")
        await pilot.press("ctrl+w", "ctrl+w")
        assert composer.text == "one "
        await pilot.press("ctrl+y")
        assert composer.text == "one two-three four"
        await pilot.press("alt+b", "ctrl+k", "ctrl+u")
        assert composer.text == ""
        await pilot.press("ctrl+y", "ctrl+z")
        assert composer.text == ""

    walk(stage, steps)


def test_the_composer_grows_to_a_third_of_the_screen_and_the_caret_is_where_it_is_seen(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "漢字")
        await pilot.pause()
        assert stage.cursor_position == composer.content_region.offset + Offset(4, 0)
        for _ in range(20):
            type_in(stage, "\n")
        type_in(stage, "漢")
        await pilot.pause()
        assert composer.size.height == 7
        assert stage.cursor_position == composer.content_region.offset + Offset(2, 6)

    walk(stage, steps)


def test_vis_keys_work_where_they_are_wanted(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path, vim=True)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "one two")
        await pilot.press("escape", "d", "b", "u")
        assert composer.text == "one two"
        assert stage.modes == [Mode.NORMAL]
        composer.move_cursor((0, 0))
        await pilot.press("d", "w", "v", "l", "y", "p", "i", "x", "escape")
        assert composer.text == "ttxwwo"
        assert stage.asked == []
        await pilot.press("escape")
        await pilot.press("enter")
        assert [type(asked) for asked in stage.asked] == [Composer.Interrupted, Composer.Submitted]
        assert stage.modes[-1] is Mode.INSERT

    walk(stage, steps)


def test_where_no_editor_can_be_had_it_is_said_and_the_text_stays(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path, edit_outside=str.upper)

    async def steps(pilot: Pilot[None]) -> None:
        type_in(stage, "one")
        await pilot.press("ctrl+g")
        assert [type(asked) for asked in stage.asked] == [Composer.EditingFailed]
        assert stage.composer.text == "one"

    walk(stage, steps)


def test_the_users_keys_take_the_place_of_the_usual_ones(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        stage.set_keymap({"composer-send": "ctrl+s", "composer-newline": "enter"})
        type_in(stage, "one")
        await pilot.press("enter", "a", "ctrl+s")
        assert stage.asked == [Composer.Submitted("one\na", "one\na")]

    walk(stage, steps)
