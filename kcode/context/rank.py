"""Which files and definitions a request is about: a function of the tree, its state and the request alone.

A file's score is t · (L + S + 0.7 H + 0.3 C), each part scaled to at most 1. L: the request's words in the path, in the
names that the file defines and in its text. S: the same for its best three definitions. H: what commits with similar
messages changed. C: how often it was changed of late. t: tests, documents and the like count less. Measured on the
histories of eight repositories, page rank over references added nothing to this, and without a request was worst.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p
from typing import TYPE_CHECKING

from kcode.context.commits import churn, similar_files
from kcode.context.extract import DEFINITION_WEIGHT
from kcode.context.mentions import find_mentions
from kcode.context.relevance import score_files, score_symbols
from kcode.context.sources import path_factor
from kcode.context.statements import STATEMENTS
from kcode.context.words import split_words, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kcode.context.corpus import Corpus
    from kcode.context.symbols import Symbol

_HISTORY_SHARE, _CHURN_SHARE, _SIZE_SHARE = 0.7, 0.3, 0.3
# Definitions are looked at in so many files, the best by their words; of each the three best count.
_MOST_READ, _BEST_SYMBOLS = 200, 3
# Files that are not indexed yet are parsed for it, which takes a thousand times as long.
_MOST_PARSED = 40
_MOST_TERMS = 400
# The files that the user is at work on come after those that the request names.
_MOST_DIRTY = 10
# An identifier that more files define names none of them.
_MOST_DEFINERS = 3
_MOST_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class RankedSymbol:
    """A definition, and how well it fits; one that the request names stands above all others."""

    symbol: Symbol
    score: float


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file with its definitions, and what stands beside them, in source order."""

    path: str
    symbols: tuple[RankedSymbol, ...] = ()


def rank_files(corpus: Corpus, request: str) -> list[RankedFile]:
    """The files that the request is about, the likeliest first; the same corpus and request give the same list.

    Those that it names by path, in a stack trace or by an identifier that they define come first, in its order, then
    what is not committed, then all others that have anything in common with it, and what changes often. An empty
    request ranks by that and by size.
    """
    terms = tuple(dict.fromkeys(split_words(request)))[:_MOST_TERMS]
    lexical = score_files(corpus, terms)
    factors = {place: path_factor(corpus.paths[place], frozenset(terms)) for place in lexical}
    mentions = find_mentions(request, corpus.paths)
    named = {corpus.numbers[path]: lines for path, lines in mentions.paths.items()}
    defined = _definers(corpus, mentions.names)
    best = sorted(lexical, key=lambda place: (-factors[place] * lexical[place], place))[:_MOST_READ]
    places = list(dict.fromkeys([*named, *defined, *best]))
    symbols = _read_symbols(corpus, places)
    texts = {place: corpus.text(place) if found else b"" for place, found in symbols.items()}
    fits = score_symbols(symbols, texts, terms)
    sums = {place: _best_sum(symbols[place], scores) for place, scores in fits.items()}
    changes = _by_place(corpus, churn(corpus.commits))
    parts = [(1.0, lexical), (1.0, sums), (_HISTORY_SHARE, _by_place(corpus, similar_files(terms, corpus.commits)))]
    parts.append((_CHURN_SHARE, changes))
    if not terms:
        sizes = {place: log1p(length) for place, length in enumerate(corpus.lengths) if length}
        parts = [(1.0, changes), (_SIZE_SHARE, sizes)]
    scores = {
        place: (factors.get(place) or path_factor(corpus.paths[place], frozenset(terms))) * score
        for place, score in _add(parts).items()
    }
    order = _order(corpus, scores, [*named, *defined])
    return [
        RankedFile(
            corpus.paths[place],
            _marked(symbols[place], fits[place], named.get(place, ()), defined.get(place, ()))
            if place in symbols
            else _unmarked(corpus.symbols(place) if number < _MOST_READ and corpus.is_indexed(place) else ()),
        )
        for number, place in enumerate(order)
    ]


