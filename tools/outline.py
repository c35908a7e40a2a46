"""The tool outline."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, ToolResult, View, tool, which_file

MOST_DEFINITIONS = 300
HEADINGS = {".md": "^#", ".toml": r"^\[", ".ini": r"^\[", ".cfg": r"^\[", ".rst": r"^[=~-]{3,}$"}


@tool(Access.READ)
async def outline(view: View, path: Annotated[str, "source file"]) -> ToolResult:
    """List the classes, functions and top-level names of a source file with their lines, to read only what you need."""
    name = which_file(view, path)
    found = view.definitions(name)
    if found is None:
        headings = HEADINGS.get(f".{name.rpartition('.')[2]}", "^ *(def|class|function|func|fn) ")
        return ToolResult(
            f"There is no outline for {name}: its language is not known here. "
            f"Use search with path {name} and a pattern such as {headings}",
            f"{name}: no outline",
        )
    if not found:
        return ToolResult(f"{name} defines nothing. Read it with read_file.", f"{name}: no definitions")
    spans = [str(one.start) if one.start == one.end else f"{one.start}-{one.end}" for one in found[:MOST_DEFINITIONS]]
    width = max(map(len, spans))
    lines = [f"{span:>{width}}  {'  ' * one.depth}{one.text}" for span, one in zip(spans, found, strict=False)]
    if len(found) > MOST_DEFINITIONS:
        lines.append(f"… {len(found) - MOST_DEFINITIONS} more: use search")
    summary = f"{name}: {len(found)} definition{'s' if len(found) > 1 else ''}"
    return ToolResult("\n".join([f"{name}:", *lines]), summary)
