"""How well files and definitions fit a request's words: Okapi BM25 over fields of different weight."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from math import log
from typing import TYPE_CHECKING

from kcode.context.words import Finder, split_words, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kcode.context.corpus import Corpus
    from kcode.context.symbols import Symbol

_K1, _B = 1.2, 0.75
_PATH_WEIGHT, _NAME_WEIGHT = 12, 4
# Of a longer definition only the first lines count as its text.
_LONGEST_BODY = 200


def _rarity(documents: int, having: int) -> float:
    return log(1 + (documents - having + 0.5) / (having + 0.5))


def score_files(corpus: Corpus, terms: Sequence[str]) -> dict[int, float]:
    """The score of each file that has one of the terms in its path, the names that it defines or its text."""
    in_paths = _terms_of_paths(corpus.paths, terms)
    read = [length for length in corpus.lengths if length]
    average = sum(read) / len(read) if read else 1.0
    norms = [_K1 * (1 - _B + _B * length / average) for length in corpus.lengths]
    scores: dict[int, float] = {}
    for term in terms:
        weights = corpus.postings(term)
        for place in in_paths.get(term, ()):
            weights[place] = weights.get(place, 0) + _PATH_WEIGHT
        rarity = _rarity(len(corpus.paths), len(weights)) * (_K1 + 1)
        for place, weight in weights.items():
            scores[place] = scores.get(place, 0.0) + rarity * weight / (weight + norms[place])
    return scores


def _terms_of_paths(paths: Sequence[str], terms: Sequence[str]) -> dict[str, list[int]]:
    """The files whose paths have each term, by number."""
    found: dict[str, list[int]] = {}
    wanted = frozenset(terms)
    if not wanted:
        return found
    # Nearly no path has any, and to look for them as they stand is faster than to take every path apart.
    possible = re.compile("|".join(sorted(map(re.escape, wanted), key=lambda term: (-len(term), term))))
    for place, path in enumerate(paths):
        if possible.search(path.lower().replace("_", "").replace("-", "")) or possible.search(path.lower()):
            for term in wanted.intersection(_path_terms(path)):
                found.setdefault(term, []).append(place)
    return found


def _path_terms(path: str) -> set[str]:
    # A name such as `error-handler` is one word, and two, as `error_handler` is.
    return set(split_words(path.replace("-", "_")))


def score_symbols(
    files: Mapping[int, Sequence[Symbol]], texts: Mapping[int, bytes], terms: Sequence[str]
) -> dict[int, list[float]]:
    """The score of every definition of these files, beside each other, in the files' own order."""
    finder, wanted = Finder(terms), frozenset(terms)
    counted = {place: _count(symbols, finder.find(texts[place]), wanted) for place, symbols in files.items()}
    lengths = [_length(symbol) for symbols in files.values() for symbol in symbols]
    average = sum(lengths) / len(lengths) if lengths else 1.0
    having = Counter(term for counts in counted.values() for one in counts for term in one)
    rarity = {term: _rarity(len(lengths), count) * (_K1 + 1) for term, count in having.items()}
    return {
        place: [
            _score(one, rarity, _K1 * (1 - _B + _B * _length(symbol) / average))
            for one, symbol in zip(counts, files[place], strict=True)
        ]
        for place, counts in counted.items()
    }


def _length(symbol: Symbol) -> int:
    return min(symbol.end - symbol.start + 1, _LONGEST_BODY)


def _score(counts: Mapping[str, int], rarity: Mapping[str, float], norm: float) -> float:
    # In the terms' own order: a sum of floats depends on it, and the order of a set on the process.
    return sum(rarity[term] * counts[term] / (counts[term] + norm) for term in sorted(counts))


def _count(
    symbols: Iterable[Symbol], places: tuple[list[int], list[str]], wanted: frozenset[str]
) -> list[dict[str, int]]:
    """How often the terms stand in each definition; one in its name counts four times."""
    lines, terms = places
    found = []
    for symbol in symbols:
        low = bisect_left(lines, symbol.start)
        high = bisect_right(lines, min(symbol.end, symbol.start + _LONGEST_BODY - 1))
        counts: dict[str, int] = {}
        for term in terms[low:high]:
            counts[term] = counts.get(term, 0) + 1
        for term in wanted.intersection(terms_of(symbol.name)):
            counts[term] = counts.get(term, 0) + _NAME_WEIGHT
        found.append(counts)
    return found
