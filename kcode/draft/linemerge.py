"""Laying a model's change over the lines that the file really has: what the model did not change stays the file's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.draft.indent import indent_of
from kcode.draft.ladder import BLANK
from kcode.draft.linediff import changed_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.draft.indent import IndentMap

# A run of blanks is one token, and so is each other character.
_TOKEN = re.compile(f"[{BLANK}]+|[^{BLANK}]")


def merge_lines(window: Sequence[str], old: Sequence[str], new: Sequence[str], indents: IndentMap) -> list[str]:
    """The lines that replace `window`, whose lines stand for those of `old` one by one.

    A line that `old` and `new` share keeps the file's text. Where as many lines come as go, each takes from `new` only
    what differs within the line. Any other line is taken from `new`, indented as the file is; UnclearIndentError when
    it is not clear how.
    """
    merged: list[str] = []
    done = 0
    for change in changed_ranges(_to_bytes(old), _to_bytes(new)):
        merged += window[done : change.old_from]
        come = new[change.new_from : change.new_to]
        if change.old_to - change.old_from == len(come):
            pairs = zip(
                window[change.old_from : change.old_to], old[change.old_from : change.old_to], come, strict=True
            )
            merged += [_merge_line(*pair, indents) for pair in pairs]
        else:
            merged += [_indent(line, indents) for line in come]
        done = change.old_to
    return [*merged, *window[done:]]


def _to_bytes(lines: Sequence[str]) -> list[bytes]:
    return [line.encode("utf-8", "surrogatepass") for line in lines]


def _indent(line: str, indents: IndentMap) -> str:
    body = line.lstrip(BLANK)
    return indents.to_file(indent_of(line)) + body if body else line


def _merge_line(here: str, old: str, new: str, indents: IndentMap) -> str:
    """The file's line with what differs between the lines `old` and `new`."""
    if not here.strip(BLANK) or not new.strip(BLANK):
        return _indent(new, indents)
    indent = indent_of(here) if indent_of(new) == indent_of(old) else indents.to_file(indent_of(new))
    end = _end_of(here) if _end_of(new) == _end_of(old) else _end_of(new)
    ours, theirs, wanted = (_TOKEN.findall(line.strip(BLANK)) for line in (here, old, new))
    if len(ours) != len(theirs):
        return indent + new.strip(BLANK) + end
    most = min(len(theirs), len(wanted))
    head = next((i for i in range(most) if theirs[i] != wanted[i]), most)
    tail = next((i for i in range(most - head) if theirs[-1 - i] != wanted[-1 - i]), most - head)
    kept = ours[len(ours) - tail :]
    return indent + "".join([*ours[:head], *wanted[head : len(wanted) - tail], *kept]) + end


def _end_of(line: str) -> str:
    return line[len(line.rstrip(BLANK)) :]
