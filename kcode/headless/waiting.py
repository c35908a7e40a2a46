"""The line that shows, at a terminal, that a reply is waited for."""

from __future__ import annotations

import asyncio
import sys
from time import monotonic
from typing import TYPE_CHECKING

from kcode.headless.terminal import DIM
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.headless.terminal import Terminal

_SIGNS = "|/-\\"
_EVERY_SECONDS = 0.2
_NARROWEST = 20


def answering(bench: Workbench) -> str:
    """Which model answers, and where."""
    return sanitize_line(f"{bench.provider.model} · {bench.provider.endpoint.title}")


def waiting_text(whom: str, seconds: float, columns: int | None) -> str:
    """The line after so long, short enough to be rewritten in its place."""
    past = f" {int(seconds)} s" if seconds >= 1 else ""
    tail = f" · waiting …{past} {_SIGNS[int(seconds / _EVERY_SECONDS) % len(_SIGNS)]}"
    room = max((columns or 80) - len(tail) - 1, _NARROWEST)
    return (whom if len(whom) <= room else f"{whom[: room - 1]}…") + tail


class WaitingLine:
    """Shown by `show` and gone with `hide`; nothing where the last line cannot be rewritten."""

    def __init__(self, terminal: Terminal, whom: str) -> None:
        self._terminal, self._whom = terminal, whom
        self._since: float | None = None
        self._next: asyncio.TimerHandle | None = None

    def show(self) -> None:
        if self._whom and self._terminal.is_live(sys.stderr):
            self._since = monotonic()
            self._draw()

    def hide(self) -> None:
        if self._next is not None:
            self._next.cancel()
        if self._since is not None:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._since = self._next = None

    def _draw(self) -> None:
        if self._since is None:
            return
        text = waiting_text(self._whom, monotonic() - self._since, self._terminal.columns(sys.stderr))
        sys.stderr.write(f"\r{self._terminal.style(text, DIM, sys.stderr)}")
        sys.stderr.flush()
        self._next = asyncio.get_running_loop().call_later(_EVERY_SECONDS, self._draw)
