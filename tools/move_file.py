"""The tool move_file."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, ToolError, ToolResult, View, tool, which_file


@tool(Access.EDIT)
async def move_file(
    view: View, source: Annotated[str, "file"], target: Annotated[str, "new path, not yet there"]
) -> ToolResult:
    """Move or rename a file. It does not change what refers to it."""
    old, new = which_file(view, source), view.relative(target)
    entry = view.entry(new)
    if old == new:
        raise ToolError(f"Source and target are both {old}. No file was moved.")
    if entry is not None and entry.kind == "folder":
        raise ToolError(
            f"{new or 'The workspace'} is a folder. No file was moved. Give the whole new path, "
            f"as {f'{new}/' if new else ''}{old.rsplit('/', 1)[-1]}."
        )
    if entry is not None:
        raise ToolError(f"{new} is already there. No file was moved. Choose another target, or delete_file it first.")
    view.move(old, new)
    return ToolResult(f"Moved {old} to {new}. Search for what still refers to {old}.", f"{old} → {new}")
