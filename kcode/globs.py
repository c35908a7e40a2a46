"""File name patterns as ripgrep's `--glob` reads them, for what runs without ripgrep."""

from __future__ import annotations

import re


def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole relative paths. Raises ValueError for an unclosed `[` or `{`.

    A pattern without `/` is about a name at any depth, one with `/` about the path from the top. `*` and `?` stay
    within a name, `**` crosses folders, `{a,b}` is either.
    """
    body = pattern.removeprefix("/")
    prefix = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
    suffix = "(?:/.*)?" if not body.endswith("/") else ".*"
    try:
        return re.compile(prefix + _translate(body) + suffix, re.DOTALL)
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is not valid: {error}") from None


def _translate(pattern: str) -> str:
    out, at, depth = [], 0, 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/"):
            piece, length = "(?:.*/)?", 3
        elif rest.startswith("**"):
            piece, length = ".*", 2
        elif rest.startswith("["):
            piece, length = _bracket(rest)
        elif rest.startswith("{"):
            piece, length, depth = "(?:", 1, depth + 1
        elif depth and rest.startswith("}"):
            piece, length, depth = ")", 1, depth - 1
        elif depth and rest.startswith(","):
            piece, length = "|", 1
        elif rest.startswith("\\") and len(rest) > 1:
            piece, length = re.escape(rest[1]), 2
        else:
            piece, length = {"*": "[^/]*", "?": "[^/]"}.get(rest[0], re.escape(rest[0])), 1
        out.append(piece)
        at += length
    if depth:
        raise ValueError(f"the pattern {pattern!r} has a '{{' without '}}'")
    return "".join(out)


def _bracket(rest: str) -> tuple[str, int]:
    end = rest.find("]", 3 if rest[1:2] in {"!", "^"} else 2)
    if end < 0:
        raise ValueError(f"the pattern has a '[' without ']': {rest!r}")
    inner = rest[1:end]
    negated = inner[:1] in {"!", "^"}
    members = (inner[1:] if negated else inner).replace("\\", r"\\").replace("[", r"\[")
    return (f"[^/{members}]" if negated else f"[{members}]"), end + 1
