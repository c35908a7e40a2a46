# ruff: noqa: RUF001 - the signs on the screen are what is looked for

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.events import MouseScrollDown

from kcode.events import ReasoningStreamed, TextStreamed, ToolCallFinished, ToolCallStarted, TurnStarted
from kcode.messages import AssistantMessage, UserMessage
from kcode.results import ToolResult
from kcode.tui.widgets.transcript import Transcript
from tests.tui.happenings import TEXTS, Clock, call_of, reply_of
from tests.tui.stage import Stage, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.message import Message
    from textual.pilot import Pilot


class Scene(Stage):
    """A stage with a transcript alone; `posted` is what it told the app."""

    def __init__(self, theme: str = "kcode-dark") -> None:
        self.transcript = Transcript(TEXTS, Clock())
        self.posted: list[Message] = []
        super().__init__(self.transcript, theme)

    def on_transcript_copied(self, message: Transcript.Copied) -> None:
        self.posted.append(message)

    def on_transcript_edit_requested(self, message: Transcript.EditRequested) -> None:
        self.posted.append(message)

    def on_transcript_open_requested(self, message: Transcript.OpenRequested) -> None:
        self.posted.append(message)

    def on_transcript_block_opened(self, message: Transcript.BlockOpened) -> None:
        self.posted.append(message)

    def on_transcript_link_followed(self, message: Transcript.LinkFollowed) -> None:
        self.posted.append(message)


def staged(
    width: int = 60, height: int = 12, theme: str = "kcode-dark"
) -> Callable[[Callable[[Scene, Transcript, Pilot[None]], Coroutine[None, None, None]]], Callable[[], None]]:
    """Play a scene with a transcript that has the focus."""

    def make(walk: Callable[[Scene, Transcript, Pilot[None]], Coroutine[None, None, None]]) -> Callable[[], None]:
        async def play() -> None:
            scene = Scene(theme)
            async with scene.run_test(size=(width, height)) as pilot:
                scene.transcript.focus()
                await walk(scene, scene.transcript, pilot)

        return lambda: asyncio.run(play())

    return make


def rows(scene: Scene) -> list[str]:
    """The screen's lines without the scrollbar."""
    return [line[: scene.size.width - 1].rstrip() for line in shown(scene).split("\n")]


def numbered(first: int, last: int) -> str:
    return "\n\n".join(f"paragraph {number}" for number in range(first, last))


