from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.sanitize import StreamSanitizer, sanitize, sanitize_line, sanitize_names

# Dense in what matters: control sequences, their introducers and terminators, invisible letters, line ends.
STEERING = "\x1b\x9b\x9d\x90[]PX^_0;?m\x07\x9c\\aJ \r\n\t\x00\x7f\x85\u202e\u2066\u200b\ufe0f\ufe0e\u26a0\U000e0041\udcff\ud800"
TEXTS = st.one_of(st.text(), st.text(alphabet=STEERING), st.text(alphabet=st.characters(codec=None)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text\n\twith é, 漢字 and 🙂\n", "plain text\n\twith é, 漢字 and 🙂\n"),
        ("A\x1b]52;c;ZXZpbA==\x07B", "A␛]52;c;ZXZpbA==␇B"),
        ("A\x1b]0;title", "A␛]0;title"),
        ("\x1b[2J\x1b[31mred\x1b[0m", "␛[2J␛[31mred␛[0m"),
        ("\x9b2J\x9d0;t\x9cB", "<U+009B>2J<U+009D>0;t<U+009C>B"),
        ("50%\r100%", "50%␍100%"),
        ("a\x08b\x00\x0b\x0c\x7f", "a␈b␀␋␌<U+007F>"),
        ("\u202eabc\u2066", "<U+202E>abc<U+2066>"),
        ("zero\u200bwidth\u200d\ufeff\u00ad", "zero<U+200B>width<U+200D><U+FEFF><U+00AD>"),
        ("x\U000e0041\U000e0042", "x<U+E0041><U+E0042>"),
        ("a\u2028b\u2029c\u0085d", "a<U+2028>b<U+2029>c<U+0085>d"),
        ("\udcff bad \udc80", r"\xff bad \x80"),
        ("\ud800 \udc00", r"\ud800 \udc00"),
        ("\u26a0\ufe0f careful", "\u26a0\ufe0f careful"),
        ("a\ufe0fb\u26a0\ufe0e\ufe0f", "a<U+FE0F>b\u26a0<U+FE0E><U+FE0F>"),
        ("", ""),
    ],
)
def test_what_steers_a_terminal_is_shown(text: str, shown: str) -> None:
    assert sanitize(text) == shown


def test_the_carriage_return_of_a_line_end_is_shown_on_demand() -> None:
    assert sanitize("one\r\ntwo\r\r\n") == "one\ntwo␍\n"
    assert sanitize("one\r\ntwo\r\r\n", show_crlf=True) == "one␍\ntwo␍␍\n"


def test_a_name_stays_on_one_line() -> None:
    assert sanitize_line("a\nb\tc\x1b[2J\r\n") == "a␊b␉c␛[2J␍␊"


@given(TEXTS, st.booleans())
def test_nothing_gets_through_that_a_terminal_obeys(text: str, show_crlf: bool) -> None:
    shown = sanitize(text, show_crlf=show_crlf)
    shown.encode("utf-8")
    for character in shown:
        assert character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert not 0xE0000 <= ord(character) <= 0xE0FFF
        assert character not in "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(TEXTS, st.booleans())
def test_sanitizing_twice_changes_nothing(text: str, show_crlf: bool) -> None:
    once = sanitize(text, show_crlf=show_crlf)
    assert sanitize(once) == once == sanitize(once, show_crlf=True)
    assert sanitize_line(sanitize_line(text)) == sanitize_line(text)


@given(TEXTS)
def test_no_character_is_dropped_and_no_other_is_touched(text: str) -> None:
    shown = sanitize(text, show_crlf=True)
    rest = shown
    for before, character in zip(" " + text, text, strict=False):
        # Each character of the text stands in the result, as itself or in the one way it is shown, in its order.
        own = sanitize(before + character, show_crlf=True).removeprefix(sanitize(before, show_crlf=True))
        assert own != ""
        assert rest.startswith(own)
        assert own == character or not (character.isalnum() and character.isascii())
        rest = rest.removeprefix(own)
    assert rest == ""


@given(st.lists(TEXTS), st.booleans())
def test_a_stream_reads_the_same_however_it_is_cut(pieces: list[str], show_crlf: bool) -> None:
    stream = StreamSanitizer(show_crlf=show_crlf)
    shown = "".join(stream.feed(piece) for piece in pieces) + stream.finish()
    assert shown == sanitize("".join(pieces), show_crlf=show_crlf)


@given(TEXTS)
def test_a_stream_of_single_characters_reads_the_same(text: str) -> None:
    stream = StreamSanitizer()
    assert "".join(map(stream.feed, text)) + stream.finish() == sanitize(text)


def test_a_stream_holds_back_no_more_than_it_must() -> None:
    stream = StreamSanitizer()
    assert stream.feed("working") == "working"
    assert stream.feed(" …\r") == " …"
    assert stream.feed("") == ""
    assert stream.feed("\n") == "\n"
    assert stream.feed("\r") + stream.finish() == "␍"
    assert stream.finish() == ""


def test_plain_text_costs_next_to_nothing() -> None:
    text = "def function(argument):  # plain\n" * 300_000
    fastest = min(_seconds(text) for _ in range(5))
    assert sanitize(text) is text
    # 800 MB/s where this was measured; the bound leaves room for a busy machine.
    assert len(text) / fastest > 100e6


def test_names_stay_on_one_line_and_few() -> None:
    assert sanitize_names(["a", "b\nc\x1b"]) == "a, b␊c␛"
    assert sanitize_names(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert sanitize_names([]) == ""


def _seconds(text: str) -> float:
    start = time.perf_counter()
    sanitize(text)
    return time.perf_counter() - start
