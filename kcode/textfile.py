"""A file's bytes as text that can be shown and edited, and turned back into the same bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
LONGEST_LINE = 2000
# Colours, cursor moves and clearing; and the links and titles that a bell or a backslash ends.
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\))")


@dataclass(frozen=True, slots=True)
class TextFile:
    """`raw` is the whole text with its own line ends, without the byte order mark.

    `lossy` is True when bytes had to be replaced, so that `encode` would not give the same bytes.
    """

    raw: str
    encoding: str = "utf-8"
    bom: bytes = b""
    lossy: bool = False

    @property
    def text(self) -> str:
        """The text with every CRLF as one LF: what the model sees and what edits are matched against."""
        return self.raw.replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """The lines of `text` without their ends; a form feed or a lone CR ends no line."""
        lines = self.text.split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    @property
    def line_end(self) -> str:
        r"""The line end that most lines have; "\n" for a file of one line."""
        crlf = self.raw.count("\r\n")
        return "\r\n" if crlf > self.raw.count("\n") - crlf else "\n"

    @property
    def is_mixed(self) -> bool:
        return 0 < self.raw.count("\r\n") < self.raw.count("\n")

    def encode(self, raw: str) -> bytes:
        """Bytes of another text in this file's encoding, mark included; ToolError for text that has no encoding."""
        try:
            return self.bom + raw.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise ToolError(
                f"The new text holds {raw[error.start : error.start + 1]!a}, half of a surrogate pair, "
                "which no file can hold. Write the whole character."
            ) from None


def decode_text(data: bytes, *, lossy: bool = False) -> TextFile:
    """Read bytes as UTF-8, or as UTF-16 with a byte order mark; else raise ToolError, which opens with "it is".

    With `lossy`, text in another encoding comes back with replacement characters; binary data is refused all the same.
    """
    bom, encoding = next((pair for pair in _BOMS if data.startswith(pair[0])), (b"", "utf-8"))
    replaced = False
    try:
        raw = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        if b"\0" in data:
            raise ToolError("it is a binary file") from None
        if not lossy:
            raise ToolError("it is not UTF-8 text") from None
        raw, replaced = data[len(bom) :].decode(encoding, "replace"), True
    if "\0" in raw:
        raise ToolError("it is a binary file")
    return TextFile(raw, encoding, bom, replaced)


def number_lines(lines: Sequence[str], first: int) -> list[str]:
    """`12→text` for each line, counted from `first`; the numbers are as wide as the last, a very long line is cut."""
    width = len(str(first + len(lines) - 1))
    return [f"{number:>{width}}→{cut_line(line)}" for number, line in enumerate(lines, first)]


def cut_line(line: str, longest: int = LONGEST_LINE) -> str:
    return line if len(line) <= longest else f"{line[:longest]} … [cut: the line has {len(line):,} characters]"


def without_colors(output: str) -> str:
    """What a command printed, without the codes for a terminal's colours, cursor and links."""
    return _TERMINAL_CODES.sub("", output) if "\x1b" in output else output


def show_ranges(
    lines: Sequence[str], ranges: Iterable[tuple[int, int]], *, around: int, most: int, most_in_all: int
) -> str:
    """The numbered lines of each range (from 1, both ends included) with `around` lines beside it.

    Ranges that meet are shown as one, and `…` stands between those that do not. Of a range longer than `most` the ends
    are shown, and after about `most_in_all` lines the rest is counted. An empty range, whose end is its start - 1, shows
    the lines around the place.
    """
    windows: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        low, high = max(1, start - around), min(len(lines), end + around)
        if windows and low <= windows[-1][1] + 1:
            windows[-1] = (windows[-1][0], max(high, windows[-1][1]))
        elif high >= low:
            windows.append((low, high))
    pieces: list[str] = []
    total = 0
    for index, (low, high) in enumerate(windows):
        if total >= most_in_all:
            pieces.append(f"{len(windows) - index} more places, not shown")
            break
        if high - low + 1 > most:
            half = most // 2
            head = number_lines(lines[low - 1 : low - 1 + half], low)
            tail = number_lines(lines[high - half : high], high - half + 1)
            pieces.append("\n".join([*head, f"… lines {low + half}-{high - half} not shown", *tail]))
        else:
            pieces.append("\n".join(number_lines(lines[low - 1 : high], low)))
        total += min(high - low + 1, most)
    return "\n…\n".join(pieces)
