"""What the user says while a turn runs, until the turn takes it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class WaitingMessages:
    """Implements kcode.agent.turn.Inbox. What is left in it when a turn ends is for the next one."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()

    @property
    def waiting(self) -> Sequence[str]:
        """What no turn has taken yet, in order."""
        return tuple(self._waiting)

    def put(self, words: str) -> None:
        """Add what the user said."""
        self._waiting.append(words)

    def take_back(self) -> str | None:
        """The message that was put last, out of the inbox, for the user to change; None when all are taken."""
        return self._waiting.pop() if self._waiting else None

    def take(self) -> Sequence[str]:
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken
