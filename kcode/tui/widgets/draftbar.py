"""The draft's state, always in view: how many files it changes, what the tests said, what is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from kcode.tui.lines import Ground, Role, Span, pad, shorten, width_of
from kcode.tui.widgets.oneline import OneLine

if TYPE_CHECKING:
    from textual.events import Click

    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts

TestsState = Literal["none", "running", "passed", "failed", "broken"]


@dataclass(frozen=True, slots=True)
class DraftState:
    """`tests` says how the last run stands; `stale` that the draft has changed since. `review_key` opens the review.

    `before` is how many of the failing tests failed before the changes too, where that is known; `is_chosen` says that not
    all tests ran.
    """

    files: int = 0
    added: int = 0
    removed: int = 0
    tests: TestsState = "none"
    passed: int = 0
    failed: int = 0
    stale: bool = False
    pending: int = 0
    accepted: int = 0
    rejected: int = 0
    conflicts: int = 0
    review_key: str = ""
    before: int | None = None
    is_chosen: bool = False


def draft_line(state: DraftState, width: int, texts: Texts) -> Line:
    """The parts from the left as far as there is room, with the key for the review at the right."""
    if not state.files:
        calm = (Span(" "), Span(texts("status.draft_empty"), Role.GUTTER))
        return pad(shorten(calm, width), width)
    parts = [part for part in (_files(state, texts), _tests(state, texts), *_decisions(state, texts)) if part]
    hint: Line = (
        (Span(texts("status.review", keys=state.review_key), Role.ACCENT), Span(" ")) if state.review_key else ()
    )
    line: Line = (Span(" "),)
    for number, part in enumerate(parts):
        joined = (*line, *((Span(" · ", Role.GUTTER),) if number else ()), *part)
        if width_of(joined) + width_of(hint) + 1 > width and number:
            break
        line = joined
    if width_of(line) + width_of(hint) + 1 > width:
        return pad(shorten(line, width), width)
    return (*pad(line, width - width_of(hint)), *hint)


def _files(state: DraftState, texts: Texts) -> Line:
    return (
        Span(texts("status.draft", count=state.files), Role.STRONG),
        Span(f" +{state.added:,}", Role.ADDED),
        Span(f" -{state.removed:,}", Role.REMOVED),
    )


def _tests(state: DraftState, texts: Texts) -> Line:
    said = [texts("status.tests_chosen")] if state.is_chosen else []
    if state.tests == "failed" and state.before is not None:
        said.append(texts("status.tests_before", count=state.before))
    said += [texts("status.tests_stale")] if state.stale else []
    more = (Span(f" ({', '.join(said)})", Role.DIM),) if said else ()
    bad = Role.WARNING if state.before is not None and state.before == state.failed else Role.BAD
    match state.tests:
        case "running":
            return (Span(texts("status.tests_running"), Role.ACCENT),)
        case "passed":
            return (Span(f"✓ {texts('status.tests_passed', count=state.passed)}", Role.GOOD), *more)
        case "failed":
            return (Span(f"✗ {texts('status.tests_failed', count=state.failed)}", bad), *more)
        case "broken":
            return (Span(f"✗ {texts('status.tests_broken')}", Role.BAD), *more)
        case _:
            return (Span(texts("status.tests_none"), Role.DIM),)


def _decisions(state: DraftState, texts: Texts) -> list[Line]:
    parts: list[Line] = []
    if state.conflicts:
        parts.append((Span(f"! {texts('status.conflicts', count=state.conflicts)}", Role.WARNING),))
    if state.pending:
        parts.append((Span(texts("status.pending", count=state.pending), Role.DIM),))
    if state.accepted:
        parts.append((Span(texts("status.accepted", count=state.accepted), Role.GOOD),))
    if state.rejected:
        parts.append((Span(texts("status.rejected", count=state.rejected), Role.BAD),))
    return parts


class DraftBar(OneLine):
    """Shows `state`; a click on it asks for the review."""

    DEFAULT_CSS = """
    DraftBar { background: $panel; }
    """
    ground = Ground.PANEL

    class Pressed(Message):
        """The user wants to see what the draft proposes."""

    def __init__(self, texts: Texts, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._texts = texts
        self._state: DraftState | None = None

    @property
    def state(self) -> DraftState:
        return self._state or DraftState()

    @state.setter
    def state(self, state: DraftState) -> None:
        self._state = state
        self.draw()

    def know(self) -> None:
        """Nothing is proposed, as far as nothing else was said: until here that was not known."""
        self.state = self.state

    def line(self, width: int) -> Line:
        return draft_line(self._state, width, self._texts) if self._state else ()

    def on_click(self, event: Click) -> None:
        event.stop()
        if self.state.files:
            self.post_message(self.Pressed())
