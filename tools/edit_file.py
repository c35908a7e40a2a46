"""The tool edit_file."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from kcode.tooling import Access, Edit, EditRefusedError, ToolResult, View, decode_text, show_ranges, tool, which_file

LINES_AROUND, MOST_LINES = 2, 24


class Replacement(TypedDict):
    old: Annotated[str, "text in the file now, copied exactly with its indentation, without line numbers"]
    new: Annotated[str, "text to put in its place"]
    replace_all: NotRequired[Annotated[bool, "replace every occurrence, not the only one"]]


@tool(Access.EDIT)
async def edit_file(
    view: View, path: Annotated[str, "file"], edits: Annotated[list[Replacement], "made together or not at all"]
) -> ToolResult:
    """Replace text in a file.

    Each `old` must stand in the file exactly once: take in as many lines around the place as that needs, no more. All
    edits refer to the file as it is before the call and must not overlap. The result shows the changed lines, so there
    is no need to read the file again.
    """
    name = which_file(view, path)
    wanted = [Edit(edit["old"], edit["new"], edit.get("replace_all", False)) for edit in edits]
    try:
        applied = view.edit(name, wanted)
    except EditRefusedError as refused:
        raise EditRefusedError(f"{name}: {refused}") from None
    lines = decode_text(applied.after).lines
    count = len(applied.places)
    shown = show_ranges(lines, applied.places, around=LINES_AROUND, most=MOST_LINES)
    where = ", ".join(_spell(first, last) for first, last in applied.places[:20]) + (" …" if count > 20 else "")
    summary = f"{name}: {count} place{'s' if count > 1 else ''}"
    return ToolResult(f"Changed {name} at {where}. It reads now:\n{shown or '(an empty file)'}", summary)


def _spell(first: int, last: int) -> str:
    if last < first:
        return f"line {first} (lines taken out)"
    return f"line {first}" if first == last else f"lines {first}-{last}"
