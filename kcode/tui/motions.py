"""Where vi's motions lead in a text, and what its text objects take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_WORD = re.compile(r"\w+|[^\w\s]+|(?<=\n)(?=\n)")
_BIG_WORD = re.compile(r"\S+|(?<=\n)(?=\n)")
_BRACKETS = {
    "(": "()",
    ")": "()",
    "b": "()",
    "[": "[]",
    "]": "[]",
    "{": "{}",
    "}": "{}",
    "B": "{}",
    "<": "<>",
    ">": "<>",
}


class Kind(Enum):
    """Whether an operator takes the character that the motion leads to, or whole lines."""

    UP_TO = "up to"
    WITH = "with"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Motion:
    target: int
    kind: Kind = Kind.UP_TO


def line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Where the line's break stands, or the text ends."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def first_nonblank(text: str, at: int) -> int:
    start, end = line_start(text, at), line_end(text, at)
    line = text[start:end]
    return start + min(len(line) - len(line.lstrip()), max(len(line) - 1, 0))


def move(name: str, argument: str, count: int | None, text: str, at: int) -> Motion | None:
    """Where the motion of this name leads from `at`; None where there is no such place."""
    times = count or 1
    start, end = line_start(text, at), line_end(text, at)
    match name:
        case "h":
            return Motion(max(at - times, start)) if at > start else None
        case "l" | " ":
            return Motion(min(at + times, end)) if at < end else None
        case "0":
            return Motion(start)
        case "^":
            return Motion(first_nonblank(text, at))
        case "$":
            last = _lines_down(text, at, times - 1)
            return Motion(max(line_end(text, last) - 1, line_start(text, last)), Kind.WITH)
        case "j":
            return _vertical(text, at, times)
        case "k":
            return _vertical(text, at, -times)
        case "gg":
            return Motion(first_nonblank(text, _lines_down(text, 0, times - 1)), Kind.LINES)
        case "G":
            target = _lines_down(text, 0, count - 1) if count else len(text)
            return Motion(first_nonblank(text, target), Kind.LINES)
        case "w" | "W":
            return Motion(_next_word(text, at, times, name == "W")) if at < len(text) else None
        case "b" | "B":
            return Motion(_word_before(text, at, times, name == "B")) if at else None
        case "e" | "E":
            return Motion(_word_end(text, at, times, name == "E"), Kind.WITH) if at < len(text) else None
        case "f" | "t" | "F" | "T":
            return _find(name, argument, times, text, at)
        case _:
            return None


def _pattern(big: bool) -> re.Pattern[str]:
    return _BIG_WORD if big else _WORD


def _next_word(text: str, at: int, times: int, big: bool) -> int:
    starts = (found.start() for found in _pattern(big).finditer(text) if found.start() > at)
    return next((start for number, start in enumerate(starts, 1) if number == times), len(text))


def _word_before(text: str, at: int, times: int, big: bool) -> int:
    starts = [found.start() for found in _pattern(big).finditer(text, 0) if found.start() < at]
    return starts[-times] if len(starts) >= times else 0


def _word_end(text: str, at: int, times: int, big: bool) -> int:
    words = _pattern(big).finditer(text)
    ends = (found.end() - 1 for found in words if found.group() and found.end() - 1 > at)
    return next((end for number, end in enumerate(ends, 1) if number == times), max(len(text) - 1, 0))


def _lines_down(text: str, at: int, lines: int) -> int:
    """The start of the line so many below, or of the last one."""
    start = line_start(text, at)
    for _ in range(lines):
        end = line_end(text, start)
        if end == len(text):
            break
        start = end + 1
    return start


def _vertical(text: str, at: int, lines: int) -> Motion | None:
    column = at - line_start(text, at)
    start = line_start(text, at)
    for _ in range(abs(lines)):
        if lines < 0:
            if start == 0:
                return None
            start = line_start(text, start - 1)
        else:
            end = line_end(text, start)
            if end == len(text):
                return None
            start = end + 1
    return Motion(min(start + column, line_end(text, start)), Kind.LINES)


def _find(name: str, wanted: str, times: int, text: str, at: int) -> Motion | None:
    forward = name in "ft"
    start, end = line_start(text, at), line_end(text, at)
    found = at
    for _ in range(times):
        found = text.find(wanted, found + 1, end) if forward else text.rfind(wanted, start, found)
        if found < 0:
            return None
    if forward:
        return Motion(found - (name == "t"), Kind.WITH)
    return Motion(found + (name == "T"))


def text_object(name: str, text: str, at: int) -> tuple[int, int] | None:
    """The piece of the text that an object such as `iw` or `a"` means, from its start up to its end."""
    inner, what = name[0] == "i", name[1]
    if what in "wW":
        return _word_object(text, at, inner, what == "W")
    if what in "\"'`":
        return _quoted(text, at, inner, what)
    return _enclosed(text, at, inner, _BRACKETS[what]) if what in _BRACKETS else None


OBJECTS = frozenset({"w", "W", '"', "'", "`", *_BRACKETS})


def _word_object(text: str, at: int, inner: bool, big: bool) -> tuple[int, int] | None:
    start, end = line_start(text, at), line_end(text, at)
    if at >= end:
        return None
    pattern = r"[^\S\n]+|\S+" if big else r"[^\S\n]+|\w+|[^\w\s]+"
    runs = [(found.start() + start, found.end() + start) for found in re.finditer(pattern, text[start:end])]
    here = next((run for run in runs if run[0] <= at < run[1]), None)
    if here is None or inner:
        return here
    if text[here[0]].isspace():  # the word behind the blanks, with them
        return here[0], next((last for first, last in runs if first == here[1]), here[1])
    behind = text[here[1] : end]
    after = len(behind) - len(behind.lstrip())
    if after:
        return here[0], here[1] + after
    before = text[start : here[0]]
    return here[0] - (len(before) - len(before.rstrip())), here[1]


def _quoted(text: str, at: int, inner: bool, mark: str) -> tuple[int, int] | None:
    start, end = line_start(text, at), line_end(text, at)
    marks = [start + found.start() for found in re.finditer(re.escape(mark), text[start:end])]
    for first, last in zip(marks[::2], marks[1::2], strict=False):
        if at <= last:
            return (first + 1, last) if inner else (first, last + 1)
    return None


def _enclosed(text: str, at: int, inner: bool, pair: str) -> tuple[int, int] | None:
    opening, depth = at, 0
    while opening >= 0:
        if text[opening : opening + 1] == pair[1] and opening != at:
            depth += 1
        elif text[opening : opening + 1] == pair[0]:
            if not depth:
                break
            depth -= 1
        opening -= 1
    if opening < 0:
        return None
    depth = 0
    for closing in range(opening, len(text)):
        depth += (text[closing] == pair[0]) - (text[closing] == pair[1])
        if not depth:
            return (opening + 1, closing) if inner else (opening, closing + 1)
    return None
