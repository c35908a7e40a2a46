"""Which hunks change the head of a function: its name stays, and what it takes or gives does not."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from kcode.context.symbols import read_symbols
from kcode.draft.layout import old_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kcode.context.symbols import Symbol
    from kcode.draft.files import FileChange, FileState

_FUNCTIONS = frozenset({"function", "method"})


class _Head(NamedTuple):
    """A function's head: its words without blanks, and the lines it takes, counted from 0."""

    words: str
    first: int
    end: int


def changed_signatures(change: FileChange) -> dict[str, tuple[str, ...]]:
    """For each hunk that changes the head of a function that is there before and after, the function's name."""
    if change.before is None or change.after is None or not change.hunks:
        return {}
    before = _heads(change.old_path or change.path, change.before)
    after = _heads(change.path, change.after)
    found: dict[str, list[str]] = defaultdict(list)
    for name in before.keys() & after.keys():
        # Of several functions of one name it is only known which is which where none came or went.
        if len(before[name]) != len(after[name]):
            continue
        for was, now in zip(before[name], after[name], strict=True):
            if was.words == now.words:
                continue
            for hunk in change.hunks:
                start, new_start = old_index(hunk), hunk.new_start - bool(hunk.new_lines)
                if _meet(start, len(hunk.old_lines), was) or _meet(new_start, len(hunk.new_lines), now):
                    found[hunk.id].append(name)
    return {key: tuple(sorted(set(names))) for key, names in found.items()}


def _meet(start: int, count: int, head: _Head) -> bool:
    return start < head.end and head.first < start + count


def _heads(path: str, state: FileState) -> dict[str, list[_Head]]:
    symbols = read_symbols(path, state.data)
    lines = state.data.decode("utf-8", "replace").split("\n")
    found: dict[str, list[_Head]] = defaultdict(list)
    for symbol in symbols or ():
        if symbol.kind in _FUNCTIONS:
            found[symbol.name].append(_head(symbol, lines))
    return found


def _head(symbol: Symbol, lines: Sequence[str]) -> _Head:
    named = re.compile(rf"(?<!\w){re.escape(symbol.name)}(?!\w)")
    within = range(symbol.start - 1, min(symbol.end, len(lines)))
    first = next((place for place in within if named.search(lines[place]) and not _is_comment(lines[place])), within[0])
    words = _bare([symbol.text])
    end = first + 1
    while end < within[-1] + 1 and len(_bare(lines[first:end])) < len(words):
        end += 1
    # What stands in one line with its body has its parameters up to the last bracket before it.
    return _Head(words.partition("):")[0] if symbol.start == symbol.end else words, first, end)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//", "*", "/*", "--", "@"))


def _bare(lines: Iterable[str]) -> str:
    return "".join("".join(line.split()) for line in lines)
