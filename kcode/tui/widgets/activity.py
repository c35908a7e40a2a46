"""One line that tells what goes on while a turn runs, so that a long silence is not taken for a stop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Literal

from kcode.sanitize import sanitize_line
from kcode.tui.lines import Role, Span, pad, shorten, width_of
from kcode.tui.widgets.oneline import OneLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts

Phase = Literal["waiting", "thinking", "writing", "running", "compacting", "retrying", "testing"]
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧"
_RATE = 1 / 8
# Before that a rate says nothing, and a wait is no news.
_SOON, _LONG_WAIT = 1.0, 20.0


@dataclass(frozen=True, slots=True)
class ActivityState:
    """`began` and `since` are when the turn and the phase began, on one clock; `tokens` came in this phase.

    `what` is the tool or command that runs. `retry_in` are the seconds until the request leaves again.
    """

    phase: Phase
    began: float
    since: float
    what: str = ""
    tokens: int = 0
    retry_in: int | None = None
    attempt: int = 0
    attempts: int = 0
    queued: int = 0


def activity_line(state: ActivityState, now: float, width: int, texts: Texts, *, still: bool = False) -> Line:
    """What goes on, for how long, how fast; `still` leaves the moving mark out, for screen readers."""
    frame = "" if still else _FRAMES[int(now / _RATE) % len(_FRAMES)] + " "
    parts: list[Line] = [(Span(f" {frame}", Role.ACCENT), Span(_phase(state, now, texts), Role.STRONG))]
    elapsed = now - state.since
    parts.append((Span(clock(elapsed)),))
    if state.tokens and state.phase in {"thinking", "writing"} and elapsed >= _SOON:
        parts.append((Span(texts("status.rate", rate=f"{state.tokens / elapsed:.0f}"), Role.DIM),))
    if now - state.began - elapsed >= _SOON:
        parts.append((Span(texts("status.turn_time", time=clock(now - state.began)), Role.DIM),))
    if state.queued:
        parts.append((Span(texts("status.queued", count=state.queued), Role.WARNING),))
    hint: Line = (Span(texts("status.interrupts"), Role.DIM, action="screen.in_composer('interrupt')"), Span(" "))
    line: Line = ()
    for part in parts:
        joined = (*line, Span(" · ", Role.GUTTER), *part) if line else part
        if width_of(joined) + width_of(hint) + 1 > width and line:
            break
        line = joined
    if width_of(line) + width_of(hint) + 1 > width:
        return pad(shorten(line, width), width)
    return (*pad(line, width - width_of(hint)), *hint)


def _phase(state: ActivityState, now: float, texts: Texts) -> str:
    if state.phase == "retrying":
        values = {"seconds": state.retry_in or 0, "attempt": state.attempt + 1, "attempts": state.attempts}
        return texts("status.retrying", **values)
    if state.phase == "running":
        return texts("status.running", what=sanitize_line(state.what)[:60])
    if state.phase == "waiting" and now - state.since >= _LONG_WAIT:
        return texts("status.waiting_long")
    return texts(f"status.{state.phase}")


def clock(seconds: float) -> str:
    """A duration as it is read at a glance: 8s, 1:05, 1:02:05."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


class Activity(OneLine):
    """Takes a line of the screen while `state` is not None, and only then moves: eight times a second at most."""

    DEFAULT_CSS = """
    Activity { display: none; }
    """

    def __init__(
        self,
        texts: Texts,
        *,
        still: bool = False,
        now: Callable[[], float] = monotonic,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._texts = texts
        self.is_still = still
        self._now = now
        self._state: ActivityState | None = None
        self._timer: Timer | None = None

    @property
    def state(self) -> ActivityState | None:
        return self._state

    def begin(self) -> None:
        """A turn begins: the first request is about to leave."""
        now = self._now()
        self._show(ActivityState("waiting", now, now))

    def begin_unless_begun(self) -> None:
        """Something begins that is no turn, unless it is a part of one."""
        if self._state is None:
            self.begin()

    def phase(self, phase: Phase, what: str = "") -> None:
        """Another thing goes on from here; the same one as before goes on without a change."""
        state = self._state
        if state is not None and (state.phase, state.what) != (phase, what):
            self._show(replace(state, phase=phase, what=what, since=self._now(), tokens=0, retry_in=None))

    def retry(self, left: int, attempt: int, attempts: int) -> None:
        """The request failed so many times and leaves again after so many seconds."""
        self.phase("retrying")
        if self._state is not None:
            self._show(replace(self._state, retry_in=left, attempt=attempt, attempts=attempts))

    def count(self, tokens: int) -> None:
        """So many more tokens came. Shown with the next move, so that it may be called for each delta."""
        if self._state is not None:
            self._state = replace(self._state, tokens=self._state.tokens + tokens)

    def queue(self, messages: int) -> None:
        """So many messages wait for the model to take them."""
        if self._state is not None and self._state.queued != messages:
            self._show(replace(self._state, queued=messages))

    def end(self) -> None:
        """The turn has ended; nothing moves."""
        self._state = None
        self.display = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _show(self, state: ActivityState) -> None:
        self._state = state
        self.display = True
        if self._timer is None:
            self._timer = self.set_interval(1.0 if self.is_still else _RATE, self.draw)
        self.draw()

    def line(self, width: int) -> Line:
        if self._state is None:
            return ()
        return activity_line(self._state, self._now(), width, self._texts, still=self.is_still)
