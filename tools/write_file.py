"""The tool write_file."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, TextFile, ToolError, ToolResult, View, decode_text, tool


@tool(Access.EDIT)
async def write_file(
    view: View, path: Annotated[str, "file"], content: Annotated[str, "the whole text, never shortened"]
) -> ToolResult:
    """Create a file, or replace all of it. To change a part of a file use edit_file."""
    name = view.relative(path)
    entry = view.entry(name)
    if entry is None:
        file = TextFile(content)
        view.write(name, file.encode(content))
        return ToolResult(f"Wrote the new file {name}: {_lines(file)}.", f"{name}: new, {_lines(file)}")
    if entry.kind == "folder":
        raise ToolError(f"{name or 'The workspace'} is a folder. Give the path of a file in it.")
    before_bytes = view.read(name)
    try:
        before = decode_text(before_bytes, lossy=True)
    except ToolError as error:
        raise ToolError(f"{name}: {error}. No file was changed. To replace it by text, delete_file it first.") from None
    raw, remark = content, ""
    if "\r\n" in before.raw and not before.is_mixed and "\r\n" not in content:
        raw, remark = content.replace("\n", "\r\n"), ", with CRLF line ends as before"
    if before.lossy:
        after, remark = TextFile(raw).encode(raw), ", now as UTF-8"
    else:
        after = before.encode(raw)
    if after == before_bytes:
        raise ToolError(f"{name} already has exactly this content. No file was changed. Go on.")
    view.write(name, after)
    now = TextFile(raw)
    text = f"Replaced {name}: {_lines(now)} instead of {len(before.lines)}{remark}."
    if len(now.lines) * 2 < len(before.lines) and len(before.lines) > 20:
        text += " It lost more than half of its lines: if something was left out by mistake, put it back."
    return ToolResult(text, f"{name}: {_lines(now)}")


def _lines(file: TextFile) -> str:
    count = len(file.lines)
    return "1 line" if count == 1 else f"{count} lines"
