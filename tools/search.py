"""The tool search."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Annotated

from kcode.tooling import Access, Match, ToolResult, View, compile_glob, cut_line, tool

MOST_MATCHES, MOST_AROUND, MOST_CHARACTERS, LONGEST_LINE = 100, 20, 16_000, 300


@tool(Access.READ)
async def search(
    view: View,
    pattern: Annotated[str, "regular expression (Rust's, as in ripgrep)"],
    path: Annotated[str, "folder or file to search"] = "",
    glob: Annotated[str, "only files with such names, as *.{py,md}"] = "",
    ignore_case: bool = False,
    context: Annotated[int, "lines to show around each match, at most 20"] = 0,
) -> ToolResult:
    """Search the lines of files that git does not ignore.

    Gives each file's path, below it `12: text` for a match and `12- text` for context; at most 100 matches and
    16,000 characters.
    """
    around = min(max(context, 0), MOST_AROUND)
    matches, more = await view.search(pattern, path, glob, ignore_case=ignore_case, context=around, limit=MOST_MATCHES)
    hits = [match for match in matches if not match.is_context]
    if not hits:
        return ToolResult(_nothing(view, pattern, path, glob, ignore_case), "no match")
    files = len({match.path for match in hits})
    count = f"{'more than ' if more else ''}{len(hits)} match{'es' if len(hits) > 1 else ''}"
    summary = f"{count} in {files} file{'s' if files > 1 else ''}"
    text = "\n".join(_block(path, list(group)) for path, group in groupby(matches, key=lambda match: match.path))
    note = ""
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS].rpartition("\n")[0]
        note = "\n… the rest is not shown: narrow it with path, glob or a longer pattern"
        note += ", or ask for less context" if around else ""
    elif more:
        note = "\n… there are more matches: narrow it with path, glob or a longer pattern"
    return ToolResult(f"{summary}:\n{text}{note}", summary)


def _block(path: str, matches: list[Match]) -> str:
    """The path and the lines found in it, with `--` where lines of context were left out between them."""
    width = len(str(matches[-1].line))
    has_context = any(match.is_context for match in matches)
    lines = [path]
    last = matches[0].line
    for match in matches:
        if has_context and match.line > last + 1:
            lines.append(f"  {'--':>{width}}")
        sign = "-" if match.is_context else ":"
        lines.append(f"  {match.line:>{width}}{sign} {cut_line(match.text, LONGEST_LINE)}")
        last = match.line
    return "\n".join(lines)


def _nothing(view: View, pattern: str, path: str, glob: str, ignore_case: bool) -> str:
    where = f" in {path}" if path else ""
    if glob and not glob.startswith("!") and _is_folder(view, path) and not _named(view, path, glob):
        return f"No file{where} is named {glob}, so nothing was searched. Next: search without glob."
    names = f" in files named {glob}" if glob else ""
    hints = []
    if re.search(r"[()\[\]{}.*+?^$|]", pattern):
        hints.append(
            "the pattern is a regular expression, so put a backslash before ( ) [ ] { } . * + ? ^ $ | to mean them"
        )
    if not ignore_case and pattern.lower() != pattern.upper():
        hints.append("try ignore_case")
    if path or glob:
        hints.append("search without path and glob")
    hints.append("try a shorter part of a name")
    return f"No line matches {pattern!r}{where}{names}. Next: {'; '.join(hints)}."


def _is_folder(view: View, path: str) -> bool:
    entry = view.entry(path)
    return entry is not None and entry.kind == "folder"


def _named(view: View, path: str, glob: str) -> bool:
    """Whether any file below the folder has such a name."""
    return any(map(compile_glob(glob).fullmatch, view.files(path)))
