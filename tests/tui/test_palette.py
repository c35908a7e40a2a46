from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.style import Style

from kcode.tui.lines import Ground, Role
from kcode.tui.palette import BLIND, DARK, LIGHT
from kcode.tui.themes import own_themes

if TYPE_CHECKING:
    from rich.color_triplet import ColorTriplet

    from kcode.tui.palette import Palette

# What a person of ordinary sight reads without effort, by the W3C's measure; less does for bold words that are marked,
# and for numbers of lines, which stand on no mark.
READABLE, MARKED = 4.5, 4.0
MARKS = {Ground.SELECTION, Ground.ADDED_WORD, Ground.REMOVED_WORD, Ground.FOUND}
# Lines, and signs in the place of blanks, are to be seen and not to be read.
DRAWN = {Role.RULE, Role.BLANK}


def luminance(color: ColorTriplet) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in color)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT, BLIND], ids=lambda palette: palette.name)
def test_all_that_is_to_be_read_stands_out_from_every_ground(palette: Palette) -> None:
    theme = next(theme for theme in own_themes() if theme.name == palette.name)
    grounds: dict[Ground | str, str] = {"background": f"on {theme.background}", "surface": f"on {theme.surface}"}
    weak = []
    for role in palette.roles.keys() - DRAWN:
        for ground, style in (grounds | dict(palette.grounds)).items():
            ink, paper = Style.parse(palette.roles[role]).color, Style.parse(style).bgcolor
            assert ink is not None
            assert paper is not None
            is_number, is_mark = role is Role.GUTTER, ground in MARKS
            found = contrast(ink.get_truecolor(), paper.get_truecolor())
            if not (is_number and is_mark) and found < (MARKED if is_number or is_mark else READABLE):
                weak.append(f"{role} on {ground}: {found:.1f}")
    assert weak == []


def test_what_is_added_and_removed_differs_in_each_palette() -> None:
    for palette in (DARK, LIGHT, BLIND):
        assert palette.grounds[Ground.ADDED] != palette.grounds[Ground.REMOVED]
        assert palette.roles[Role.ADDED] != palette.roles[Role.REMOVED]
