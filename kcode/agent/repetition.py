"""Whether a stream of text has come to repeat one passage for ever. Cheap enough to be asked for each piece."""

from __future__ import annotations

# A reply may hold long tables and dumps; twelve equal passages, exact to the character and 8 KB in all, are none.
_TIMES = 12
_LEAST = 8 * 1024
_LONGEST_PASSAGE = 4 * 1024
_KEPT = _TIMES * _LONGEST_PASSAGE
_LOOK_EVERY = 4 * 1024
_MARK = 256
_TRIES = 8


class RepetitionWatch:
    """Listens to one reply; `heard` counts its characters."""

    def __init__(self) -> None:
        self.heard = 0
        self._tail = ""
        self._fresh: list[str] = []
        self._next_look = _LOOK_EVERY

    def hear(self, text: str) -> bool:
        """Take the next piece; True once the reply has become one passage over and over."""
        self.heard += len(text)
        self._fresh.append(text)
        if self.heard < self._next_look:
            return False
        self._next_look = self.heard + _LOOK_EVERY
        self._tail = "".join((self._tail, *self._fresh))[-_KEPT:]
        self._fresh.clear()
        return repeats_itself(self._tail)


def repeats_itself(text: str) -> bool:
    """Whether the text ends in twelve equal passages of up to 4 KB each, and at least 8 KB of them."""
    # Wherever the text's last characters stood before, one passage may have ended.
    mark = text[-_MARK:]
    place = len(text) - _MARK
    for _ in range(_TRIES):
        place = text.rfind(mark, 0, place + _MARK - 1)
        period = len(text) - _MARK - place
        length = max(_LEAST, _TIMES * period)
        if place < 0 or length > len(text):
            return False
        tail = text[-length:]
        if tail[period:] == tail[:-period]:
            return True
    return False
