"""Why a hunk is as it is: each call or command with the reasoning and the words that led to it, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.spelling import spell_arguments
from kcode.sanitize import sanitize, sanitize_line
from kcode.tui.diff.learning import describe_tested
from kcode.tui.lines import Line, Role, Span, expand_tabs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.agent.reviewing import HunkFacts
    from kcode.draft.versions import Version
    from kcode.session.steps import Step
    from kcode.tui.texts import Texts

_MOST_LINES = 200


def explain(facts: HunkFacts, steps: Sequence[tuple[Version, Step | None]], texts: Texts) -> list[Line]:
    """What led to the hunk, the newest cause last."""
    place = ", ".join(map(sanitize_line, facts.within or ()))
    head = [sanitize_line(facts.change.path), *([place] if place else [])]
    lines: list[Line] = [(Span(" · ".join(head), Role.HEADING),)]
    if tested := describe_tested(facts.tested, texts):
        lines.append((Span(tested, Role.DIM),))
    for cause, step in steps:
        lines.append(())
        if step is None:
            lines.append((Span(sanitize_line(cause.by), Role.TOOL),))
            continue
        lines.append((Span(sanitize_line(step.call.name), Role.TOOL),))
        lines += _titled(texts("review.why_thought"), step.reasoning or "", Role.REASONING)
        lines += _titled(texts("review.why_said"), step.text, Role.TEXT)
        lines += _called(spell_arguments(step.call.arguments, facts.hunk), texts)
    if not steps:
        lines += [(), (Span(texts("review.why_unknown"), Role.DIM),)]
    return lines


def _titled(title: str, text: str, role: Role) -> list[Line]:
    if not text.strip():
        return []
    return [(Span(title, Role.DIM),), *((Span(f"  {line}", role),) for line in _lines(text))]


def _called(text: str, texts: Texts) -> list[Line]:
    rows = _lines(text)
    shown = [(Span(f"  {row}", _role_of(row)),) for row in rows[:_MOST_LINES]]
    more = len(rows) - len(shown)
    rest = [(Span(f"  {texts('review.why_more', count=more)}", Role.DIM),)] if more > 0 else []
    return [(Span(texts("review.why_called"), Role.DIM),), *shown, *rest]


def _role_of(row: str) -> Role:
    return {"+": Role.ADDED, "-": Role.REMOVED}.get(row[:1], Role.CODE)


def _lines(text: str) -> list[str]:
    return [expand_tabs(line.rstrip()) for line in sanitize(text.strip("\n")).split("\n")]
