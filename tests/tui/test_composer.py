from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual.events import Key, Paste
from textual.geometry import Offset

from kcode.tui.history import InputHistory, Typed, Unsent
from kcode.tui.keys import KEYS
from kcode.tui.texts import load_texts
from kcode.tui.vim import Mode
from kcode.tui.widgets.composer import Composer
from tests.tui.stage import shown
from tests.tui.typing import ComposerStage, type_in, walk

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


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


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_click_on_what_there_is_a_list_of_opens_it(tmp_path: Path, language: str) -> None:
    stage = ComposerStage(tmp_path, language=language)
    placeholder = load_texts(language)("composer.placeholder")

    async def steps(pilot: Pilot[None]) -> None:
        for sign in "/@":
            column = cell_len(placeholder.partition(f"{sign} ")[0]) + 3
            await pilot.click(stage.composer, offset=(column, 0))
            assert stage.completion.is_open
            assert stage.composer.text == sign
            await pilot.click(stage.composer, offset=(column, 0))
            assert stage.composer.text == sign
            stage.composer.empty()
        for column in (3, cell_len(placeholder)):
            await pilot.click(stage.composer, offset=(column, 0))
            assert not stage.composer.text

    walk(stage, steps)


def test_keys_that_come_all_at_once_are_carried_out_in_their_order(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        for key, character in (
            *(("a", "a"), ("b", "b"), ("backspace", "\x7f"), ("c", "c"), ("ctrl+j", "\n"), ("d", "d")),
            *(("enter", "\r"), ("e", "e"), ("left", None), ("f", "f")),
        ):
            stage.post_message(Key(key, character))
        await pilot.pause()
        assert stage.asked == [Composer.Submitted("ac\nd", "ac\nd")]
        assert stage.composer.text == "fe"

    walk(stage, steps)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("/help", Composer.CommandEntered("help", "")),
        ("/review the tests ", Composer.CommandEntered("review", "the tests")),
        ("/usr/bin is full", Composer.Submitted("/usr/bin is full", "/usr/bin is full")),
        ("/review\nthese\nlines", Composer.CommandEntered("review", "these\nlines")),
        ("/", Composer.Submitted("/", "/")),
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


def test_keys_that_mean_nothing_here_are_left_to_the_app(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        reached = []
        stage.bind("delete,pageup", "reach")
        stage.action_reach = lambda: reached.append(True)  # type: ignore[attr-defined]
        await pilot.press("delete", "pageup")
        assert len(reached) == 2

    walk(stage, steps)


def test_what_made_it_scroll_can_be_undone_and_redone(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        composer.replace("a\n" * 14, (0, 0), (0, 0), maintain_selection_offset=False)
        await pilot.pause()
        composer.undo()
        await pilot.pause()
        assert composer.text == ""
        composer.redo()
        await pilot.pause()
        composer.history.checkpoint()
        composer.replace("", (0, 0), composer.document.end, maintain_selection_offset=False)
        await pilot.pause()
        composer.undo()
        await pilot.pause()
        composer.move_cursor(composer.document.end)
        composer.redo()
        await pilot.pause()
        assert composer.text == ""

    walk(stage, steps)


@pytest.mark.parametrize("vim", [False, True])
def test_no_keys_at_random_break_it(tmp_path: Path, vim: bool) -> None:
    stage = ComposerStage(tmp_path, vim=vim)
    chance = random.Random(7)  # noqa: S311
    names = [key.strip() for one in KEYS if one.id != "composer-editor" for key in one.keys.split(",")]
    names += ["left", "right", "home", "end", "delete", "backspace", "shift+left", "shift+up", "f7", "ctrl+x", "ctrl+v"]

    async def steps(pilot: Pilot[None]) -> None:
        for _ in range(40):
            for _ in range(15):
                name = chance.choice(names)
                letter = chance.choice("ab@/!i\\ .d漢wcp0$v")
                stage.post_message(Key(*(name, None) if chance.random() < 0.5 else (letter, letter)))
            if chance.random() < 0.2:
                stage.composer.post_message(Paste(chance.choice(["a\x1b[2J", "x\n" * 30, "@in", "漢" * 30])))
            await pilot.pause(0)
        await pilot.pause()
        assert "\x1b" not in stage.composer.text
        stage.composer.empty()
        stage.composer.put(Typed("still here"))
        stage.composer.action_send()
        await pilot.pause()
        assert stage.asked[-1] == Composer.Submitted("still here", "still here")

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
        await pilot.press("alt+b", "ctrl+k", "ctrl+u", "ctrl+y")
        assert composer.text == "one two-three four"
        await pilot.press("ctrl+u")
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


def test_what_is_given_up_can_be_had_again(tmp_path: Path) -> None:
    stage = ComposerStage(tmp_path)

    async def steps(pilot: Pilot[None]) -> None:
        composer = stage.composer
        type_in(stage, "half a thought")
        composer.give_up()
        stood = [composer.text]
        await pilot.pause()
        await pilot.press("up")
        assert [*stood, composer.text] == ["", "half a thought"]

    walk(stage, steps)
    assert InputHistory(tmp_path).entries[-1].text == "half a thought"
