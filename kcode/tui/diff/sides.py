"""One side of a change as lines of text: what stands in each, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from kcode.draft.linediff import split_lines

if TYPE_CHECKING:
    from kcode.draft.files import FileState


class Ending(Enum):
    """How a line ends."""

    LF = "lf"
    CRLF = "crlf"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Side:
    """The lines of a text without their ends; bytes that are no UTF-8 are surrogates."""

    lines: tuple[str, ...] = ()
    endings: tuple[Ending, ...] = ()

    @property
    def text(self) -> str:
        r"""The lines, each ended by "\n"."""
        return "".join(f"{line}\n" for line in self.lines)


def side_of(state: FileState | None) -> Side:
    """The side that a file's state is; no lines where there is no file."""
    lines = [_taken_apart(line) for line in split_lines(state.data)] if state else []
    return Side(tuple(text for text, _ in lines), tuple(ending for _, ending in lines))


def _taken_apart(line: bytes) -> tuple[str, Ending]:
    text = line.decode("utf-8", "surrogateescape")
    if text.endswith("\r\n"):
        return text[:-2], Ending.CRLF
    return (text[:-1], Ending.LF) if text.endswith("\n") else (text, Ending.NONE)
