"""Lines laid out in columns, and amounts as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.pricing import write_dollars
from kcode.sanitize import sanitize_line
from kcode.tui.lines import Role, Span, pad, shorten, width_of, wrap

if TYPE_CHECKING:
    from datetime import datetime

    from kcode.tui.lines import Line
    from kcode.tui.texts import Texts

_MINUTE, _HOUR, _DAY, _MONTH = 60, 3600, 86400, 30 * 86400


def said(text: str, role: Role = Role.TEXT) -> Span:
    """Text from outside, safe to show in a line."""
    return Span(sanitize_line(text), role)


def column(line: Line, width: int, *, right: bool = False) -> Line:
    """The line in exactly so many cells, at their left or right end."""
    kept = shorten(line, width)
    missing = width - width_of(kept)
    return (Span(" " * missing), *kept) if right and missing > 0 else pad(kept, width)


def spread(left: Line, right: Line, width: int) -> Line:
    """The one at the left end and the other at the right; the left one gives way where both have no room."""
    size = width_of(right)
    if not size:
        return shorten(left, width)
    if size + 2 > width:
        return shorten(right, width)
    return (*column(left, width - size - 2), Span("  "), *right)


def paragraphs(text: str, width: int, role: Role = Role.TEXT) -> list[Line]:
    """A text of several lines, from wherever, in rows of that width."""
    return [row for part in text.split("\n") for row in wrap((said(part, role),) if part else (), width)]


def write_ago(texts: Texts, then: datetime, now: datetime) -> str:
    """How long ago that was, in words; the date where it is more than a month."""
    seconds = int((now - then).total_seconds())
    if seconds < _MINUTE:
        return texts("screens.ago_now")
    if seconds < _HOUR:
        return texts("screens.ago_minutes", count=seconds // _MINUTE)
    if seconds < _DAY:
        return texts("screens.ago_hours", count=seconds // _HOUR)
    if seconds < _MONTH:
        return texts("screens.ago_days", count=seconds // _DAY)
    return f"{then.astimezone():%Y-%m-%d}"


def write_cost(texts: Texts, cost: float | None) -> str:
    """A sum in dollars; what is not known is said, and what cost nothing is free."""
    if cost is None:
        return texts("screens.cost_unknown")
    if cost >= 1:
        return f"${cost:,.2f}"
    return write_dollars(cost) if cost else texts("screens.cost_free")


def write_share(part: int, whole: int) -> str:
    return "<1%" if 0 < part * 100 < whole else f"{part / max(whole, 1):.0%}"
