from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from kcode.tui.lines import Role, plain
from kcode.tui.markdown import Document
from kcode.tui.rows import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tui.rows import Row

FRAGMENTS = [
    "word ", "漢字", "😀", "e\u0301", "**bold** ", "*", "_", "`code` ", "``", "```", "```py", "~~~", "[a](https://b.c) ",
    "https://a.b/c ", "\n", "\n", "\n\n", "- ", "  - ", "1. ", "12) ", "   ", "    ", "> ", "# ", "### ", "---", "===",
    "| a | b |\n|---|:-:|\n", "| x | long cell here |\n", "|", "\\", "<div>", "<b>", "&amp;", "&#27;", "\x1b[31m", "\t",
    "\r\n", "\r", "x" * 45, "word and more " * 90, "y" * 1200, "def f(x):\n    return 1\n",
]  # fmt: skip
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)
cuts = st.lists(st.integers(1, 60), min_size=1, max_size=8)


def laid_out(pieces: Sequence[str], width: int, *, looked_at: bool = False) -> list[Row]:
    document = Document(width)
    for piece in pieces:
        document.feed(piece)
        if looked_at:
            document.rows()
    document.finish()
    return list(document.rows())


def pieces_of(text: str, sizes: Sequence[int]) -> list[str]:
    pieces: list[str] = []
    at = 0
    while at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at : at + size])
        at += size
    return pieces


def shown(text: str, width: int = 60) -> list[str]:
    return [plain(row.line).rstrip() for row in laid_out([text], width)]


@settings(max_examples=150)
@given(texts, cuts, st.integers(8, 70))
@example("|a|b|\n|-|-|\n|c|d|", [1], 20)
@example("word and more " * 300, [7], 33)
def test_in_whatever_pieces_it_comes_the_rows_are_those_of_the_whole(text: str, sizes: list[int], width: int) -> None:
    assert laid_out(pieces_of(text, sizes), width, looked_at=True) == laid_out([text], width)


@settings(max_examples=80)
@given(texts, cuts, st.integers(8, 70))
def test_what_is_shown_of_a_beginning_depends_on_that_beginning_alone(text: str, sizes: list[int], width: int) -> None:
    document = Document(width)
    for piece in pieces_of(text, sizes):
        document.feed(piece)
        document.rows()
    at_once = Document(width)
    at_once.feed(text)
    assert document.rows() == at_once.rows()


@settings(max_examples=80)
@given(texts, st.integers(8, 70))
def test_rows_fit_the_width_and_nothing_in_them_steers_the_terminal(text: str, width: int) -> None:
    for row in laid_out([text], width):
        line = plain(row.line)
        assert cell_len(line) <= width
        assert not any(character in line for character in "\n\t\r\x1b")


def test_lists_nest_and_count_and_keep_their_marks() -> None:
    assert shown("1. one\n1. two\n   - deep\n   - deeper\n1. three\n\n- loose\n\n- items") == [
        "1. one", "2. two", "   ◦ deep", "   ◦ deeper", "3. three", "", "• loose", "", "• items",
    ]  # fmt: skip


def test_a_number_in_running_text_begins_no_list() -> None:
    assert shown("It grew by\n14. Nobody knew why.") == ["It grew by 14. Nobody knew why."]


def test_the_columns_of_a_table_stand_below_each_other_and_wrap() -> None:
    text = "| name | count |\n|---|--:|\n| 漢字 | 1 |\n| a rather long name of a thing | 1,000 |"
    assert shown(text, 24) == [
        "name             │ count",
        "─────────────────┼──────",
        "漢字             │     1",
        "a rather long    │ 1,000",
        "name of a thing  │",
    ]


def test_code_keeps_its_lines_and_says_its_language() -> None:
    rows = laid_out(['```python\ndef f():\n    """a\n    b"""\n```'], 40)
    assert [row.text for row in rows] == ["python", "def f():", '    """a', '    b"""']
    keyword = next(span for span in rows[1].line if span.text == "def")
    assert keyword.role is Role.KEYWORD
    # A string over two lines is known as one when the block has come to its end.
    assert all(span.role is Role.STRING for span in rows[3].line if span.text.strip())


def test_a_link_shows_where_it_leads_and_can_be_clicked() -> None:
    (row,) = laid_out(["See [the docs](https://a.b/c)."], 60)
    assert plain(row.line) == "See the docs (https://a.b/c)."
    assert {span.action for span in row.line} == {"", "follow('https://a.b/c')"}


def test_a_link_that_leads_to_no_page_is_shown_and_does_nothing() -> None:
    (row,) = laid_out(["[run](javascript:alert(1)) [f](file:///etc/passwd)"], 80)
    assert not any(span.action for span in row.line)


def test_html_is_text_like_any_other() -> None:
    assert shown("<details>\n<b>hi</b> **x**\n</details>\n\na <br> b") == [
        "<details>", "<b>hi</b> **x**", "</details>", "", "a <br> b",
    ]  # fmt: skip


def test_a_quote_has_a_line_at_its_side() -> None:
    assert shown("> said\nlazily\n>\n> - item\n\nafter") == ["│ said lazily", "│", "│ • item", "", "after"]


def test_an_underline_makes_a_heading_of_what_stands_above_it() -> None:
    rows = laid_out(["Title\n===\ntext"], 40)
    assert rows[0].line[0].role is Role.HEADING


def test_what_was_broken_to_the_width_is_whole_again_as_text() -> None:
    words = "one two three four five six seven eight nine ten"
    assert text_of(laid_out([words], 12)) == words
    assert text_of(laid_out(["- " + words], 12)) == words
