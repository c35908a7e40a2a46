"""The tool delete_file."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, ToolResult, View, tool, which_file


@tool(Access.EDIT)
async def delete_file(view: View, path: Annotated[str, "file"]) -> ToolResult:
    """Delete a file."""
    name = which_file(view, path)
    view.delete(name)
    return ToolResult(f"Deleted {name}.", name)
