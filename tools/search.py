"""The tool search."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

from kcode.tooling import Access, Match, ToolResult, View, cut_line, tool

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_MATCHES, MOST_CHARACTERS, LONGEST_LINE = 100, 16_000, 300


@tool(Access.READ)
async def search(
    view: View,
    pattern: Annotated[str, "regular expression"],
    path: Annotated[str, "folder or file to search"] = "",
    glob: Annotated[str, "only files with such names, as *.py"] = "",
    ignore_case: bool = False,
    context: Annotated[int, "lines to show around each match"] = 0,
) -> ToolResult:
    """Search the contents of files that git does not ignore. Gives `path:line: text`, at most 100 matches."""
    around = min(max(context, 0), 20)
    matches, more = await view.search(pattern, path, glob, ignore_case=ignore_case, context=around, limit=MOST_MATCHES)
    hits = [match for match in matches if not match.is_context]
    if not hits:
        return ToolResult(_nothing(pattern, path, glob, ignore_case), "no match")
    files = len({match.path for match in hits})
    count = f"{'more than ' if more else ''}{len(hits)} match{'es' if len(hits) > 1 else ''}"
    summary = f"{count} in {files} file{'s' if files > 1 else ''}"
    blocks = [_block(group) for _, group in groupby(matches, key=lambda match: match.path)]
    text = "\n\n".join(blocks) if around else "\n".join(blocks)
    note = ""
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS].rpartition("\n")[0]
        note = "\n… the rest is not shown: narrow it with path, glob or a longer pattern"
    elif more:
        note = "\n… there are more matches: narrow it with path, glob or a longer pattern"
    return ToolResult(f"{summary}:\n{text}{note}", summary)


def _block(matches: Iterable[Match]) -> str:
    """The lines of one file, with `--` where lines of context were left out between them."""
    lines: list[str] = []
    last: Match | None = None
    has_context = False
    for match in matches:
        has_context = has_context or match.is_context
        if last and has_context and match.line > last.line + 1:
            lines.append("--")
        sign = "-" if match.is_context else ":"
        lines.append(f"{match.path}{sign}{match.line}{sign} {cut_line(match.text, LONGEST_LINE)}")
        last = match
    return "\n".join(lines)


def _nothing(pattern: str, path: str, glob: str, ignore_case: bool) -> str:
    where = f" in {path}" if path else ""
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
