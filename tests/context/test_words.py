from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.context.words import Finder, count_terms, split_words, stem, terms_of

TEXTS = st.lists(
    st.sampled_from(
        ["error_handler", "ErrorHandlers", "HTTPException", "queries", "query", "x", "42", "naïve", "注册错误", "the",
         "\n", " ", "(", ".", "__init__", "getSession", "é", "\x00", "_", "stopped"]
    ),
    max_size=30,
).map("".join) | st.text(max_size=60)  # fmt: skip


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("ErrorHandlers", ("error", "handl", "errorhandl")),
        ("error_handler", ("error", "handl", "errorhandl")),
        ("HTTPException", ("http", "except", "httpexcept")),
        ("__init__", ("init",)),
        ("the", ()),
        ("x", ()),
        ("1234", ()),
        ("a" * 61, ()),
        ("注册错误", ("注册", "册错", "错误")),
    ],
)
def test_what_a_word_is_found_by(word: str, terms: tuple[str, ...]) -> None:
    assert terms_of(word) == terms


@pytest.mark.parametrize(
    "family",
    [("handler", "handlers", "handling", "handled", "handle"), ("query", "queries"), ("stop", "stops", "stopped"),
     ("validate", "validates", "validation")],
)  # fmt: skip
def test_forms_of_a_word_meet(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@given(TEXTS)
@settings(max_examples=150)
def test_counting_is_splitting_and_counting(text: str) -> None:
    assert count_terms(text.encode("utf-8", "replace")) == Counter(split_words(text))


@given(
    TEXTS,
    st.lists(st.sampled_from(["error", "handl", "errorhandl", "query", "httpexcept", "注册", "init"]), max_size=4),
)
@settings(max_examples=150)
def test_a_finder_finds_what_splitting_line_by_line_does(text: str, terms: list[str]) -> None:
    data = text.encode("utf-8", "replace")
    wanted = set(terms)
    expected = [
        (number, term)
        for number, line in enumerate(data.split(b"\n"), 1)
        for term in split_words(line.decode("utf-8", "replace"))
        if term in wanted
    ]
    lines, found = Finder(terms).find(data)
    assert list(zip(lines, found, strict=True)) == expected


def test_a_finder_learns_from_one_text_to_the_next() -> None:
    finder = Finder(["error"])
    assert finder.find(b"error\nan error_handler") == ([1, 2], ["error", "error"])
    assert finder.find(b"no such word") == ([], [])
    assert finder.find(b"\n\nErrors") == ([3], ["error"])
