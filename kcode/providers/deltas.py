"""The deltas of a reply on their way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.providers import ReasoningDelta, TextDelta, ToolCallDelta
from kcode.providers.surrogates import mend_surrogates

if TYPE_CHECKING:
    from kcode.providers import Delta

# What a piece is of: reasoning, text, or the call at this place with this name.
Kind = type[ReasoningDelta] | type[TextDelta] | tuple[int, str]


class DeltaJoiner:
    """Deltas in their order; neighbours of one kind leave as one."""

    def __init__(self) -> None:
        self._done: list[Delta] = []
        self._kind: Kind | None = None
        self._run: list[str] = []

    def add(self, kind: Kind, text: str) -> None:
        """Add a piece."""
        if kind != self._kind:
            self._close_run()
            self._kind = kind
        self._run.append(text)

    def take(self) -> list[Delta]:
        """The deltas since this was last asked."""
        self._close_run()
        done, self._done = self._done, []
        return done

    def _close_run(self) -> None:
        kind = self._kind
        if kind is None:
            return
        text = self._run[0] if len(self._run) == 1 else "".join(self._run)
        self._kind, self._run = None, []
        if isinstance(kind, tuple):
            self._done.append(ToolCallDelta(*kind, mend_surrogates(text)))
        else:
            self._done.append(kind(text))