def _read_symbols(corpus: Corpus, places: Iterable[int]) -> dict[int, tuple[Symbol, ...]]:
    found: dict[int, tuple[Symbol, ...]] = {}
    parsed = 0
    for place in places:
        if not corpus.is_indexed(place):
            if parsed == _MOST_PARSED:
                continue
            parsed += 1
        found[place] = corpus.symbols(place)
    return found


def _best_sum(symbols: Iterable[Symbol], scores: Iterable[float]) -> float:
    """What the file's best definitions score; what stands beside them does not count."""
    found = (score for symbol, score in zip(symbols, scores, strict=True) if symbol.kind != STATEMENTS)
    return sum(sorted(found, reverse=True)[:_BEST_SYMBOLS])


def _definers(corpus: Corpus, names: Iterable[str]) -> dict[int, frozenset[str]]:
    """The files that define what the request calls by its exact name, and the names, in the request's order."""
    found: dict[int, frozenset[str]] = {}
    for name in names:
        whole = terms_of(name)[-1:]
        counts = corpus.postings(whole[0]) if whole else {}
        candidates = sorted(place for place, count in counts.items() if count > DEFINITION_WEIGHT)
        if not candidates or len(candidates) > _MOST_CANDIDATES:
            continue
        definers = [place for place in candidates if any(one.name == name for one in corpus.symbols(place))]
        own = [place for place in definers if path_factor(corpus.paths[place]) == 1.0]
        if 0 < len(own) <= _MOST_DEFINERS:
            for place in own:
                found[place] = found.get(place, frozenset()) | {name}
    return found


def _by_place(corpus: Corpus, scores: Mapping[str, float]) -> dict[int, float]:
    """Scores of paths, of those that are still there."""
    return {corpus.numbers[path]: score for path, score in scores.items() if path in corpus.numbers}


def _add(parts: Iterable[tuple[float, Mapping[int, float]]]) -> dict[int, float]:
    """The weighted sum of scores, each of the parts scaled so that its best is 1."""
    sums: dict[int, float] = {}
    for share, scores in parts:
        most = max(scores.values(), default=0.0)
        if most > 0:
            for place, score in scores.items():
                sums[place] = sums.get(place, 0.0) + share * score / most
    return sums


def _order(corpus: Corpus, scores: Mapping[int, float], first: Sequence[int]) -> list[int]:
    # Rounded, so that another order of adding up could not part what is equal.
    by_score = sorted(
        (place for place in scores if scores[place] > 0), key=lambda place: (-round(scores[place], 9), place)
    )
    # Of these only what has words: a new picture or lock file says nothing of what the user is at.
    dirty = [place for path in sorted(corpus.dirty) if corpus.lengths[place := corpus.numbers[path]]]
    dirty.sort(key=lambda place: (-round(scores.get(place, 0.0), 9), place))
    return list(dict.fromkeys([*first, *dirty[:_MOST_DIRTY], *by_score]))


def _marked(
    symbols: Sequence[Symbol], scores: Sequence[float], lines: Iterable[int], names: Iterable[str]
) -> tuple[RankedSymbol, ...]:
    """Definitions with their scores; those that the request names, or the innermost around a line of it, on top."""
    top = max(scores, default=0.0) + 1.0
    named = {at for at, symbol in enumerate(symbols) if symbol.name in names}
    for line in lines:
        around = [at for at, symbol in enumerate(symbols) if symbol.start <= line <= symbol.end]
        named.update(around[-1:])
    return tuple(
        RankedSymbol(symbol, score + top * (at in named))
        for at, (symbol, score) in enumerate(zip(symbols, scores, strict=True))
    )


def _unmarked(symbols: Iterable[Symbol]) -> tuple[RankedSymbol, ...]:
    return tuple(RankedSymbol(symbol, 0.0) for symbol in symbols)
