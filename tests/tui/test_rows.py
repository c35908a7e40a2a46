from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from kcode.tui.lines import Line, Role, Span, width_of
from kcode.tui.rows import Flow, broken, text_of

texts = st.text(st.sampled_from("ab  c 漢字é😀\u0301"), max_size=20)
spans = st.builds(Span, texts, st.sampled_from([Role.TEXT, Role.CODE]))
lines: st.SearchStrategy[Line] = st.lists(spans, max_size=3).map(tuple)


@example([(Span("漢 ", action="0"), Span("\u0301")), (Span("aaa"),)], 2)
@given(st.lists(lines, max_size=6), st.integers(2, 20))
def test_text_that_comes_in_pieces_is_wrapped_like_the_whole(pieces: list[Line], width: int) -> None:
    whole, grown = Flow(width), Flow(width)
    whole.add(tuple(span for piece in pieces for span in piece))
    for piece in pieces:
        grown.tail(piece)
        grown.add(piece)
    assert grown.tail() == whole.tail()
    assert grown.final == whole.final
    grown.end_line()
    whole.end_line()
    assert grown.final == whole.final


def test_an_accent_on_a_blank_takes_it_along() -> None:
    rows = broken((Span("aa \u0301 a"),), 2)
    assert text_of(rows) == "aa \u0301 a"


@given(st.text(st.sampled_from("ab  c漢\u0301"), max_size=60), st.integers(2, 20))
def test_what_was_broken_is_put_together_again(text: str, width: int) -> None:
    rows = broken((Span(text),), width)
    assert all(width_of(row.line) <= width for row in rows)
    assert text_of(rows).rstrip() == text.rstrip()
