from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kcode.tui.lines import Line, Role, Span, cut, expand_tabs, join, plain, shorten, width_of, wrap

texts = st.text(st.sampled_from("ab c 漢字é😀\u0301"), max_size=60)
spans = st.builds(Span, texts, st.sampled_from([Role.TEXT, Role.CODE]))
lines: st.SearchStrategy[Line] = st.lists(spans, max_size=5).map(tuple)


@given(lines, st.integers(2, 30), st.integers(0, 4))
def test_wrapping_loses_nothing_but_blanks_and_stays_within_the_width(line: Line, width: int, hang: int) -> None:
    rows = wrap(line, width, hang=hang)
    assert all(width_of(row) <= width for row in rows)
    assert plain(line).replace(" ", "") == join(rows).replace("\n", "").replace(" ", "")


@given(lines, st.integers(0, 40), st.integers(0, 40))
def test_a_cut_has_the_width_that_was_asked_for(line: Line, start: int, end: int) -> None:
    size = width_of(line)
    wanted = max(min(end, size) - start, 0) if start < size else 0
    assert width_of(cut(line, start, end)) == wanted


@given(lines, st.integers(0, 40))
def test_what_is_shortened_fits(line: Line, width: int) -> None:
    assert width_of(shorten(line, width)) <= width


def test_tabs_go_to_the_next_stop() -> None:
    assert expand_tabs("a\tb\t\tc") == "a   b       c"
    assert expand_tabs("漢\tb") == "漢  b"
    assert cell_len(expand_tabs("\t")) == 4


def test_words_stay_whole_where_they_fit() -> None:
    line = (Span("the parser drops blank lines", Role.TEXT),)
    assert [plain(row) for row in wrap(line, 12)] == ["the parser", "drops blank", "lines"]


def test_a_long_word_is_broken_and_later_rows_hang_in() -> None:
    assert [plain(row) for row in wrap((Span("abcdefgh"),), 4, hang=1)] == ["abc", " def", " gh"]
