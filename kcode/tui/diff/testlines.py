"""What a run of the tests gave, in one line and at length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.results import CommandEnd
from kcode.sanitize import sanitize, sanitize_line, sanitize_names
from kcode.tui.lines import Line, Role, Span, expand_tabs

if TYPE_CHECKING:
    from kcode.results import TestReport
    from kcode.tui.texts import Texts

_MOST_NAMES = 3
_MOST_LINES = 400


def describe_report(report: TestReport, texts: Texts) -> str:
    """The verdict with counts, and the first failing tests by name; safe to show."""
    if report.result.end is CommandEnd.TIMEOUT:
        return texts("review.report_timeout")
    counts = [
        texts(f"review.report_{word}", count=count)
        for word, count in (("failed", report.failed), ("passed", report.passed), ("skipped", report.skipped))
        if count
    ]
    if report.failed_before is not None and report.failed:
        counts[0] += f" ({texts('review.report_known', count=len(report.failed_before))})"
    said = ", ".join(counts) or texts("review.tests_passed" if report.ok else "review.tests_failed")
    names = sanitize_names([failure.name for failure in report.failures], _MOST_NAMES)
    return f"{said}: {names}" if names else said


def explain_report(report: TestReport, texts: Texts) -> list[Line]:
    """The failing tests with what they said, or the end of the output where none is named."""
    lines: list[Line] = [
        (Span(describe_report(report, texts), Role.BAD),),
        (Span(sanitize_line(report.command), Role.DIM),),
    ]
    before = set(report.failed_before or ())
    for failure in report.failures:
        known = (Span(f"  {texts('review.report_before')}", Role.DIM),) if failure.name in before else ()
        lines += [(), (Span(f"✗ {sanitize_line(failure.name)}", Role.BAD), *known)]
        lines += _lines(failure.detail)
    if not report.failures:
        lines += [(), *_lines(report.result.output)[-_MOST_LINES:]]
    return lines


def _lines(text: str) -> list[Line]:
    rows = sanitize(text.strip("\n")).split("\n") if text.strip() else []
    return [(Span(f"  {expand_tabs(row.rstrip())}"),) for row in rows]
