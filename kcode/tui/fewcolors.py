"""Terminals with few colours, and users who want none: one theme is made for both."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

from kcode.tui.palette import ANSI

if TYPE_CHECKING:
    from textual.color import Color


def theme_for(wanted: str, colors: str | None) -> str:
    """The theme to show where one is wanted: the one of sixteen colours where the terminal has no more.

    `colors` is Rich's name for what the terminal can show; the nearest of sixteen would hide every ground.
    """
    return ANSI.name if colors in {None, "standard"} else wanted


class Colorless(LineFilter):
    """Takes every colour away; weight, lines and what is turned round stay, and so do clicks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        return [
            Segment(text, None if style is None else _without_color(style), control)
            for text, style, control in segments
        ]


@lru_cache(maxsize=4096)
def _without_color(style: Style) -> Style:
    bare = style.without_color
    return bare + Style.from_meta(style.meta) if style.meta else bare
