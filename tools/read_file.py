"""The tool read_file."""

from __future__ import annotations

from typing import Annotated

from kcode.tooling import Access, TextFile, ToolError, ToolResult, View, decode_text, number_lines, tool, which_file

MOST_LINES, MOST_CHARACTERS, MOST_BYTES = 400, 16_000, 10_000_000
# Where a command's whole output lies when it was too long to show.
OUTPUTS = "/tmp/kcode-output/"  # noqa: S108


@tool(Access.READ)
async def read_file(
    view: View,
    path: Annotated[str, "file"],
    start: Annotated[int | None, "first line, from 1"] = None,
    end: Annotated[int | None, "last line, included"] = None,
) -> ToolResult:
    """Read a text file, at most 400 lines a call.

    Lines are shown as `12→text`; number and arrow are not part of the file. Find the place with search or outline
    first, and read only what you need.
    """
    name, data = _bytes_of(view, path)
    try:
        file = decode_text(data)
    except ToolError as error:
        raise ToolError(
            f"{name}: {error} of {len(data):,} bytes and is not shown. Look at it with run_command (file, xxd | head)."
        ) from None
    lines = file.lines
    if not lines:
        return ToolResult(f"{name} is empty (0 bytes).", f"{name}: empty")
    first, last = _range(name, len(lines), start, end)
    shown, stop = _page(lines, first, last)
    view.note_shown(name, data, first, stop)
    text = f"{name}, lines {first}-{stop} of {len(lines)}{_remarks(file, stop == len(lines))}:\n" + "\n".join(shown)
    if stop < last:
        text += f"\n… lines {stop + 1}-{last} follow: read_file with start={stop + 1}"
    return ToolResult(text, f"{name}:{first}-{stop}")


def _bytes_of(view: View, path: str) -> tuple[str, bytes]:
    if path.startswith(OUTPUTS):
        return path, view.read(path)
    name = which_file(view, path)
    entry = view.entry(name)
    if entry is not None and entry.size is not None and entry.size > MOST_BYTES:
        raise ToolError(
            f"{name} has {entry.size:,} bytes, which is too much to read here. Use search with a path, "
            f"or run_command (sed -n '1,100p')."
        )
    return name, view.read(name)


def _range(name: str, count: int, start: int | None, end: int | None) -> tuple[int, int]:
    first = 1 if start is None else start
    last = count if end is None else min(end, count)
    if first < 0 and end is None:
        first = max(1, count + first + 1)
    if first > count:
        raise ToolError(f"{name} has only {count} lines. Choose start within 1-{count}.")
    first = max(first, 1)
    if last < first:
        raise ToolError(f"The range {start}-{end} of {name} is empty: end is before start. Lines count from 1.")
    return first, last


def _page(lines: list[str], first: int, last: int) -> tuple[list[str], int]:
    """As many numbered lines as go into one result, at least one, and the last one's number."""
    shown = number_lines(lines[first - 1 : min(last, first - 1 + MOST_LINES)], first)
    total, count = 0, 0
    for line in shown:
        total += len(line) + 1
        if count and total > MOST_CHARACTERS:
            break
        count += 1
    return shown[:count], first + count - 1


def _remarks(file: TextFile, to_the_end: bool) -> str:
    remarks = []
    if file.is_mixed:
        remarks.append("mixed CRLF and LF line ends")
    elif "\r\n" in file.raw:
        remarks.append(r"CRLF line ends, edit with plain \n")
    if file.has_unknown_bytes:
        remarks.append(
            "not UTF-8: unknown bytes are shown as \ufffd and stay as they are where edit_file is not told to "
            "change them"
        )
    elif file.encoding != "utf-8":
        remarks.append(file.encoding.upper())
    if to_the_end and not file.raw.endswith("\n"):
        remarks.append("no line end at the end")
    return "".join(f", {remark}" for remark in remarks)
