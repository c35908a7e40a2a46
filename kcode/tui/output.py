"""A command's output as it is read: the last state of what overwrote itself, and no colours of its own."""

from __future__ import annotations

import re

from kcode.sanitize import sanitize
from kcode.tui.lines import Ground, Line, Role, Span, expand_tabs, on

# Colour, erasing to the line's end, the cursor hidden and shown: what says nothing to a reader.
_LOOKS = re.compile(r"\x1b\[[0-9;:]*m|\x1b\[[012]?K|\x1b\[\?25[hl]|\x1b\(B|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
_DIFF = re.compile(r"^(?:diff --git |@@ -\d|--- \S.*\n\+\+\+ \S)", re.MULTILINE)


def settled_output(text: str) -> str:
    """The output, with of a line that was overwritten only the last state, safe to show."""
    text = _LOOKS.sub("", text).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(map(_last_state, text.split("\n")))
    return sanitize(text)


def _last_state(line: str) -> str:
    if "\r" not in line:
        return line
    return next((state for state in reversed(line.split("\r")) if state.strip()), "")


def last_line(text: str) -> str:
    """The last line of an output that says something; "" where none does."""
    lines = settled_output(text[-4_000:]).rstrip().rsplit("\n", 1)
    return expand_tabs(lines[-1].strip())


def output_lines(text: str, role: Role = Role.TEXT) -> list[Line]:
    """A settled output in lines; a diff in it has its colours."""
    is_diff = _DIFF.search(text) is not None
    return [diff_line(line) if is_diff else _line(line, role) for line in text.split("\n")]


def diff_line(line: str) -> Line:
    """A line of a diff; its first sign says what it is."""
    if line.startswith(("+++", "---", "diff --git", "index ")):
        return _line(line, Role.STRONG)
    if line.startswith("@@"):
        return _line(line, Role.ACCENT)
    if line.startswith("+"):
        return on(Ground.ADDED, _line(line, Role.ADDED))
    if line.startswith("-"):
        return on(Ground.REMOVED, _line(line, Role.REMOVED))
    return _line(line, Role.TEXT)


def _line(text: str, role: Role) -> Line:
    return (Span(expand_tabs(text), role),) if text else ()
