"""What past commits say about a request: which files were changed for a similar reason, and which are changed often."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from math import log, log1p, sqrt
from typing import TYPE_CHECKING

from kcode.context.words import split_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kcode.safegit import SafeGit

MOST_COMMITS = 3_000
# A commit of more files is a move or a clean-up, and says little of any of them.
_MOST_FILES, _MOST_FILES_OF_A_CHANGE = 50, 12
_MOST_SIMILAR, _HALF_LIFE = 60, 150
_MOST_TERMS = 300
_K1, _B = 1.2, 0.75
_LOG = (
    "log", "--no-merges", f"--max-count={MOST_COMMITS}", "--encoding=UTF-8", "--format=%x01%B%x02", "-z", "--name-only",
    "--no-renames", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-notes", "--no-color",
    "--ignore-submodules", "HEAD",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Commit:
    """The words of a message, and the paths that the commit changed."""

    terms: tuple[str, ...]
    files: tuple[str, ...]


def read_commits(git: SafeGit) -> tuple[Commit, ...]:
    """The last 3,000 commits that are no merges, the latest first; none where nothing is committed."""
    # A clone that is not whole ends the log early, with 128: what came before that holds.
    text = git.run(*_LOG, timeout=120, codes=(0, 128)).decode("utf-8", "surrogateescape")
    return tuple(_parse(record) for record in text.split("\x01")[1:])


def _parse(record: str) -> Commit:
    message, _, names = record.partition("\x02")
    # Git puts a line end, not a NUL, between the message and the first name.
    files = sorted({name.removeprefix("\n") for name in names.split("\0")} - {""})
    terms = split_words(message.encode("utf-8", "replace").decode())[:_MOST_TERMS]
    return Commit(tuple(terms), tuple(files) if len(files) <= _MOST_FILES else ())


def pack_commits(commits: Iterable[Commit]) -> str:
    return json.dumps([(" ".join(commit.terms), commit.files) for commit in commits], separators=(",", ":"))


def unpack_commits(text: str) -> tuple[Commit, ...]:
    return tuple(Commit(tuple(terms.split()), tuple(files)) for terms, files in json.loads(text or "[]"))


def similar_files(terms: Collection[str], commits: Iterable[Commit]) -> dict[str, float]:
    """How strongly the commits whose messages are most like the terms speak for each file that they changed."""
    told = [commit for commit in commits if 0 < len(commit.files) <= _MOST_FILES_OF_A_CHANGE]
    if not told:
        return {}
    wanted = sorted(terms)
    hits = [(at, found) for at, commit in enumerate(told) if (found := _matching(commit.terms, wanted))]
    spread = Counter(term for _, found in hits for term in found)
    average = sum(len(commit.terms) for commit in told) / len(told) or 1
    scores = []
    for at, found in hits:
        norm = _K1 * (1 - _B + _B * len(told[at].terms) / average)
        score = sum(
            log(1 + (len(told) - spread[term] + 0.5) / (spread[term] + 0.5)) * count * (_K1 + 1) / (count + norm)
            for term, count in found.items()
        )
        scores.append((-score, at))
    sums: dict[str, float] = {}
    for negative, at in sorted(scores)[:_MOST_SIMILAR]:
        share = negative * negative / sqrt(len(told[at].files))
        for path in told[at].files:
            sums[path] = sums.get(path, 0.0) + share
    return sums


def _matching(terms: tuple[str, ...], wanted: list[str]) -> dict[str, int]:
    present = set(terms)
    return {term: terms.count(term) for term in wanted if term in present}


def churn(commits: Iterable[Commit]) -> dict[str, float]:
    """How much each file was changed of late: a change counts half for every 150 commits since."""
    sums: dict[str, float] = {}
    for age, commit in enumerate(commits):
        for path in commit.files:
            sums[path] = sums.get(path, 0.0) + 0.5 ** (age / _HALF_LIFE)
    return {path: log1p(total) for path, total in sums.items()}
