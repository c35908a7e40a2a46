"""The map: the files that a request is about, each with its beginning and the definitions that fit best, within a budget."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from json import JSONDecodeError
from typing import TYPE_CHECKING

from kcode.context.index import FIRST_ANSWER_SECONDS
from kcode.context.rank import rank_files
from kcode.context.statements import STATEMENTS
from kcode.context.tokens import estimate_tokens
from kcode.context.words import split_words
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kcode.context.corpus import Corpus
    from kcode.context.index import Indexer
    from kcode.context.rank import RankedFile, RankedSymbol
    from kcode.context.symbols import Symbol

_LONGEST_LINE = 100
_FIRST_LINES, _LEAST_LINES, _HALVED_EVERY = 24, 4, 4
# Of a later request: so many files are looked at, and so many terms it must have.
_LIKELIEST, _LEAST_TERMS = 10, 3
# What only names a value tells less of a file than what does something.
_MINOR = frozenset({"constant", "attribute", STATEMENTS})


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A file that the map shows, with the definitions that it shows of it, in source order."""

    path: str
    symbols: tuple[Symbol, ...]


@dataclass(frozen=True, slots=True)
class RepositoryMap:
    """The map as text, about how many tokens that is, and what it shows, the likeliest file first."""

    text: str = ""
    tokens: int = 0
    entries: tuple[MapEntry, ...] = ()


def make_map(corpus: Corpus, request: str, tokens: int, without: Collection[str] = ()) -> RepositoryMap:
    """The map for a request in at most so many tokens; the same corpus, request and budget give the same bytes.

    `without` are files that are shown in full beside it.
    """
    return draw_map([file for file in rank_files(corpus, request) if file.path not in without], tokens)


def map_of_more(corpus: Corpus, request: str, tokens: int, known: Collection[str]) -> RepositoryMap:
    """The map of what a later request is about beside the files that are known.

    Only the likeliest files are in it, and of those such as have a definition that fits the words; a request of a word or
    two, such as "go on", is about nothing.
    """
    if len(set(split_words(request))) < _LEAST_TERMS:
        return RepositoryMap()
    likely = rank_files(corpus, request)[:_LIKELIEST]
    fresh = [file for file in likely if file.path not in known and any(one.score > 0 for one in file.symbols)]
    return draw_map(fresh, tokens)


def map_for(
    indexer: Indexer, request: str, tokens: int, seconds: float | None = FIRST_ANSWER_SECONDS
) -> tuple[RepositoryMap, Corpus]:
    """The map so many seconds after the indexer's start at the latest, and the corpus that it was made from.

    None waits until the whole repository is indexed.
    """
    corpus = indexer.corpus(request, seconds)
    try:
        return make_map(corpus, request, tokens), corpus
    except (sqlite3.Error, JSONDecodeError) as error:
        # Only now did it show that the database is damaged.
        indexer.drop(error)
        corpus = indexer.corpus(request, seconds)
        return make_map(corpus, request, tokens), corpus


def draw_map(ranked: Sequence[RankedFile], tokens: int) -> RepositoryMap:
    """Show as many files as fit, in their order, the first with more definitions than the later ones.

    Where all files fit with room to spare, more of each is shown.
    """
    factor = 1
    entries = _fill(ranked, tokens, factor)
    while len(entries) == len(ranked) and any(
        len(entry.symbols) < len(file.symbols) for entry, file in zip(entries, ranked, strict=True)
    ):
        more = _fill(ranked, tokens, 2 * factor)
        if len(more) < len(ranked) or _shown(more) <= _shown(entries):
            break
        entries, factor = more, 2 * factor
    return _fitted(entries, tokens)


def _shown(entries: Sequence[MapEntry]) -> int:
    return sum(len(entry.symbols) for entry in entries)


def _fill(ranked: Sequence[RankedFile], tokens: int, factor: int) -> list[MapEntry]:
    entries: list[MapEntry] = []
    left = tokens - 1  # the one by which an estimate errs to the high side
    for number, file in enumerate(ranked):
        limit = factor * max(_LEAST_LINES, round(_FIRST_LINES / (1 + number / _HALVED_EVERY)))
        left -= _cost(head_line(file.path, bool(file.symbols)))
        chosen = _choose(file.symbols, limit, left)
        if left < 0 or (file.symbols and not chosen):
            break
        left -= sum(_cost(_row(symbol)) for symbol in chosen)
        entries.append(MapEntry(file.path, chosen))
    return entries


def _choose(symbols: Sequence[RankedSymbol], limit: int, tokens: int) -> tuple[Symbol, ...]:
    """The best definitions that fit, in source order, each with those that it stands in.

    What the file begins with comes before all: it says what the file is and what it imports, and most changes touch it.
    """
    order = sorted(
        range(len(symbols)),
        key=lambda at: (-round(symbols[at].score, 9), symbols[at].symbol.kind in _MINOR, symbols[at].symbol.depth, at),
    )
    chosen: set[int] = set()
    if symbols and symbols[0].symbol.kind == STATEMENTS and (cost := _cost(_row(symbols[0].symbol))) <= tokens:
        chosen.add(0)
        limit += 1
        tokens -= cost
    for at in order:
        wanted = {at, *_around(symbols, at)} - chosen
        cost = sum(_cost(_row(symbols[one].symbol)) for one in wanted)
        if len(chosen) + len(wanted) > limit or cost > tokens:
            break
        chosen |= wanted
        tokens -= cost
    return tuple(symbols[at].symbol for at in sorted(chosen))


def _around(symbols: Sequence[RankedSymbol], at: int) -> list[int]:
    """The definitions that the one at `at` stands in."""
    found = []
    depth = symbols[at].symbol.depth
    for one in range(at - 1, -1, -1):
        if depth == 0:
            break
        outer = symbols[one].symbol
        if outer.depth < depth and outer.end >= symbols[at].symbol.end:
            found.append(one)
            depth = outer.depth
    return found


def head_line(path: str, has_symbols: bool) -> str:
    """How a file is named above its definitions."""
    # A name with a line end in it must not pass for more than a name.
    shown = sanitize_line(path)
    return f"{shown}:" if has_symbols else shown


def symbol_line(symbol: Symbol) -> str:
    """How a definition is shown in a list of all of them, below its file's name."""
    return f"{'  ' * symbol.depth}{symbol.start}: {_short(symbol.text)}"


def _row(symbol: Symbol) -> str:
    """How the map shows a definition, with all its lines: where some are left out the next one does not tell its end."""
    span = str(symbol.start) if symbol.end == symbol.start else f"{symbol.start}-{symbol.end}"
    return f"{'  ' * symbol.depth}{span}: {_short(symbol.text)}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 1]}…"


def _cost(line: str) -> int:
    return estimate_tokens(line + "\n") - 1


def _fitted(entries: Sequence[MapEntry], tokens: int) -> RepositoryMap:
    """The text of the entries, without the last of them where the estimates of lines had not added up."""
    while entries:
        lines = [
            line
            for entry in entries
            for line in (head_line(entry.path, bool(entry.symbols)), *map(_row, entry.symbols))
        ]
        text = "\n".join(lines) + "\n"
        whole = estimate_tokens(text)
        if whole <= tokens:
            return RepositoryMap(text, whole, tuple(entries))
        entries = entries[:-1]
    return RepositoryMap()
