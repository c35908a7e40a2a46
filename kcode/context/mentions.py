"""What a request names outright: paths, places in stack traces, and identifiers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# A name that stands for so many files or more means none of them.
_TOO_MANY = 4
# No path in a repository is deeper.
_MOST_PARTS = 40
_FRAME = re.compile(
    r"""File\ "(?P<python>[^"\n]{1,1000})",\ line\ (?P<python_line>\d+)
    |(?P<path>(?<![\w@+~.\-/\\])[\w@+~.\-/\\]{0,500}\w\.\w{1,20})(?:[:(](?P<line>\d+))""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"`{1,3}([^`\n]{1,100})`")
_CALLED = re.compile(r"\b([^\W\d]\w*)\(")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
# An inner capital or an underscore: no word of prose.
_COMPOUND = re.compile(r"\w[_]\w|[a-z0-9][A-Z]|[A-Z]{2,}[a-z]")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Paths in the order in which the request names them, each with the lines that it names there; and identifiers."""

    paths: dict[str, tuple[int, ...]]
    names: tuple[str, ...]


def find_mentions(request: str, paths: Iterable[str]) -> Mentions:
    """Read a request for names of these paths: whole, from any folder on, or a file's name alone where few have it."""
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rpartition("/")[2].lower(), []).append(path)
    found: dict[str, tuple[int, ...]] = {}
    lines: dict[str, set[int]] = {}
    for match in _FRAME.finditer(request):
        named, line = match["python"] or match["path"], match["python_line"] or match["line"]
        for path in _resolve(named, by_name):
            lines.setdefault(path, set()).add(int(line[:9]))
    for match in re.finditer(r"[^\s\"'`<>|()\[\]{},;:=*]+", request):
        for path in _resolve(match.group().rstrip(".!?"), by_name):
            found.setdefault(path, ())
    for path in lines:
        found.setdefault(path, ())
    return Mentions(
        {path: tuple(sorted(lines.get(path, ()))) for path in found}, tuple(dict.fromkeys(_identifiers(request)))
    )


def _resolve(named: str, by_name: dict[str, list[str]]) -> list[str]:
    """The files that a path means, in whatever folder it was written down; none for one that could be many."""
    whole = named.replace("\\", "/").removeprefix("./").strip("/")
    name = whole.rpartition("/")[2]
    there = by_name.get(name.lower(), [])
    # A bare word is a word; a name with an ending, or one that stands behind a folder's, is a file's.
    if not there or ("." not in name.strip(".") and "/" not in whole):
        return []
    parts = whole.split("/")[-_MOST_PARTS:]
    # Absolute paths, and those of another machine, begin with folders that are not in the repository.
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        fitting = [path for path in there if path == tail or path.endswith(f"/{tail}")]
        if fitting:
            exact = [path for path in fitting if path == tail]
            return exact or (fitting if len(fitting) < _TOO_MANY else [])
    return there if len(there) < _TOO_MANY and len(parts) == 1 else []


def _identifiers(request: str) -> list[str]:
    """What is quoted as code, called with parentheses, or has an identifier's form."""
    found = [name for quoted in _QUOTED.findall(request) for name in _IDENTIFIER.findall(quoted)]
    found += _CALLED.findall(request)
    found += [word for word in _IDENTIFIER.findall(request) if _COMPOUND.search(word)]
    return [name for name in found if len(name) > 2]
