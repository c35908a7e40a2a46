"""The tool edit_file."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from kcode.tooling import Access, Edit, EditRefusedError, ToolResult, View, decode_text, show_ranges, tool, which_file

MOST_LINES, MOST_LINES_IN_ALL, MOST_SPELLED = 24, 60, 6


class Replacement(TypedDict):
    old: Annotated[str, "text in the file now, copied exactly with its indentation, without line numbers"]
    new: Annotated[str, "text to put in its place"]
    replace_all: NotRequired[Annotated[bool, "replace every occurrence; `old` may then stand there more than once"]]
    near_line: NotRequired[Annotated[int, "which one is meant, by its line, if `old` stands at several places"]]


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
    wanted = [Edit(edit["old"], edit["new"], edit.get("replace_all", False), edit.get("near_line")) for edit in edits]
    try:
        applied = view.edit(name, wanted)
    except EditRefusedError as refused:
        raise EditRefusedError(f"{name}: {refused}", refused.line) from None
    lines = decode_text(applied.after).lines
    count = len(applied.places)
    around = 2 if count <= 2 else 1 if count <= 8 else 0
    shown = show_ranges(lines, applied.places, around=around, most=MOST_LINES, most_in_all=MOST_LINES_IN_ALL)
    where = (
        ", ".join(_spell(first, last) for first, last in applied.places) if count <= MOST_SPELLED else f"{count} places"
    )
    summary = f"{name}: {count} place{'s' if count > 1 else ''}"
    by = f" by {len(wanted)} edits" if len(wanted) > 1 else ""
    remarks = "".join(f"\n{remark}" for remark in applied.remarks)
    return ToolResult(f"Changed {name}{by}: {where}. It reads now:\n{shown or '(an empty file)'}{remarks}", summary)


def _spell(first: int, last: int) -> str:
    if last < first:
        return f"lines taken out after line {last}" if last else "lines taken out at the top"
    return f"line {first}" if first == last else f"lines {first}-{last}"
