"""The tool run_tests."""

from __future__ import annotations

import re
from typing import Annotated

from kcode.tooling import Access, CommandEnd, TestFailure, TestReport, ToolResult, View, tool, without_colors

SECONDS = 600.0
MOST_NAMES, MOST_NAMES_ALIKE, MOST_DETAILS, MOST_CHARACTERS, LAST_LINES = 30, 10, 8, 8_000, 40


@tool(Access.EXECUTE)
async def run_tests(
    view: View, target: Annotated[str, "file, folder, file::test, or part of a test's name; empty for all"] = ""
) -> ToolResult:
    """Run the project's tests. The way to run them is detected.

    Run the narrowest target while you work, and all tests before your final answer, unless the user says otherwise.
    """
    report = await view.run_tests(target, SECONDS)
    parts = [f"{_verdict(report, target.strip())}\nCommand: {report.command}"]
    # What pytest prints when it does not go on, as with files that it cannot collect.
    parts += [f"pytest: {said}" for said in re.findall(r"^!{3,} (.+?) !{3,}$", report.result.output, re.MULTILINE)]
    parts += _failures(report)
    parts += _before(report)
    if not report.ok and not any(failure.detail for failure in report.failures):
        parts.append(f"End of the output:\n{_last_lines(report.result.output)}")
    if report.result.changed:
        parts.append(f"The tests changed these files: {', '.join(report.result.changed[:20])}")
    if report.result.left:
        names = _listed(report.result.left)
        parts.append(f"The tests left these files; they are not part of the proposal unless you change them: {names}")
    if report.result.output_name and not report.ok:
        parts.append(f"The full output: read_file {report.result.output_name}")
    return ToolResult("\n".join(parts), _counts(report), tests=report)


def _before(report: TestReport) -> list[str]:
    """What is known of the failures without the draft's changes."""
    names, untried = report.failed_before, report.untried
    if untried and len(untried) == len(report.failures):
        return ["Without your changes none of these tests ran, so whether they failed before is not known."]
    if names is None:
        return []
    if len(names) == len(report.failures):
        return ["Without your changes all of these fail too."]
    if not names and not untried:
        return ["Without your changes none of these tests fails."]
    said = [f"Of these, fail without your changes too: {_listed(names)}."] if names else []
    return said + ([f"Of these, did not run without your changes: {_listed(untried)}."] if untried else [])


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"


def _verdict(report: TestReport, target: str) -> str:
    result = report.result
    time = f"in {result.seconds:.1f} s"
    match result.end:
        case CommandEnd.TIMEOUT:
            return f"The tests did not end and were stopped after {result.seconds:.0f} s: {_counts(report)}."
        case CommandEnd.FLOOD:
            return f"The tests wrote too much and were stopped {time}: {_counts(report)}."
        case CommandEnd.CANCELLED:
            return f"The tests were cancelled {time}: {_counts(report)}."
        case CommandEnd.EXITED:
            pass
    if report.failed:
        return f"Tests fail {time}: {_counts(report)}."
    if not report.ok:
        return f"The test run failed {time}: exit code {result.exit_code}, {_counts(report)}."
    if report.passed == 0:
        return f"No test ran {time}: {_counts(report)}."
    return f"{f'The tests of {target}' if target else 'All tests'} pass {time}: {_counts(report)}."


def _counts(report: TestReport) -> str:
    kinds = ((report.failed, "failed"), (report.passed, "passed"), (report.skipped, "skipped"))
    known = [f"{count} {kind}" for count, kind in kinds if count or (count == 0 and kind == "passed")]
    return ", ".join(known) if known else ("passed" if report.ok else "counts unknown")


def _failures(report: TestReport) -> list[str]:
    """One example for each cause, as many as there is room for, and the names of all others."""
    alike: dict[str, list[TestFailure]] = {}
    for failure in report.failures:
        alike.setdefault(failure.cause or failure.name, []).append(failure)
    parts: list[str] = []
    left: list[str] = []
    shown = 0
    for failures in alike.values():
        example = failures[0].detail
        if not example or len(parts) >= MOST_DETAILS or sum(map(len, parts)) > MOST_CHARACTERS:
            left += [failure.name for failure in failures]
            continue
        shown += len(failures)
        parts.append(f"{_heading([failure.name for failure in failures])}\n{example[-MOST_CHARACTERS // 2 :]}")
    hidden = max(report.failed or 0, len(report.failures)) - shown
    if parts and hidden > 0:
        parts.append(f"{hidden} more failure{'s' if hidden > 1 else ''} not shown: run a narrower target")
    elif left:
        parts.append("Failing:")
    parts += [f"  {name}" for name in left[:MOST_NAMES]]
    if len(left) > MOST_NAMES:
        parts.append(f"  … and {len(left) - MOST_NAMES} more")
    return parts


def _heading(names: list[str]) -> str:
    if len(names) == 1:
        return f"--- {names[0]}"
    more = len(names) - MOST_NAMES_ALIKE
    listed = [f"  {name}" for name in names[:MOST_NAMES_ALIKE]] + ([f"  … and {more} more"] if more > 0 else [])
    return "\n".join([f"--- {len(names)} failures with this cause:", *listed, "The first of them said:"])


def _last_lines(output: str) -> str:
    lines = without_colors(output).rstrip().splitlines()[-LAST_LINES:]
    return "\n".join(lines)[-MOST_CHARACTERS:] or "(no output)"
