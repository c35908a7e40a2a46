from __future__ import annotations

import tomllib
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from kcode.tui.texts import FOLDER, LANGUAGES, language_of, load_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = sorted({path.name for path in FOLDER.glob("*/*.toml")})


def read(language: str, part: str) -> dict[str, str | Mapping[str, str]]:
    return tomllib.loads((FOLDER / language / part).read_text(encoding="utf-8"))


def blanks(text: str | Mapping[str, str]) -> set[str]:
    texts = [text] if isinstance(text, str) else text.values()
    return {name for one in texts for _, name, _, _ in Formatter().parse(one) if name}


@pytest.mark.parametrize("part", PARTS)
def test_every_language_says_the_same_with_the_same_blanks(part: str) -> None:
    english = read("en", part)
    for language in LANGUAGES:
        other = read(language, part)
        assert {key: blanks(text) for key, text in other.items()} == {
            key: blanks(text) for key, text in english.items()
        }
        assert all(isinstance(text, str) or set(text) == {"one", "other"} for text in other.values())


def test_a_text_takes_its_form_from_the_count() -> None:
    texts = load_texts("en")
    assert texts("status.draft", count=1) == "draft 1 file"
    assert texts("status.draft", count=0) == "draft 0 files"


def test_a_language_that_is_not_there_gives_english() -> None:
    assert load_texts("fr").language == "en"
    assert load_texts(language_of({"LANG": "zh_CN.UTF-8"})).language == "zh"
    assert language_of({"LC_ALL": "C"}) == "c"
    assert language_of({}) == "en"
