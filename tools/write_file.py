"""The tool write_file."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, TextFile, ToolError, ToolResult, View, decode_text, tool


@tool(Access.EDIT)
async def write_file(
    view: View, path: Annotated[str, "file"], content: Annotated[str, "the whole text, never shortened"]
) -> ToolResult:
    """Create a file, or replace all of one that you have read. To change a part of a file use edit_file."""
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
        before = decode_text(before_bytes)
    except ToolError as error:
        raise ToolError(f"{name}: {error}. No file was changed. To replace it by text, delete_file it first.") from None
    raw, remark = content, ""
    if "\r\n" in before.raw and "\r\n" not in content:
        raw, remark = _with_line_ends(before, content), ", with CRLF line ends as before"
    if before.has_unknown_bytes:
        if "\ufffd" in content:
            raise ToolError(
                f"{name} is not UTF-8, and \ufffd stands for bytes whose character is not known: writing it would lose them. "
                "No file was changed. Use edit_file, which leaves them as they are."
            )
        after, remark = TextFile(raw).encode(raw), f"{remark}, as UTF-8, which it was not before"
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


def _with_line_ends(before: TextFile, content: str) -> str:
    """The content with CRLF as before: where the file has both kinds, a line that it had keeps its own."""
    if not before.is_mixed:
        return content.replace("\n", "\r\n")
    own = {line.removesuffix("\r"): "\r\n" if line.endswith("\r") else "\n" for line in before.raw.split("\n")[:-1]}
    *lines, rest = content.split("\n")
    end, pieces = before.line_end, []
    for line in lines:
        end = own.get(line, end)
        pieces += [line, end]
    return "".join([*pieces, rest])


def _lines(file: TextFile) -> str:
    count = len(file.lines)
    return "1 line" if count == 1 else f"{count} lines"
