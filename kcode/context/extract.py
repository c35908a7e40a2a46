"""What the index keeps of one file: its words, its definitions and what stands beside those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.context.languages import language_of
from kcode.context.sources import is_named_as_source, is_written_by_hand
from kcode.context.statements import with_statements
from kcode.context.symbols import read_symbols
from kcode.context.words import count_terms, terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.context.symbols import Symbol

# A word counts so often more where a file defines it than where it only stands.
DEFINITION_WEIGHT = 3
# Raised when words or symbols are read in another way, so that what was kept before is not taken for it.
FORMAT = 2
# Documents and data say in their first pages what they are about.
_MOST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Extract:
    """`counts` weighs each term of the file, `length` is their sum; all is empty for a file that is not worth reading."""

    counts: Mapping[str, int]
    length: int = 0
    symbols: tuple[Symbol, ...] = ()


NOTHING = Extract({})


def extract(path: str, data: bytes) -> Extract:
    """Read one file. A function of its name and bytes alone."""
    if not (is_named_as_source(path) and is_written_by_hand(path, data)):
        return NOTHING
    language = language_of(path)
    lines = data.split(b"\n") if language else []
    definitions = read_symbols(path, data, lines)
    if language is None or definitions is None:
        return _words(path, data)
    counts = count_terms(data)
    for symbol in definitions:
        for term in terms_of(symbol.name):
            counts[term] = counts.get(term, 0) + DEFINITION_WEIGHT
    symbols = with_statements(definitions, lines, language.comments)
    return Extract(counts, sum(counts.values()), symbols)


def extract_words(path: str, data: bytes) -> Extract:
    """Only the words, for when there is no time to parse."""
    if not (is_named_as_source(path) and is_written_by_hand(path, data)):
        return NOTHING
    return _words(path, data)


def _words(path: str, data: bytes) -> Extract:
    counts = count_terms(data if language_of(path) else data[:_MOST_TEXT])
    return Extract(counts, sum(counts.values()))
