"""The tool list_files."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated

from kcode.tooling import Access, ToolError, ToolResult, View, compile_glob, nearest_paths, tool

MOST_NAMES = 200


@tool(Access.READ)
async def list_files(
    view: View,
    path: Annotated[str, "folder"] = "",
    depth: Annotated[int, "levels to open, else 2"] = 2,
    pattern: Annotated[str | None, "glob, as *.py or src/**/*.ts"] = None,
) -> ToolResult:
    """List the files below a folder as a tree, without those that git ignores.

    Deeper folders are shown with their number of files. With pattern: the paths of all files that match, at any depth.
    """
    folder = _folder(view, path)
    name = folder or "the workspace"
    files = view.files(folder)
    if pattern:
        return _matching(name, folder, files, pattern)
    inside = [file.removeprefix(f"{folder}/") if folder else file for file in files]
    ignored = _not_listed(view, folder, inside)
    if not files:
        what = f"only what git ignores: {ignored}" if ignored else "nothing"
        return ToolResult(f"{name} holds {what}.", f"{name}: no files")
    lines = next(
        (tree for level in range(max(depth, 1), 1, -1) if len(tree := _tree(inside, level)) <= MOST_NAMES),
        _tree(inside, 1),
    )
    text = f"{f'{folder}/' if folder else 'The workspace'} ({_count(files)})\n" + "\n".join(lines[:MOST_NAMES])
    if len(lines) > MOST_NAMES:
        text += f"\n… {len(lines) - MOST_NAMES} more names: give a pattern, or a path further down"
    if ignored:
        text += f"\nIgnored by git, not listed: {ignored}"
    return ToolResult(text, f"{name}: {_count(files)}")


def _folder(view: View, path: str) -> str:
    folder = view.relative(path)
    entry = view.entry(folder)
    if entry is None:
        parents = {file.rsplit("/", 1)[0] for file in view.files() if "/" in file}
        near = nearest_paths(folder, sorted(parents))
        hint = f"Did you mean {' or '.join(near)}?" if near else "Begin at the top: list_files without a path."
        raise ToolError(f"There is no folder {folder!r}. {hint}")
    if entry.kind != "folder":
        raise ToolError(f"{folder} is no folder but a {entry.kind}. Read it with read_file.")
    return folder


def _matching(name: str, folder: str, files: list[str], pattern: str) -> ToolResult:
    try:
        matcher = compile_glob(pattern)
    except ValueError as error:
        raise ToolError(f"{error}. Use *, ?, **, [abc] and {{a,b}}.") from None
    found = [
        file for file in files if matcher.fullmatch(file) or matcher.fullmatch(file.removeprefix(folder).lstrip("/"))
    ]
    if not found:
        return ToolResult(f"No file in {name} matches {pattern!r} ({_count(files)} looked at).", "no match")
    text = f"{_count(found)} in {name} matching {pattern!r}:\n" + "\n".join(found[:MOST_NAMES])
    if len(found) > MOST_NAMES:
        text += f"\n… {len(found) - MOST_NAMES} more: give a narrower pattern"
    return ToolResult(text, _count(found))


def _tree(files: list[str], depth: int) -> list[str]:
    """The names, two spaces deeper for each level; folders first at each level, those below `depth` as a count."""
    folders: dict[str, list[str]] = defaultdict(list)
    names: list[str] = []
    for file in files:
        top, slash, rest = file.partition("/")
        if slash:
            folders[top].append(rest)
        else:
            names.append(file)
    lines = []
    for folder, below in folders.items():
        lines.append(f"{folder}/ ({_count(below)})")
        if depth > 1:
            lines += [f"  {line}" for line in _tree(below, depth - 1)]
    return lines + names


def _not_listed(view: View, folder: str, files: list[str]) -> str:
    tops = {file.partition("/")[0] for file in files}
    names = [
        f"{name}/" if entry.kind == "folder" else name
        for entry in view.entries(folder)
        if (name := entry.path.rsplit("/", 1)[-1]) not in tops
    ]
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _count(files: list[str]) -> str:
    return "1 file" if len(files) == 1 else f"{len(files)} files"
