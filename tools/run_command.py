"""The tool run_command."""

from __future__ import annotations

import signal
from typing import Annotated

from kcode.tooling import Access, CommandEnd, CommandResult, ToolError, ToolResult, View, tool, without_colors

LONGEST, MOST_CHANGED = 600, 30


@tool(Access.EXECUTE)
async def run_command(
    view: View,
    command: Annotated[str, "shell command, for sh"],
    seconds: Annotated[int, "time limit, at most 600"] = 120,
) -> ToolResult:
    """Run a shell command in the workspace, without network and without input.

    It can write to the workspace and to /tmp only. The project's .venv comes first on PATH. For tests use run_tests; to read, find or edit files use their tools.
    """
    if not command.strip():
        raise ToolError("`command` is empty. Give a shell command.")
    result = await view.run(command, float(min(max(seconds, 1), LONGEST)))
    parts = [_ending(result), without_colors(result.output).rstrip("\n") or "(no output)"]
    # A long output says itself where it was cut and what has the whole.
    if result.output_name and result.output_name not in result.output:
        parts.append(f"… that is not all: read_file {result.output_name} for the full output")
    if result.changed:
        names = ", ".join(result.changed[:MOST_CHANGED])
        rest = len(result.changed) - MOST_CHANGED
        parts.append(f"Changed files: {names}" + (f" and {rest} more" if rest > 0 else ""))
    went_well = result.end is CommandEnd.EXITED and result.exit_code == 0
    return ToolResult("\n".join(parts), _ending(result).rstrip(":."), went_well=went_well)


def _ending(result: CommandResult) -> str:
    time = f"{result.seconds:.1f} s"
    match result.end:
        case CommandEnd.TIMEOUT:
            return f"Stopped after {time}, before its end. Its output until then:"
        case CommandEnd.FLOOD:
            return f"Stopped after {time}: it wrote too much. The output's beginning and end:"
        case CommandEnd.CANCELLED:
            return f"Cancelled after {time}. Its output until then:"
        case CommandEnd.EXITED:
            pass
    if result.exit_code < 0:
        return f"Ended by {_signal(-result.exit_code)} after {time}:"
    return f"Exit code {result.exit_code} after {time}:"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
