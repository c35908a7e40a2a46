"""Text from outside on its way to the terminal: what would steer the terminal or hide from the reader is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN_ASCII = bytes([9, 10, *range(32, 127)])

# Unicode's Default_Ignorable_Code_Point (zero-width, bidi, variation selectors, tags), its line separators and
# interlinear marks, the C0 and C1 controls, and surrogates, which Python makes of bytes that are not UTF-8.
_STEERING = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# U+FE0F after one of these asks for the coloured picture and nothing else; models write it in every other heading.
_PICTURES = "\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_SHOWN = re.compile(f"(?<![{_PICTURES}])\ufe0f|(?!\ufe0f)[{_STEERING}]")
_LINE = re.compile(f"[\n\t]|{_SHOWN.pattern}")
# What comes next decides how one of these is shown.
_UNDECIDED = re.compile(f"[\r{_PICTURES}]\\Z")


def sanitize(text: str, *, show_crlf: bool = False) -> str:
    r"""Show control and invisible characters in words and pictures; newlines and tabs stay, nothing is dropped.

    ESC becomes ␛, U+202E becomes `<U+202E>`, an undecodable byte (a surrogate) becomes `\xff`. The carriage return of
    a line that ends in CRLF belongs to the line's end; `show_crlf` shows it too. The result encodes to UTF-8, and
    sanitizing it again changes nothing.
    """
    if text.isascii() and not text.encode().translate(None, _PLAIN_ASCII):
        return text
    if not show_crlf and "\r\n" in text:
        text = text.replace("\r\n", "\n")
    return _SHOWN.sub(_show, text)


def sanitize_line(text: str) -> str:
    """Sanitize what must stay on one line, such as a file's name: newlines and tabs are shown too."""
    return _LINE.sub(_show, text)


def sanitize_names(names: Sequence[str], most: int = 10) -> str:
    """The names of files in one line, each made safe; of those beyond `most` only the number."""
    shown = ", ".join(map(sanitize_line, names[:most]))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def _show(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return f"<U+{code:04X}>"


class StreamSanitizer:
    """Sanitize a text that comes in pieces: however it is cut, the result is that of the whole."""

    def __init__(self, *, show_crlf: bool = False) -> None:
        self._show_crlf = show_crlf
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what can be shown so far; a last character whose look depends on the next one is held back."""
        text = self._held + text
        undecided = _UNDECIDED.search(text, max(len(text) - 1, 0))
        self._held = undecided.group() if undecided else ""
        return sanitize(text.removesuffix(self._held), show_crlf=self._show_crlf)

    def finish(self) -> str:
        """Return what was held back; the stream has ended."""
        held, self._held = self._held, ""
        return sanitize(held, show_crlf=self._show_crlf)
