"""What each line of Markdown does to the blocks that are open: a step from state to state, so that a line can be tried.

This is CommonMark's own way, line by line, with tables. Definitions of links are text like any other, and so is HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

# A line that long is neither a table's head nor a heading's underline; what comes after so much of it is plain text.
LONG_LINE = 1_000
# Nor is a paragraph that long a heading.
_LONGEST_HEADING = 600


class Kind(Enum):
    PARAGRAPH = "paragraph"
    HEADING = "heading"
    CODE = "code"
    TABLE = "table"
    RULE = "rule"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Container:
    """A quote or an item of a list. `serial` tells it from every other one; a quote has no `mark`."""

    serial: int
    mark: str = ""
    number: int = 0
    indent: int = 0

    @property
    def is_quote(self) -> bool:
        return not self.mark


@dataclass(frozen=True, slots=True)
class Opened:
    """A block begins. `apart`: the source has a blank line before it. `info`: a fence's words, or a heading's level."""

    kind: Kind
    path: tuple[Container, ...]
    apart: bool
    info: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """A line, or the beginning of a long one, belongs to the open block."""

    text: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The open block is finished."""


@dataclass(frozen=True, slots=True)
class Recast:
    """The open paragraph was a heading all along, or its last line the head of a table whose second row is `text`."""

    kind: Kind
    text: str


Step = Opened | Added | Closed | Recast


@dataclass(frozen=True, slots=True)
class State:
    """Where the reader stands between two lines."""

    path: tuple[Container, ...] = ()
    leaf: Kind | None = None
    fence: str = ""
    fence_indent: int = 0
    size: int = 0
    last_line: str = ""
    blank: bool = False
    serial: int = 0


_QUOTE = re.compile(r" {0,3}> ?")
_HEADING = re.compile(r" {0,3}(#{1,6})(?= |$)(.*)")
_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})(.*)$")
_RULE = re.compile(r" {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_ITEM = re.compile(r"( {0,3})([-*+]|(\d{1,9})[.)])( {1,4}(?! )| {5,}|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+) *$")
_DELIMITER = re.compile(r" {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$")
_HTML = re.compile(
    r" {0,3}(?:<!--|</?(?:details|summary|div|p|table|thead|tbody|tr|td|th|ul|ol|li|dl|dt|dd|hr|pre|h[1-6]|section|center"
    r"|article|aside|blockquote|body|head|html|header|footer|form|iframe|main|nav|script|style)(?:[ >]|/>|$))",
    re.IGNORECASE,
)
# What says nothing yet when it is all there is of a line.
_UNDECIDED = re.compile(r"[ >]*(?:[-=*_+#|:]{1,2}|`{1,2}|~{1,2}|\d{1,9}[.)]?)?$")


def is_undecided(line: str) -> bool:
    """Whether the beginning of a line may still become several things."""
    return _UNDECIDED.match(line) is not None


def advance(state: State, line: str) -> tuple[State, list[Step]]:
    """What the line makes of the state, and what happens to the blocks thereby. Tabs are blanks by now."""
    return _Reader(state).read(line)


def cells_of(row: str) -> list[str]:
    r"""The cells of a table's row; a `\|` is part of a cell."""
    row = row.strip()
    row = row.removeprefix("|")
    cells: list[str] = []
    cell = ""
    for piece in re.findall(r"\\.|[^|\\]+|\||\\", row, re.DOTALL):
        if piece == "|":
            cells.append(cell.strip())
            cell = ""
        else:
            cell += "|" if piece == "\\|" else piece
    if cell.strip() or not row.endswith("|"):
        cells.append(cell.strip())
    return cells


def _without_closing_marks(heading: str) -> str:
    text = heading.strip(" ")
    bare = text.rstrip("#")
    return bare.rstrip(" ") if not bare or bare.endswith(" ") else text


