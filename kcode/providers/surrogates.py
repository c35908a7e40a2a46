"""Halves of surrogate pairs: JSON can spell them, UTF-8 cannot."""

from __future__ import annotations


def mend_surrogates(text: str) -> str:
    """The text with both halves of a pair joined, and a half alone as U+FFFD, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class PairJoiner:
    """Mends a text that comes in pieces: the first half of a pair waits for the next piece."""

    def __init__(self) -> None:
        self._half = ""

    def join(self, piece: str) -> str:
        """What of the text can be given out."""
        if piece.isascii() and not self._half:
            return piece
        piece = self._half + piece
        self._half = ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        return mend_surrogates(piece)

    def flush(self) -> str:
        """What still waits, when nothing follows."""
        half, self._half = self._half, ""
        return mend_surrogates(half)
