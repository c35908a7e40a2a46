"""The tool outline."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, ToolResult, View, cut_line, tool, which_file

MOST_DEFINITIONS = 300


@tool(Access.READ)
async def outline(view: View, path: Annotated[str, "source file"]) -> ToolResult:
    """List the classes and functions of a source file with their lines, to read only the part you need."""
    name = which_file(view, path)
    found = view.definitions(name)
    if found is None:
        return ToolResult(
            f"There is no outline for {name}: its language is not known here. "
            f"Use search with path={name!r} and a pattern such as '^ *(def|class|function|func|fn) '.",
            f"{name}: no outline",
        )
    if not found:
        return ToolResult(f"{name} defines nothing. Read it with read_file.", f"{name}: no definitions")
    width = max(len(f"{one.start}-{one.end}") for one in found)
    lines = [
        f"{f'{one.start}-{one.end}':>{width}}  {'  ' * one.depth}{cut_line(one.text.strip(), 200)}"
        for one in found[:MOST_DEFINITIONS]
    ]
    if len(found) > MOST_DEFINITIONS:
        lines.append(f"… {len(found) - MOST_DEFINITIONS} more: use search")
    return ToolResult("\n".join([f"{name}:", *lines]), f"{name}: {len(found)} definitions")