class _Reader:
    """Reads one line."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._steps: list[Step] = []

    def read(self, line: str) -> tuple[State, list[Step]]:
        depth, rest = self._descend(line)
        matched = depth == len(self._state.path)
        if self._state.leaf is Kind.HEADING:
            self._close()
        if self._state.leaf in {Kind.CODE, Kind.HTML} and matched and self._goes_on(rest):
            return self._state, self._steps
        before = self._state
        depth, rest = self._open_containers(depth, rest)
        opened = self._state.path is not before.path
        if not rest.strip():
            self._blank(depth, opened=opened)
        elif not self._begin_leaf(depth, rest, whole=matched and not opened):
            lazy = self._state.leaf is Kind.PARAGRAPH and not opened
            if not lazy and depth < len(self._state.path):
                self._leave(depth)
            self._add_text(rest)
        return self._state, self._steps

    def _descend(self, line: str) -> tuple[int, str]:
        """How many of the open containers the line is in, and what stands in the innermost of them."""
        rest = line
        for depth, container in enumerate(self._state.path):
            if container.is_quote:
                found = _QUOTE.match(rest)
                if not found:
                    return depth, rest
                rest = rest[found.end() :]
            elif rest.strip() and not rest.startswith(" " * container.indent):
                return depth, rest
            else:
                rest = rest[container.indent :]
        return len(self._state.path), rest

    def _goes_on(self, rest: str) -> bool:
        """Whether the block of literal lines takes this one, be it its last."""
        state = self._state
        if state.leaf is Kind.HTML:
            if not rest.strip():
                return False
            self._steps.append(Added(rest))
            return True
        if not state.fence:
            if rest.startswith("    "):
                self._steps.append(Added(rest[4:]))
                return True
            return False
        stripped = rest.strip(" ")
        if len(stripped) >= len(state.fence) and not stripped.strip(state.fence[0]) and not rest.startswith("    "):
            self._close()
            return True
        indent = min(state.fence_indent, len(rest) - len(rest.lstrip(" ")))
        self._steps.append(Added(rest[indent:]))
        return True

    def _open_containers(self, depth: int, rest: str) -> tuple[int, str]:
        while not rest.startswith("    "):
            if found := _QUOTE.match(rest):
                self._leave(depth)
                self._enter(Container(self._state.serial + 1))
                rest = rest[found.end() :]
            elif (found := _ITEM.match(rest)) and not _RULE.match(rest) and self._may_begin_item(found, depth, rest):
                rest = self._enter_item(found, depth, rest)
            else:
                break
            depth = len(self._state.path)
        return depth, rest

    def _may_begin_item(self, found: re.Match[str], depth: int, rest: str) -> bool:
        """A line of a paragraph that happens to begin with a number or a lone dash begins no list."""
        if self._state.leaf is not Kind.PARAGRAPH or depth < len(self._state.path):
            return True
        return found[3] in {None, "1"} and bool(rest[found.end() :].strip())

    def _enter_item(self, found: re.Match[str], depth: int, rest: str) -> str:
        mark = found[2][-1]
        sibling = self._state.path[depth] if depth < len(self._state.path) else None
        goes_on = sibling is not None and sibling.mark == mark
        number = sibling.number + 1 if sibling and goes_on else int(found[3] or 0)
        blanks = len(found[4]) if 1 <= len(found[4]) <= 4 else 1
        self._leave(depth)
        self._enter(Container(self._state.serial + 1, mark, number, len(found[1]) + len(found[2]) + blanks))
        rest = rest[len(found[1]) + len(found[2]) + blanks :]
        if not rest.strip():
            self._open(Kind.PARAGRAPH)
        return rest

    def _begin_leaf(self, depth: int, rest: str, *, whole: bool) -> bool:
        """Begin a block that the line's look decides. `whole`: the open paragraph would go on with this line."""
        state = self._state
        is_paragraph = state.leaf is Kind.PARAGRAPH
        if rest.startswith("    "):
            if state.leaf in {Kind.PARAGRAPH, Kind.TABLE}:
                return False
            self._leave(depth)
            self._open(Kind.CODE)
            self._steps.append(Added(rest[4:]))
            return True
        if is_paragraph and whole and state.last_line and self._recast(rest):
            return True
        if found := _HEADING.match(rest):
            self._leave(depth)
            self._open(Kind.HEADING, str(len(found[1])))
            self._steps.append(Added(_without_closing_marks(found[2])))
        elif (found := _FENCE.match(rest)) and not (found[2][0] == "`" and "`" in found[3]):
            self._leave(depth)
            self._open(Kind.CODE, found[3].strip())
            self._state = replace(self._state, fence=found[2], fence_indent=len(found[1]))
        elif _RULE.match(rest):
            self._leave(depth)
            self._open(Kind.RULE)
            self._close()
        elif _HTML.match(rest) and state.leaf is not Kind.TABLE:
            self._leave(depth)
            self._open(Kind.HTML)
            self._steps.append(Added(rest))
        else:
            return False
        return True

    def _recast(self, rest: str) -> bool:
        state = self._state
        if _UNDERLINE.match(rest) and state.size <= _LONGEST_HEADING:
            self._steps += [Recast(Kind.HEADING, "1" if "=" in rest else "2"), Closed()]
            self._state = replace(state, leaf=None)
            return True
        head = state.last_line
        if (
            "|" in head
            and len(head) < LONG_LINE
            and _DELIMITER.match(rest)
            and len(cells_of(head)) == len(cells_of(rest))
        ):
            self._steps.append(Recast(Kind.TABLE, rest))
            self._state = replace(state, leaf=Kind.TABLE, last_line="")
            return True
        return False

    def _add_text(self, rest: str) -> None:
        if self._state.leaf is Kind.TABLE:
            self._steps.append(Added(rest))
            return
        if self._state.leaf is not Kind.PARAGRAPH:
            self._close()
            self._open(Kind.PARAGRAPH)
        text = rest.lstrip(" ")
        self._steps.append(Added(text))
        self._state = replace(self._state, size=self._state.size + len(text), last_line=text)

    def _blank(self, depth: int, *, opened: bool) -> None:
        if opened:
            return
        self._leave(depth)
        self._state = replace(self._state, blank=True)

    def _leave(self, depth: int) -> None:
        """Close the open block, and what is deeper than that."""
        self._close()
        self._state = replace(self._state, path=self._state.path[:depth])

    def _enter(self, container: Container) -> None:
        self._close()
        self._state = replace(self._state, path=(*self._state.path, container), serial=container.serial)

    def _open(self, kind: Kind, info: str = "") -> None:
        self._close()
        self._steps.append(Opened(kind, self._state.path, self._state.blank, info))
        self._state = replace(self._state, leaf=kind, fence="", size=0, last_line="", blank=False)

    def _close(self) -> None:
        if self._state.leaf is not None:
            self._steps.append(Closed())
            self._state = replace(self._state, leaf=None, fence="")
