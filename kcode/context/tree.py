"""The repository's files in a few lines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_AT_MOST = 4_000
FOLDERS, NAMES_PER_FOLDER = 30, 10


def render_tree(files: Sequence[str]) -> str:
    """All paths, grouped by folder, if that takes at most 4,000 characters; else the top two levels, with counts.

    A pure function of the paths: sorted input or not, the same set gives the same text.
    """
    if not files:
        return "(no files)"
    ordered = sorted(files)
    whole = _grouped(ordered)
    return whole if len(whole) <= ALL_AT_MOST else _two_levels(ordered)


def _grouped(files: Sequence[str]) -> str:
    folders: dict[str, list[str]] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
    return "\n".join(
        f"{folder + '/' if folder else './'}: {' '.join(names)}" for folder, names in sorted(folders.items())
    )


def _two_levels(files: Sequence[str]) -> str:
    top_files = [path for path in files if "/" not in path]
    counts = Counter(path.split("/", 1)[0] for path in files if "/" in path)
    lines = [_limited("./", top_files)] if top_files else []
    for folder in sorted(counts)[:FOLDERS]:
        inside = [path[len(folder) + 1 :] for path in files if path.startswith(f"{folder}/")]
        below = Counter(path.split("/", 1)[0] for path in inside if "/" in path)
        names = [f"{name}/ ({count})" for name, count in sorted(below.items())]
        names += [path for path in inside if "/" not in path]
        lines.append(_limited(f"{folder}/ ({counts[folder]} files)", names))
    if len(counts) > FOLDERS:
        lines.append(f"and {len(counts) - FOLDERS} more folders")
    return "\n".join(lines) + f"\n({len(files)} files in all; list_files shows more)"


def _limited(label: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_PER_FOLDER} more" if len(names) > NAMES_PER_FOLDER else ""
    return f"{label}: {' '.join(names[:NAMES_PER_FOLDER])}{more}"
