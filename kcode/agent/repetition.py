"""Whether a stream of thoughts has come to repeat one passage for ever. Cheap enough to be asked for each piece."""

from __future__ import annotations

# A thought may hold long tables and dumps. Equal passages that fill half of what a reply may have are none: 128 KB, or
# some 32,000 tokens.
LEAST = 128 * 1024
_TIMES = 12
_LONGEST_PASSAGE = LEAST // _TIMES
_LOOK_EVERY = 16 * 1024
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
        self._tail = "".join((self._tail, *self._fresh))[-LEAST:]
        self._fresh.clear()
        return repeats_itself(self._tail)


def repeats_itself(text: str) -> bool:
    """Whether the text ends in at least 128 KB of equal passages, twelve of them or more."""
    # Wherever the text's last characters stood before, one passage may have ended.
    mark = text[-_MARK:]
    place = len(text) - _MARK
    for _ in range(_TRIES):
        place = text.rfind(mark, 0, place + _MARK - 1)
        period = len(text) - _MARK - place
        if place < 0 or period > _LONGEST_PASSAGE or len(text) < LEAST:
            return False
        tail = text[-LEAST:]
        if tail[period:] == tail[:-period]:
            return True
    return False
