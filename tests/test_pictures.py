"""The pictures that README.md shows need nothing from anywhere, and show what was on the screen."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from docs.svg import Frame, draw_film, draw_picture, read_strip

ROOT = Path(__file__).parent.parent
SHOWN = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 500_000
pieces = st.lists(
    st.tuples(st.text(st.sampled_from("ab <&>中 "), min_size=1, max_size=6), st.sampled_from(["", "red", "on blue"])),
    max_size=5,
)


def test_the_readme_shows_pictures() -> None:
    assert len(SHOWN) == 3


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_whole_by_itself_and_tells_nothing_of_where_it_was_drawn(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    assert ET.fromstring(text).tag == f"{SVG}svg"  # noqa: S314 - it is our own
    assert set(re.findall(r"https?://[^\"' )<]*", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|@font-face|url\(|<image|<script|href=\"[^#]", text)
    assert not re.search(r"/tmp/|/home/|/root|/Users/", text)


@given(pieces)
def test_every_word_of_a_row_stands_in_its_cell(row: list[tuple[str, str]]) -> None:
    strip = Strip([Segment(text, Style.parse(style)) for text, style in row])
    drawn = ET.fromstring(draw_picture([read_strip(strip)], max(strip.cell_length, 1), "row"))  # noqa: S314
    words = "".join(element.text or "" for element in drawn.iter(f"{SVG}text"))
    assert words.replace(" ", "") == strip.text.replace(" ", "")


def test_a_film_draws_a_row_once_however_often_it_is_seen() -> None:
    one, other = (read_strip(Strip([Segment(text)])) for text in ("one", "other"))
    frames = [Frame(0.0, [one, one]), Frame(1.0, [one, other]), Frame(2.0, [one, one])]
    drawn = ET.fromstring(draw_film(frames, 4.0, 5, "film"))  # noqa: S314
    assert [element.text for element in drawn.iter(f"{SVG}text")] == ["one", "other"]
    assert len(list(drawn.iter(f"{SVG}use"))) == 1 + 3
    style = drawn.find(f"{SVG}style")
    assert style is not None
    assert "25%{" in (style.text or "")
