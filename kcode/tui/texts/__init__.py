"""What the interface says, in each language: `NAME.toml` in a language's folder holds the texts of one part of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")


class Texts:
    """Texts by `PART.KEY`; `texts("review.hunks", count=3)` fills the blanks in.

    A text that depends on a number is a table with `one` and `other`, chosen by `count`. KeyError for a key that is
    not there, which the tests look for in every language.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._parts: dict[str, Mapping[str, str | Mapping[str, str]]] = {}

    def __call__(self, key: str, **values: object) -> str:
        part, _, name = key.partition(".")
        if part not in self._parts:
            # Read once it is needed: all of them take 5 ms of the first paint.
            self._parts[part] = read_part(self.language, part)
        text = self._parts[part][name]
        if not isinstance(text, str):
            text = text["one" if values.get("count") == 1 else "other"]
        return text.format(**values) if values else text


def load_texts(language: str = "en") -> Texts:
    """The texts of a language; English for one that is not there."""
    return Texts(language if language in LANGUAGES else "en")


def read_part(language: str, part: str) -> Mapping[str, str | Mapping[str, str]]:
    """The texts of one part by their keys; none for a part that is not there."""
    path = FOLDER / language / f"{part}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def language_of(environment: Mapping[str, str]) -> str:
    """The language that the terminal's user has set up, as the C library would look for it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return value.partition("_")[0].partition(".")[0].lower()
    return "en"
