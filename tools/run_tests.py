"""The tool run_tests."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, CommandEnd, TestReport, ToolResult, View, tool

SECONDS = 600.0
MOST_NAMES, MOST_DETAILS, MOST_CHARACTERS, LAST_LINES = 30, 6, 12_000, 40


@tool(Access.EXECUTE)
async def run_tests(
    view: View, target: Annotated[str, "file, folder, file::test or name; empty for all"] = ""
) -> ToolResult:
    """Run the project's tests; how is found by itself.

    Run the narrowest target while you work, and all tests before your final answer.
    """
    report = await view.run_tests(target, SECONDS)
    parts = [f"{_verdict(report)}\nCommand: {report.command}"]
    parts += _failures(report)
    if not report.ok and not any(failure.detail for failure in report.failures):
        parts.append(f"End of the output:\n{_last_lines(report.result.output)}")
    if report.result.changed:
        parts.append(f"The tests changed these files: {', '.join(report.result.changed[:20])}")
    if report.result.output_name and not report.ok:
        parts.append(f"The full output: read_file {report.result.output_name}")
    return ToolResult("\n".join(parts), _counts(report), tests=report)


def _verdict(report: TestReport) -> str:
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
    if report.ok:
        return f"All tests pass {time}: {_counts(report)}."
    if report.failed:
        return f"Tests fail {time}: {_counts(report)}."
    return f"The test run failed {time}: exit code {result.exit_code}, {_counts(report)}."


def _counts(report: TestReport) -> str:
    kinds = ((report.failed, "failed"), (report.passed, "passed"), (report.skipped, "skipped"))
    known = [f"{count} {kind}" for count, kind in kinds if count or (count == 0 and kind == "passed")]
    return ", ".join(known) if known else ("passed" if report.ok else "counts unknown")


def _failures(report: TestReport) -> list[str]:
    if not report.failures:
        return []
    names = [failure.name for failure in report.failures]
    parts = ["Failing:\n" + "\n".join(f"  {name}" for name in names[:MOST_NAMES])]
    if len(names) > MOST_NAMES:
        parts.append(f"  … and {len(names) - MOST_NAMES} more")
    total = 0
    for failure in report.failures[:MOST_DETAILS]:
        if not failure.detail or total > MOST_CHARACTERS:
            continue
        detail = failure.detail[-MOST_CHARACTERS // 3 :]
        total += len(detail)
        parts.append(f"--- {failure.name}\n{detail}")
    return parts


def _last_lines(output: str) -> str:
    return "\n".join(output.rstrip().splitlines()[-LAST_LINES:])[-MOST_CHARACTERS:] or "(no output)"
