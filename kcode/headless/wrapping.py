"""Prose on a terminal, broken at blanks before the terminal would break it within a word."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

_CODE_INDENT = 4
_FENCES = ("```", "~~~")


class Wrapper:
    """Takes text in pieces as it comes and gives what is to be written; the last word waits for what follows it.

    Fenced and indented lines and tables stay as they are, since they may be copied. Without `columns` all stays.
    """

    def __init__(self, columns: int | None) -> None:
        self._columns = columns
        self._line = self._gap = self._word = ""
        self._used = 0
        self._is_fenced = False

    def feed(self, text: str) -> str:
        if self._columns is None:
            return text
        return "".join(self._take(character) for character in text)

    def flush(self) -> str:
        """What was held back; the next text begins a line."""
        rest = self._end_word() + self._gap
        self._line = self._gap = ""
        self._used = 0
        return rest

    def _take(self, character: str) -> str:
        if character == "\n":
            rest = self._end_word() + self._gap
            if self._line.lstrip().startswith(_FENCES):
                self._is_fenced = not self._is_fenced
            self._line = self._gap = ""
            self._used = 0
            return f"{rest}\n"
        self._line += character
        if self._stays():
            rest = self._end_word() + self._gap + character
            self._gap = ""
            return rest
        if character == " ":
            rest = self._end_word()
            self._gap += character
            return rest
        if _cells(character) > 1:
            # Between ideographs a row may break anywhere.
            rest = self._end_word()
            self._word = character
            return rest + self._end_word()
        self._word += character
        return ""

    def _stays(self) -> bool:
        body = self._line.lstrip(" ")
        indent = len(self._line) - len(body)
        return self._is_fenced or indent >= _CODE_INDENT or body.startswith(("\t", "|", *_FENCES))

    def _end_word(self) -> str:
        word, gap, size = self._word, self._gap, _width(self._word)
        if not word or self._columns is None:
            return ""
        self._word = self._gap = ""
        if self._used and self._used + len(gap) + size > self._columns:
            self._used = size
            return f"\n{word}"
        self._used += len(gap) + size
        return gap + word


def wrap_text(text: str, columns: int | None) -> str:
    """A whole text, wrapped."""
    wrapper = Wrapper(columns)
    return wrapper.feed(text) + wrapper.flush()


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
