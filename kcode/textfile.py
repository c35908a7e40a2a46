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
# `coding: gbk`, `encoding="gbk"` and `charset=gbk`, as Python, XML, HTML, CSS, Emacs and Vim have it in a file's head.
_DECLARED = re.compile(rb"(?:coding|charset)[ \t]*[:= ][ \t]*[\"']?([A-Za-z][\w.-]{1,20})")
_HEAD = 1024
# Only codecs that keep ASCII as it is and no state from one line to the next.
_DECLARABLE = re.compile(
    r"iso8859-\d+|cp(?:437|850|852|855|857|858|862|866|874|932|949|950|125\d)|koi8-[rtu]|mac-\w+|"
    r"gbk|gb2312|gb18030|big5(?:hkscs)?|shift_jis\w*|euc_(?:jp|jis_2004|jisx0213|kr)|tis-620"
)
_UNKNOWN_BYTE = re.compile("[\udc80-\udcff]")
_MOST_NAMED = 30
LONGEST_LINE = 2000
# Colours, cursor moves and clearing; and the links and titles that a bell or a backslash ends.
_TERMINAL_CODES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b\n]{0,2000}(?:\x07|\x1b\\))")


@dataclass(frozen=True, slots=True)
class TextFile:
    """`raw` is the whole text with its own line ends, without the byte order mark.

    With `has_unknown_bytes` the file is neither UTF-8 nor in an encoding that it declares: `raw` holds each byte that is
    no UTF-8 as a surrogate from U+DC80 on, and `encode` gives the same byte back.
    """

    raw: str
    encoding: str = "utf-8"
    bom: bytes = b""
    has_unknown_bytes: bool = False

    @property
    def text(self) -> str:
        """The text with every CRLF as one LF: what the model sees and what edits are matched against."""
        return self.raw.replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """The lines of `text` to be shown, without their ends; a form feed or a lone CR ends no line."""
        lines = show_unknown_bytes(self.text).split("\n")
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
        """Bytes of another text in this file's encoding, mark included; ToolError for text that has none in it."""
        try:
            return self.bom + raw.encode(self.encoding, "surrogateescape" if self.has_unknown_bytes else "strict")
        except UnicodeEncodeError as error:
            character = raw[error.start : error.start + 1]
            if not "\ud800" <= character <= "\udfff":
                raise ToolError(
                    f"The new text holds {character!r}, which {self.encoding.upper()}, the file's encoding, does not "
                    "have. Write it another way, as by an escape of the language."
                ) from None
            raise ToolError(
                f"The new text holds {character!a}, half of a surrogate pair, which no file can hold. "
                "Write the whole character."
            ) from None


def decode_text(data: bytes) -> TextFile:
    """Read bytes as UTF-8, as UTF-16 with a byte order mark, or as the file's head declares; the bytes can be had back.

    Raises ToolError, which opens with "it is", for a binary file.
    """
    bom, encoding = next((pair for pair in _BOMS if data.startswith(pair[0])), (b"", "utf-8"))
    body = data[len(bom) :]
    try:
        file = TextFile(body.decode(encoding), encoding, bom)
    except UnicodeDecodeError:
        if b"\0" in data:
            raise ToolError("it is a binary file") from None
        declared = None if bom else _as_declared(body)
        unknown = body.decode("utf-8", "surrogateescape")
        file = declared or TextFile(unknown, "utf-8", bom, has_unknown_bytes=True)
    if "\0" in file.raw:
        raise ToolError("it is a binary file")
    return file


def _as_declared(data: bytes) -> TextFile | None:
    """The text in the encoding that the file's head names, if it is one that fits every byte both ways."""
    found = _DECLARED.search(data[:_HEAD])
    if found is None:
        return None
    try:
        codec = codecs.lookup(found[1].decode("ascii")).name
        if not _DECLARABLE.fullmatch(codec):
            return None
        raw = data.decode(codec)
        return TextFile(raw, codec) if raw.encode(codec) == data else None
    except (LookupError, UnicodeError):
        return None


def show_unknown_bytes(text: str) -> str:
    """The text with U+FFFD for every byte whose character is not known, fit to be sent and shown."""
    return text if text.isascii() else _UNKNOWN_BYTE.sub("\ufffd", text)


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
    are shown, and after about `most_in_all` lines the rest is named by its line numbers. An empty range, whose end is its
    start - 1, shows the lines around the place.
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
            rest = windows[index:]
            named = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in rest[:_MOST_NAMED])
            more = f" and {len(rest) - _MOST_NAMED} more places" if len(rest) > _MOST_NAMED else ""
            pieces.append(f"… not shown: lines {named}{more}")
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
