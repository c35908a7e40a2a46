"""Text as the words that it is searched by: identifiers taken apart, and their endings left off."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# A word of text, or an identifier. Digits alone say nothing.
_WORD = re.compile(r"[^\W\d]\w+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
# ASCII that is in no word becomes a blank; what is beyond ASCII is looked at word by word.
_LINE_END = b"\x01"
_LINE_WORD = b" \x01 "
_KEPT = {ord("_"), *_LINE_END}
_BLANKED = bytes(code if code >= 0x80 or chr(code).isalnum() or code in _KEPT else 0x20 for code in range(256))
# Longer ones are encoded data.
_LONGEST = 60
# By their last letter.
_ENDINGS = {"g": "ing", "d": "ed", "r": "er", "n": "ion"}
_MOST_KEPT = 200_000
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


class _Terms(dict[bytes, tuple[str, ...]]):
    """The terms of words, each worked out when it is first asked for, so that most words take no more than a lookup."""

    def __missing__(self, word: bytes) -> tuple[str, ...]:
        if len(self) >= _MOST_KEPT:
            self.clear()
        found = self[word] = _take_apart(word.decode("utf-8", "replace"))
        return found


_TERMS = _Terms()


def count_terms(data: bytes) -> dict[str, int]:
    """How often each term occurs in a text, which is given as its bytes in UTF-8."""
    # All of it runs in C but for words that were never seen: this is most of what indexing does beside parsing.
    return Counter(chain.from_iterable(map(_TERMS.__getitem__, data.translate(_BLANKED).split())))


class Finder:
    """Finds where some terms stand in texts, one text after the other."""

    def __init__(self, terms: Collection[str]) -> None:
        self._terms = frozenset(terms)
        # A word that has a term has its letters, but for the end of a plural in -ies.
        letters = sorted({term.removesuffix("y").encode() for term in self._terms})
        self._possible = re.compile(b"|".join(map(re.escape, letters)))
        self._seen: set[bytes] = set()
        self._hits: dict[bytes, tuple[str, ...]] = {}

    def find(self, data: bytes) -> tuple[list[int], list[str]]:
        """The lines, from 1, and the term that stands in each, in the text's order."""
        lines: list[int] = []
        terms: list[str] = []
        if not self._terms:
            return lines, terms
        words = data.replace(b"\n", _LINE_WORD).translate(_BLANKED).split()
        present = set(words)
        self._learn(present)
        if self._hits.keys().isdisjoint(present):
            return lines, terms
        line = 1
        counted = self._hits.keys() | {_LINE_END}
        for word in [word for word in words if word in counted]:
            if word == _LINE_END:
                line += 1
            else:
                for term in self._hits[word]:
                    lines.append(line)
                    terms.append(term)
        return lines, terms

    def _learn(self, words: set[bytes]) -> None:
        for word in words - self._seen:
            if self._possible.search(word.lower().replace(b"_", b"")) or not word.isascii():
                found = tuple(term for term in _TERMS[word] if term in self._terms)
                if found:
                    self._hits[word] = found
        self._seen |= words


def split_words(text: str) -> list[str]:
    """Every word of the text in its order, each as `terms_of` gives it."""
    return [term for word in text.encode("utf-8", "replace").translate(_BLANKED).split() for term in _TERMS[word]]


def terms_of(word: str) -> tuple[str, ...]:
    """What an identifier or word is found by: its parts in lower case without endings, and, of several, all in one.

    `ErrorHandlers` and `error_handler` both give `error`, `handl`, `errorhandl`. Stop words give nothing; Chinese is cut
    into pairs, since nothing stands between its words.
    """
    return _TERMS[word.encode("utf-8", "replace")]


def _take_apart(word: str) -> tuple[str, ...]:
    if len(word) > _LONGEST or len(word) < 2 or word[0].isdecimal():
        return ()
    if not word.isascii():
        return tuple(dict.fromkeys(term for one in _WORD.findall(word) for term in _beyond_ascii(one)))
    # Most words are in lower case, and those are cut fast.
    return _join(word.split("_") if word.islower() else [part.lower() for part in _PART.findall(word)])


def _beyond_ascii(word: str) -> list[str]:
    if not _HAN.search(word):
        return list(_join([part.lower() for part in _PART.findall(word)]))
    pairs = [run[at : at + 2] for run in _HAN.findall(word) for at in range(max(1, len(run) - 1))]
    return pairs + split_words(_HAN.sub(" ", word))


def _join(parts: list[str]) -> tuple[str, ...]:
    if len(parts) == 1:
        term = _term_of_part(parts[0])
        return (term,) if term else ()
    found = dict.fromkeys(map(_term_of_part, parts))
    found[stem("".join(parts))] = None
    found.pop("", None)
    return tuple(found)


@lru_cache(maxsize=50_000)
def _term_of_part(part: str) -> str:
    return stem(part) if len(part) > 1 and part not in _STOP else ""


def stem(word: str) -> str:
    """The word without the commonest English endings, so that `handlers`, `handling` and `handled` meet."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    ending = _ENDINGS.get(word[-1:], "")
    if ending and word.endswith(ending) and len(word) - len(ending) >= 3:
        word = word[: -len(ending)]
        if word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word
