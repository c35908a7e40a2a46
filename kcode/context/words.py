"""Text as the words that it is searched by: identifiers taken apart, and their endings left off."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A word of text, or an identifier. Digits alone say nothing.
_WORD = re.compile(r"[^\W\d]\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
# Longer ones are encoded data.
_LONGEST = 60
_STOP = frozenset(
    """
    a about after all also an and any are as at be because been before but by can cannot could did do does doing done
    during each either else etc even for from get gets got had has have having here how if in instead into is isn it its
    just let like make makes may me might more most much must my need needs new no not now of off on once one only onto
    or other our out over own per please same set should since so some still such than that the their them then there
    these they this those through thus to too two under until up upon use used uses using very via want was we were what
    when where whether which while who why will with within without would you your
    add added adding adds change changed changes fix fixed fixes fixing
    self cls def return import none true false null void var const function class public private static
    """.split()  # noqa: SIM905  # a column of words is read more easily than a list
)


def split_words(text: str) -> list[str]:
    """Every word of the text in its order, each as `terms_of` gives it."""
    return [term for word in _WORD.findall(text) for term in terms_of(word)]


@lru_cache(maxsize=200_000)
def terms_of(word: str) -> tuple[str, ...]:
    """What an identifier or word is found by: its parts in lower case without endings, and, of several, all in one.

    `ErrorHandlers` and `error_handler` both give `error`, `handl`, `errorhandl`. Stop words give nothing; Chinese is cut
    into pairs, since nothing stands between its words.
    """
    if len(word) > _LONGEST:
        return ()
    if not word.isascii() and _HAN.search(word):
        return tuple(_pairs(word))
    # Most words are in lower case, and those are cut fast.
    parts = word.split("_") if word.islower() and word.isascii() else [part.lower() for part in _PART.findall(word)]
    found = {term: None for part in parts if (term := _term_of_part(part))}
    if len(parts) > 1:
        found[stem("".join(parts))] = None
    found.pop("", None)
    return tuple(found)


@lru_cache(maxsize=50_000)
def _term_of_part(part: str) -> str:
    return stem(part) if len(part) > 1 and part not in _STOP else ""


def _pairs(word: str) -> list[str]:
    found = [run[at : at + 2] for run in _HAN.findall(word) for at in range(max(1, len(run) - 1))]
    rest = _HAN.sub(" ", word)
    return list(dict.fromkeys([*found, *split_words(rest)]))


def stem(word: str) -> str:
    """The word without the commonest English endings, so that `handlers`, `handling` and `handled` meet."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed", "er", "ion"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word.removesuffix("e") if len(word) > 3 else word


def count_terms(text: str) -> dict[str, int]:
    """How often each term occurs in the text."""
    found: defaultdict[str, int] = defaultdict(int)
    for word, count in Counter(_WORD.findall(text)).items():
        for term in terms_of(word):
            found[term] += count
    return found


def weigh(fields: Iterable[tuple[int, Iterable[str]]]) -> dict[str, int]:
    """The terms of several short fields, each word counting as often as its field's weight says."""
    found: dict[str, int] = {}
    for weight, words in fields:
        for word in words:
            for term in terms_of(word):
                found[term] = found.get(term, 0) + weight
    return found


def add_counts(into: dict[str, int], more: Mapping[str, int]) -> None:
    for term, count in more.items():
        into[term] = into.get(term, 0) + count
