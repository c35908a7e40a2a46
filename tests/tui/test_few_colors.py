"""Terminals with sixteen colours, and none at all where the user wants none, read byte for byte."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from kcode.tui.fewcolors import Colorless, theme_for
from tests.model_server import reply
from tests.program import RIGHT
from tests.tui.terminal import Terminal, program_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

ANSWER = "# Done\n\n- `round` it, **always**\n\n```python\ndef f(): return 'x'\n```\n"
# Bold, dim, italic, underlined, turned round, struck, and the ends of those.
WEIGHTS = {"", *map(str, (0, 1, 2, 3, 4, 7, 9, 21, 22, 23, 24, 27, 29))}


def drawn(terminal: Terminal) -> set[str]:
    """Everything that was said about the look of what stands there."""
    found = re.findall(rb"\x1b\[([0-9;:]*)m", terminal.raw)
    return {part for one in found for part in one.decode().split(";")}


def see_conversation_and_review(terminal: Terminal) -> None:
    terminal.read_until(b"price unknown", b"round")
    terminal.type(b"\x1bOQ")
    terminal.read_until(b"decided 0 of")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 143


@pytest.mark.parametrize("depth", ["", "truecolor"])
def test_no_colour_is_none_at_all_and_weight_tells_what_matters(
    tmp_path: Path, model_server: ModelServerFactory, depth: str
) -> None:
    script = (reply(reasoning="It truncates.", calls=[RIGHT]), reply(ANSWER))
    program = program_with(tmp_path, model_server, *script)
    with Terminal(program, "-m", "kcode", "cents() rounds down", NO_COLOR="1", COLORTERM=depth) as terminal:
        see_conversation_and_review(terminal)
    looks = drawn(terminal)
    assert looks <= WEIGHTS, sorted(looks - WEIGHTS)
    assert {"1", "2", "7"} <= looks


@pytest.mark.parametrize("name", ["xterm-16color", "linux"])
def test_sixteen_colours_are_the_terminals_own(tmp_path: Path, model_server: ModelServerFactory, name: str) -> None:
    script = (reply(reasoning="It truncates.", calls=[RIGHT]), reply(ANSWER))
    program = program_with(tmp_path, model_server, *script)
    with Terminal(program, "-m", "kcode", "cents() rounds down", TERM=name, COLORTERM="") as terminal:
        see_conversation_and_review(terminal)
    looks = re.findall(rb"\x1b\[([0-9;:]*)m", terminal.raw)
    assert not [look for look in looks if re.search(rb"(^|;)[34]8[;:]", look)]
    assert {"7", "31", "32"} <= drawn(terminal)


@pytest.mark.parametrize(
    ("colors", "shown"),
    [("truecolor", "kcode-light"), ("256", "kcode-light"), ("standard", "kcode-ansi"), (None, "kcode-ansi")],
)
def test_the_theme_of_sixteen_colours_is_shown_where_there_are_no_more(colors: str | None, shown: str) -> None:
    assert theme_for("kcode-light", colors) == shown


def test_a_click_finds_its_action_without_colours() -> None:
    style = Style.parse("bold red on blue") + Style.from_meta({"@click": "screen.accept('x')"})
    (segment,) = Colorless().apply([Segment("accept", style)], Color(0, 0, 0))
    assert segment.style is not None
    assert (segment.style.bold, segment.style.color, segment.style.bgcolor) == (True, None, None)
    assert segment.style.meta == {"@click": "screen.accept('x')"}