@staged()
async def test_a_stream_is_followed_until_the_user_scrolls_and_again_from_the_end_on(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.show(TextStreamed(numbered(0, 30)))
    transcript.flush()
    await pilot.pause()
    assert rows(scene)[-1] == "  paragraph 29"
    await pilot.press("pageup")
    before = rows(scene)
    assert before[-1] != "  paragraph 29"
    transcript.show(TextStreamed("\n\n" + numbered(30, 40)))
    transcript.flush()
    await pilot.pause()
    assert rows(scene)[:-1] == before[:-1]
    assert rows(scene)[-1].endswith("↓ new below")
    await pilot.click(transcript, offset=(52, 11))
    assert rows(scene)[-1].endswith("paragraph 39")
    transcript.show(TextStreamed("\n\nlast"))
    transcript.flush()
    await pilot.pause()
    assert rows(scene)[-1].endswith(" last")


@staged()
async def test_pieces_of_a_stream_are_painted_without_being_asked_to(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.show(ReasoningStreamed("Hm, "))
    transcript.show(ReasoningStreamed("let me see."))
    for _ in range(50):
        await pilot.pause(0.02)
        if "let me see." in shown(scene):
            break
    assert rows(scene)[1] == "    Hm, let me see."


@staged()
async def test_the_wheel_and_the_bar_move_what_is_seen(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.load([UserMessage("hi"), AssistantMessage(numbered(0, 60))])
    await pilot.pause()
    transcript.scroll_to(y=10, animate=False)
    await pilot.pause()
    before = rows(scene)
    transcript.post_message(MouseScrollDown(transcript, 5, 5, 0, 1, 0, shift=False, meta=False, ctrl=False))
    await pilot.pause()
    assert rows(scene)[:-2] == before[2:]
    await pilot.press("home")
    assert rows(scene)[0] == "› hi"
    await pilot.press("down", "down")
    for _ in range(50):
        await pilot.pause(0.02)
        if rows(scene)[0] == "  paragraph 0":
            break
    assert rows(scene)[0] == "  paragraph 0"
    await pilot.press("end")
    assert rows(scene)[-1] == "  paragraph 59"


@staged()
async def test_a_click_on_its_header_opens_and_folds_a_block(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.load([AssistantMessage("Done.", "First this.\nThen that.")])
    await pilot.pause()
    assert rows(scene)[:3] == ["  ▸ Thought · 7 tokens", "", "  Done."]
    await pilot.click(transcript, offset=(6, 0))
    assert rows(scene)[:3] == ["▌ ▾ Thought · 7 tokens", "▌   First this.", "▌   Then that."]
    await pilot.click(transcript, offset=(6, 0))
    assert "First this." not in shown(scene)
    assert [type(message) for message in scene.posted] == [Transcript.BlockOpened] * 2


@staged()
async def test_a_click_leaves_the_focus_where_one_types(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.load([AssistantMessage("Done.", "First this.\nThen that.")])
    await pilot.pause()
    scene.screen.set_focus(None)
    await pilot.click(transcript, offset=(4, 2))
    await pilot.click(transcript, offset=(6, 0))
    assert rows(scene)[:2] == ["  ▾ Thought · 7 tokens", "    First this."]
    assert scene.focused is None


@staged()
async def test_keys_go_from_block_to_block_and_act_on_it(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    call = call_of("run_command", command="ls")
    transcript.add_user("one")
    transcript.show(TurnStarted("one"))
    transcript.show(ToolCallFinished(call, ToolResult("Exit code 0 after 0.1 s:\na.py", "x"), 0.1))
    transcript.show(TextStreamed("**Hi**"))
    transcript.show(reply_of("**Hi**"))
    await pilot.press("alt+up", "y", "alt+up", "enter")
    assert "a.py" in shown(scene)
    await pilot.press("o", "alt+up", "e", "alt+up")
    copied, opened, wanted, edited = scene.posted
    assert copied == Transcript.Copied("**Hi**")
    assert isinstance(opened, Transcript.BlockOpened)
    assert isinstance(wanted, Transcript.OpenRequested)
    assert wanted.text == "$ ls\nExit code 0 after 0.1 s:\na.py"
    assert edited == Transcript.EditRequested(0, "one")
    assert rows(scene)[0] == "▌ one"


@staged()
async def test_all_thoughts_and_all_outputs_have_a_key_each(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.load([AssistantMessage("a", "deep thought"), AssistantMessage("b", "deeper thought")])
    await pilot.press("ctrl+t")
    assert "deep thought" in shown(scene)
    assert "deeper thought" in shown(scene)
    await pilot.press("ctrl+t")
    assert "thought" not in shown(scene)
    transcript.show(ToolCallStarted(call_of("run_command", command="ls")))
    await pilot.press("ctrl+o")
    assert "$ ls" in shown(scene)


@staged(40)
async def test_a_selection_by_mouse_copies_the_text_without_margins_and_breaks(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    words = "one two three four five six seven eight nine ten eleven"
    transcript.load([AssistantMessage(f"- {words}\n- twelve")])
    await pilot.pause()
    await pilot.mouse_down(transcript, offset=(8, 0))
    await pilot.hover(transcript, offset=(9, 2))
    await pilot.mouse_up(transcript, offset=(9, 2))
    await pilot.pause()
    assert scene.screen.get_selected_text() == f"{words[4:]}\ntwelve"


@staged()
async def test_everything_can_be_selected(scene: Scene, transcript: Transcript, pilot: Pilot[None]) -> None:
    transcript.load([UserMessage("hi"), AssistantMessage("- a\n- b")])
    await pilot.pause()
    transcript.text_select_all()
    assert scene.screen.get_selected_text() == "hi\n\na\nb"


@staged()
async def test_a_search_marks_what_it_finds_and_goes_from_one_to_the_next(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.load(
        [UserMessage("the Needle"), AssistantMessage(numbered(0, 40)), AssistantMessage("x", "hidden needle")]
    )
    await pilot.pause()
    assert transcript.find("needle") == 2
    await pilot.pause()
    assert "hidden needle" in shown(scene)
    await pilot.press("n")
    assert rows(scene)[0] == "▌ the Needle"
    assert transcript.find("nowhere") == 0


@staged()
async def test_another_width_wraps_anew_and_stays_at_the_same_block(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    long = "words that go on and on " * 20
    transcript.load([message for n in range(30) for message in (UserMessage(f"question {n}"), AssistantMessage(long))])
    await pilot.pause()
    transcript.find("question 15")
    await pilot.resize_terminal(33, 12)
    await pilot.pause()
    assert "question 15" in shown(scene)
    assert all(len(row) <= 32 for row in rows(scene))


@staged()
async def test_a_link_is_followed_by_a_click(scene: Scene, transcript: Transcript, pilot: Pilot[None]) -> None:
    transcript.load([AssistantMessage("See [it](https://a.b/c('x')).")])
    await pilot.pause()
    await pilot.click(transcript, offset=(7, 0))
    assert scene.posted == [Transcript.LinkFollowed("https://a.b/c('x')")]


@staged(theme="kcode-ansi")
async def test_markup_and_control_characters_are_shown_with_sixteen_colours_too(
    scene: Scene, transcript: Transcript, pilot: Pilot[None]
) -> None:
    transcript.load([UserMessage("[bold]x[/] \x1b[31m\u202e"), AssistantMessage("[@click=app.quit]y[/] \x1b]0;t\x07")])
    await pilot.pause()
    assert rows(scene)[0] == "› [bold]x[/] ␛[31m<U+202E>"
    assert rows(scene)[2] == "  [@click=app.quit]y[/] ␛]0;t␇"


@staged()
async def test_nothing_runs_while_nothing_comes(scene: Scene, transcript: Transcript, pilot: Pilot[None]) -> None:
    transcript.show(TextStreamed("x"))
    transcript.show(reply_of("x"))
    await pilot.pause(0.2)
    assert [timer for timer in (*transcript._timers, *scene._timers) if timer._active.is_set()] == []


@staged()
async def test_opening_a_block_is_nothing_new_below(scene: Scene, transcript: Transcript, pilot: Pilot[None]) -> None:
    transcript.show(ReasoningStreamed(numbered(0, 30)))
    transcript.show(TextStreamed(numbered(0, 30)))
    transcript.stop()
    await pilot.pause()
    transcript.focus()
    await pilot.press("home")
    transcript.action_toggle_block(transcript.stack.blocks[0].number)
    await pilot.pause()
    assert not rows(scene)[-1].endswith("new below")
