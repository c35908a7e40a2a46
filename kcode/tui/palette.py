"""How each role and ground looks, in four kinds of colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from kcode.tui.lines import Ground, Role, width_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.tui.lines import Line


@dataclass(frozen=True, eq=False)
class Palette:
    """Rich's words for the look of each role and ground; what is not named looks like plain text."""

    name: str
    is_dark: bool
    roles: Mapping[Role, str]
    grounds: Mapping[Ground, str]

    def style(self, role: Role, ground: Ground | None = None, action: str = "") -> Style:
        return _style(self, role, ground, action)

    def strip(self, line: Line, width: int | None = None, ground: Ground | None = None) -> Strip:
        """The line as Textual draws it, with blanks up to `width` on the ground, which what has its own covers."""
        segments = [Segment(span.text, self.style(span.role, span.ground or ground, span.action)) for span in line]
        size = width_of(line)
        if width is not None and size < width:
            segments.append(Segment(" " * (width - size), self.style(Role.TEXT, ground)))
            size = width
        return Strip(segments, size)


@lru_cache(maxsize=4096)
def _style(palette: Palette, role: Role, ground: Ground | None, action: str) -> Style:
    style = Style.parse(palette.roles.get(role, ""))
    if ground is not None:
        under = Style.parse(palette.grounds.get(ground, ""))
        # Turned round, each colour would be a ground of its own.
        style = Style(bold=style.bold) + under if under.reverse else style + under
    return style + Style.from_meta({"@click": action}) if action else style


DARK = Palette(
    "kcode-dark",
    is_dark=True,
    roles={
        Role.TEXT: "#d7dae0",
        Role.DIM: "#9da4b0",
        Role.STRONG: "bold #f2f4f8",
        Role.EMPHASIS: "italic #d7dae0",
        Role.STRUCK: "strike #9da4b0",
        Role.HEADING: "bold #8ec7ff",
        Role.CODE: "#e6c384",
        Role.LINK: "underline #7fb4ff",
        Role.QUOTE: "italic #a9b0bc",
        Role.RULE: "#4a505c",
        Role.USER: "bold #f2f4f8",
        Role.REASONING: "italic #a6aebb",
        Role.TOOL: "#7fd1c7",
        Role.GOOD: "#7ecf8f",
        Role.WARNING: "#e6b455",
        Role.BAD: "#f28b82",
        Role.ACCENT: "bold #8ec7ff",
        Role.GUTTER: "#868d9a",
        Role.BLANK: "#5a6170",
        Role.ADDED: "#7ecf8f",
        Role.REMOVED: "#f28b82",
        Role.MOVED: "#b9a5f0",
        Role.KEYWORD: "#c39ff0",
        Role.STRING: "#a8d08d",
        Role.NUMBER: "#f0a878",
        Role.COMMENT: "italic #9da4b0",
        Role.FUNCTION: "#7fb4ff",
        Role.TYPE: "#e6c384",
        Role.CONSTANT: "#f0a878",
        Role.OPERATOR: "#a9b0bc",
    },
    grounds={
        Ground.PANEL: "on #1a1d24",
        Ground.CURSOR: "on #262f40",
        Ground.SELECTION: "on #2a4163",
        Ground.ADDED: "on #14291c",
        Ground.ADDED_WORD: "bold on #1b4a31",
        Ground.REMOVED: "on #311b1e",
        Ground.REMOVED_WORD: "bold on #58242a",
        Ground.FOUND: "on #473b10",
    },
)

LIGHT = Palette(
    "kcode-light",
    is_dark=False,
    roles={
        Role.TEXT: "#24292f",
        Role.DIM: "#57606a",
        Role.STRONG: "bold #0f1318",
        Role.EMPHASIS: "italic #24292f",
        Role.STRUCK: "strike #57606a",
        Role.HEADING: "bold #0550ae",
        Role.CODE: "#8a4600",
        Role.LINK: "underline #0550ae",
        Role.QUOTE: "italic #57606a",
        Role.RULE: "#afb8c1",
        Role.USER: "bold #0f1318",
        Role.REASONING: "italic #515963",
        Role.TOOL: "#0f6a63",
        Role.GOOD: "#116329",
        Role.WARNING: "#7d4e00",
        Role.BAD: "#b3261e",
        Role.ACCENT: "bold #0550ae",
        Role.GUTTER: "#67707a",
        Role.BLANK: "#afb8c1",
        Role.ADDED: "#116329",
        Role.REMOVED: "#b3261e",
        Role.MOVED: "#6639ba",
        Role.KEYWORD: "#6b3ac7",
        Role.STRING: "#0a5a2a",
        Role.NUMBER: "#953800",
        Role.COMMENT: "italic #57606a",
        Role.FUNCTION: "#0550ae",
        Role.TYPE: "#8a4600",
        Role.CONSTANT: "#953800",
        Role.OPERATOR: "#57606a",
    },
    grounds={
        Ground.PANEL: "on #f0f2f5",
        Ground.CURSOR: "on #dbe7f8",
        Ground.SELECTION: "on #cbdffb",
        Ground.ADDED: "on #e2f5e6",
        Ground.ADDED_WORD: "bold on #b5eac0",
        Ground.REMOVED: "on #fde7e7",
        Ground.REMOVED_WORD: "bold on #fbcdcd",
        Ground.FOUND: "on #fbe69a",
    },
)

# Blue and orange, which every kind of colour blindness tells apart.
BLIND = Palette(
    "kcode-colour-blind",
    is_dark=True,
    roles={
        **DARK.roles,
        Role.GOOD: "#6cb6ff",
        Role.BAD: "#f0a35e",
        Role.WARNING: "#f5e0a3",
        Role.ADDED: "#6cb6ff",
        Role.REMOVED: "#f0a35e",
        Role.STRING: "#a9c7e8",
    },
    grounds={
        **DARK.grounds,
        Ground.ADDED: "on #11253d",
        Ground.ADDED_WORD: "bold on #1a3f6b",
        Ground.REMOVED: "on #33220f",
        Ground.REMOVED_WORD: "bold on #573610",
    },
)

# The terminal's own sixteen colours; where one cannot be sure of a ground, weight and lines mark what matters.
ANSI = Palette(
    "kcode-ansi",
    is_dark=True,
    roles={
        Role.DIM: "dim",
        Role.STRONG: "bold",
        Role.EMPHASIS: "italic",
        Role.STRUCK: "strike",
        Role.HEADING: "bold",
        Role.CODE: "yellow",
        Role.LINK: "underline blue",
        Role.QUOTE: "italic",
        Role.RULE: "dim",
        Role.USER: "bold",
        Role.REASONING: "italic",
        Role.TOOL: "cyan",
        Role.GOOD: "green",
        Role.WARNING: "yellow",
        Role.BAD: "red",
        Role.ACCENT: "bold blue",
        Role.GUTTER: "dim",
        Role.BLANK: "dim",
        Role.ADDED: "green",
        Role.REMOVED: "red",
        Role.MOVED: "magenta",
        Role.KEYWORD: "magenta",
        Role.STRING: "green",
        Role.NUMBER: "yellow",
        Role.COMMENT: "dim italic",
        Role.FUNCTION: "blue",
        Role.TYPE: "yellow",
        Role.CONSTANT: "yellow",
    },
    grounds={
        Ground.CURSOR: "reverse",
        Ground.SELECTION: "reverse",
        Ground.ADDED_WORD: "bold underline",
        Ground.REMOVED_WORD: "bold underline",
        Ground.FOUND: "reverse",
    },
)

PALETTES = {palette.name: palette for palette in (DARK, LIGHT, BLIND, ANSI)}
