"""What a test run came to, before it is joined with how its command ended."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kcode.results import TestFailure
from kcode.testing.cause import find_cause

# Python's marks below a line of a traceback; what pytest says of every such failure; the frames that import a test.
_NOISE = re.compile(
    r"^(?:[ ]*[~^]+[~^ ]*|Hint: make sure your test modules/packages have valid Python names\.|Traceback:"
    r"|>[ ]+use 'pytest --fixtures .*|E[ ]*|\S+\.py:\d+|\S*importlib/__init__\.py:\d+: in .*|.*_bootstrap\._gcd_import\(.*)$"
)
_FIRST_LINES, _LAST_LINES, _LONGEST_LINE = 4, 12, 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts are None where they are not told; `failed` counts errors too, of collection as well.

    `ran` names what passed or failed, where all of that is told.
    """

    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failures: tuple[TestFailure, ...] = ()
    ran: frozenset[str] | None = None


def failure(name: str, detail: str = "") -> TestFailure:
    """A failure with the first and the last lines of what was said about it: the message is at either end.

    Lines that say nothing of this failure are left out.
    """
    lines = [line for full in detail.strip("\n").split("\n") if not _NOISE.match(line := full.rstrip())]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > _FIRST_LINES + _LAST_LINES:
        lines = [*lines[:_FIRST_LINES], "…", *lines[-_LAST_LINES:]]
    kept = [line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …" for line in lines]
    return TestFailure(name, "\n".join(kept), find_cause(name, detail))


def unique(failures: list[TestFailure]) -> tuple[TestFailure, ...]:
    """Each name once, with the longest detail that any of them has."""
    best: dict[str, TestFailure] = {}
    for one in failures:
        if one.name not in best or len(one.detail) > len(best[one.name].detail):
            best[one.name] = one
    return tuple(best.values())
