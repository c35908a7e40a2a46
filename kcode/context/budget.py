"""How the window is shared out: when the conversation is compacted, and how much of what is kept then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.context.tokens import estimate_tokens, output_reserve

if TYPE_CHECKING:
    from collections.abc import Callable

# The sizes below are for K2's window; a smaller one has smaller ones, a larger one the same.
_FULL_WINDOW = 262_144
_SOFT_SHARE, _HARD_SHARE = 0.5, 0.7
_TARGET, _GROWTH = 45_000, 25_000
_NOTE, _OUTLINES, _PINNED = 6_000, 6_000, 12_000
_USERS_HEAD, _USERS_TAIL = 2_000, 18_000
_RESULT = 25_000
_TEXT, _SKELETON, _MAP, _LARGE_MAP = 24_000, 8_000, 4_000, 8_000
# System prompt, tools, instructions and the user's words.
_BESIDE_PACK = 20_000
_NAMED_FILES, _NAMED_FILE, _CHANGES = 40_000, 12_000, 2_000
_SHORTEST_NOTE, _SHORTEST_RESULT = 500, 100


@dataclass(frozen=True, slots=True)
class Budget:
    """Sizes in tokens for one window.

    `soft` and `hard` are the lengths at which a conversation is compacted when it rests and at any time, `room` is the
    longest request that leaves space for the reply. After a compaction a request should have at most `target`, so that
    `growth` more fit before the next one: `note` for the model's own note, `users_head` and `users_tail` for the first and
    the last of the user's words, `outlines` for the files at hand, `pinned` for the text of those that the user keeps. One
    tool's result has at most `result`.
    """

    window: int
    room: int
    soft: int
    hard: int
    target: int
    growth: int
    note: int
    outlines: int
    pinned: int
    users_head: int
    users_tail: int
    result: int


@dataclass(frozen=True, slots=True)
class LayerSizes:
    """The most tokens that each part of what the model is shown first may have.

    `text` is the whole text of a small repository, `skeleton` the definitions of a larger one, `map` the files that a
    request is about, `large_map` the same where there are many; `files` are those that it names, each at most `file`;
    `changes` is what changed since the turn before.
    """

    text: int
    skeleton: int
    map: int
    large_map: int
    files: int
    file: int
    changes: int


@dataclass(frozen=True, slots=True)
class Triggers:
    """Lengths in tokens from which a conversation is compacted: when it rests, and between any two requests."""

    soft: int
    hard: int


def budget_for(window: int) -> Budget:
    """How a window of that many tokens is shared out."""
    scale = min(1.0, window / _FULL_WINDOW)
    return Budget(
        window=window,
        room=window - output_reserve(window),
        soft=int(window * _SOFT_SHARE),
        hard=int(window * _HARD_SHARE),
        target=int(_TARGET * scale),
        growth=int(_GROWTH * scale),
        note=max(int(_NOTE * scale), _SHORTEST_NOTE),
        outlines=int(_OUTLINES * scale),
        pinned=int(_PINNED * scale),
        users_head=int(_USERS_HEAD * scale),
        users_tail=int(_USERS_TAIL * scale),
        result=int(_RESULT * scale),
    )


def layer_sizes(window: int) -> LayerSizes:
    """How much a window of that many tokens is given to begin with."""
    scale = min(1.0, window / _FULL_WINDOW)
    return LayerSizes(
        text=int(_TEXT * scale),
        skeleton=int(_SKELETON * scale),
        map=int(_MAP * scale),
        large_map=int(_LARGE_MAP * scale),
        files=int(_NAMED_FILES * scale),
        file=int(_NAMED_FILE * scale),
        changes=int(_CHANGES * scale),
    )


def pack_room(window: int) -> int:
    """The most tokens that packed files may have, so that what is asked about them, and some work on it, still fits."""
    budget = budget_for(window)
    return budget.room - budget.growth - int(_BESIDE_PACK * min(1.0, window / _FULL_WINDOW))


def triggers_above(floor: int, budget: Budget) -> Triggers:
    """The triggers where no compaction can make the conversation shorter than `floor`.

    Nearer to it a compaction would be followed by the next before much was done in between.
    """
    least = floor + budget.growth
    return Triggers(
        soft=min(max(budget.soft, least), budget.room),
        hard=min(max(budget.hard, least), budget.room),
    )


def keep_start(text: str, tokens: int, count: Callable[[str], int] = estimate_tokens) -> str:
    """The longest start of the text that has about so many tokens."""
    return text[: _longest(len(text), tokens, lambda size: count(text[:size]))]


def keep_end(text: str, tokens: int, count: Callable[[str], int] = estimate_tokens) -> str:
    """The longest end of the text that has about so many tokens."""
    return text[len(text) - _longest(len(text), tokens, lambda size: count(text[len(text) - size :])) :]


def _longest(length: int, tokens: int, count: Callable[[int], int]) -> int:
    """The largest size of at most `length` that counts as `tokens` or less; no size far beyond it is ever counted."""
    if tokens <= 0:
        return 0
    low, high = 0, min(length, tokens * 4)
    while high < length and count(high) <= tokens:
        low, high = high, min(length, high * 2)
    while low < high:
        middle = (low + high + 1) // 2
        if count(middle) <= tokens:
            low = middle
        else:
            high = middle - 1
    return low


def fit_result(text: str, used: int, budget: Budget) -> str:
    """A tool's result as it can join a conversation of `used` tokens.

    One result takes at most half of the room that is left, and never more than a tenth of the window, so that however
    many come in one step the request after them still fits. What is cut out is its middle.
    """
    allowed = max(min(budget.result, (budget.room - used) // 2), _SHORTEST_RESULT)
    if len(text) * 3 <= allowed or (tokens := estimate_tokens(text)) <= allowed:
        return text
    head, tail = keep_start(text, allowed * 3 // 5), keep_end(text, allowed * 2 // 5)
    return (
        f"[Cut by kcode to fit the window: this has about {tokens:,} tokens, of which the start and the end follow. "
        f"Ask for a smaller part.]\n{head}\n[… about {len(text) - len(head) - len(tail):,} characters cut here …]\n{tail}"
    )
