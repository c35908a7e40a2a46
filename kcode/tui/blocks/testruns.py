"""A run of the tests in words: counts, and the names of what fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.results import CommandEnd
from kcode.sanitize import sanitize_line
from kcode.tui.blocks.amounts import write_seconds
from kcode.tui.lines import Line, Role, Span
from kcode.tui.output import output_lines, settled_output

if TYPE_CHECKING:
    from kcode.results import TestReport
    from kcode.tui.texts import Texts

_NAMES, _LONGEST_NAME = 3, 60


def verdict_of(report: TestReport, texts: Texts) -> Line:
    """One line: what passed, what failed, and the first names of that."""
    if report.result.end is not CommandEnd.EXITED:
        seconds = write_seconds(report.result.seconds, texts)
        return (Span(texts("transcript.tests_stopped", seconds=seconds), Role.BAD),)
    spans: list[Span] = []
    counted = (
        (report.failed, "failed", Role.BAD),
        (report.passed, "passed", Role.GOOD),
        (report.skipped, "skipped", Role.DIM),
    )
    for count, word, role in counted:
        if count:
            spans += [Span(", ", Role.DIM)] if spans else []
            spans.append(Span(texts(f"transcript.tests_{word}", count=count), role))
    if not spans:
        known = "transcript.tests_pass" if report.ok else "transcript.tests_fail"
        spans = [Span(texts(known, code=report.result.exit_code), Role.GOOD if report.ok else Role.BAD)]
    names = [short_name(failure.name) for failure in report.failures]
    if names:
        more = texts("transcript.more", count=len(names) - _NAMES) if len(names) > _NAMES else ""
        spans.append(Span(": " + ", ".join(names[:_NAMES]) + (f" {more}" if more else ""), Role.TEXT))
    return tuple(spans)


def short_name(name: str) -> str:
    """A test's name by its end, which tells more than its folder does."""
    name = sanitize_line(name.rpartition("::")[2] or name)
    return name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"


def report_lines(report: TestReport, texts: Texts) -> list[Line]:
    """All of the run: the command, what fails with what it said, and what failed before."""
    lines: list[Line] = [(Span("$ ", Role.ACCENT), Span(sanitize_line(report.command), Role.CODE))]
    before = set(report.failed_before or ())
    for failure in report.failures:
        name: Line = (Span("✗ ", Role.BAD), Span(sanitize_line(failure.name), Role.STRONG))
        if failure.name in before:
            name = (*name, Span(f"  {texts('transcript.failed_before')}", Role.DIM))
        lines.append(name)
        detail = settled_output(failure.detail).strip("\n")
        lines += [(Span("  "), *line) for line in output_lines(detail)] if detail else []
    return lines
