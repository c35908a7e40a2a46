"""What no edit may bring into a file, or take from it, however well it matches."""

from __future__ import annotations

import re
from collections import Counter

# What a line is worth without the signs of a comment.
_COMMENT = re.compile(r"^(?:[\s(\[{]|//+|#+|/?\*+|--+|;+|%+|<!--|\"\"\"|''')+|(?:[\s)\]}]|\*+/|--+>|\"\"\"|''')+$")
_WHAT = re.compile(
    r"code|lines?|methods?|functions?|class(?:es)?|imports?|contents?|file|implementation|logic|body|tests?|fields?|"
    r"property|properties|definitions?|rules?|styles?|markup|html|css|sections?|config(?:uration)?|parts?|text|items?|"
    r"entries|components?"
)
_WHICH = re.compile(r"rest|existing|remaining|remainder|unchanged|previous|other|same|omitted|unmodified|original")
_FILLER = re.compile(r"the|all|keep|and|your|any|with|of|no")
_AS_IT_WAS = re.compile(r"unchanged|same|omitted")
_MOST_WORDS = 8
_DOTS = re.compile(r"^(?:\.{3,}|…)|(?:\.{3,}|…)$")
# How kcode's own tools say that they left something out of what they show.
_OWN = re.compile(
    r"… \[cut: the line has [\d,]+ characters\]|^… lines \d+-\d+ (?:not shown|follow)|^… not shown: lines \d"
)
_MARKER = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: .*)?$")
_SOME_LINES = 20


def find_placeholder(new: str, old: str) -> str | None:
    """A line of `new` that only says that text was left out, and that `old` does not have; None if there is none.

    That is a line with dots at one end and words such as "rest of the code", or what kcode's own tools write.
    """
    if "..." not in new and "…" not in new:
        return None
    had = {line.strip() for line in old.split("\n")}
    return next((line for line in map(str.strip, new.split("\n")) if line not in had and _is_placeholder(line)), None)


def _is_placeholder(line: str) -> bool:
    if _OWN.search(line):
        return True
    if len(line) > 120:
        return False
    said = _COMMENT.sub("", line)
    # Without the signs of a comment or a bracket, dots at the end alone are how people write, as in "Other files ...".
    if (
        not _DOTS.search(said)
        or (said == line and not said.startswith((".", "…")))
        or re.search(r"[=;\"'`]|\w\(", said)
    ):
        return False
    words = re.findall(r"\w+", said.lower())
    telling = [word for word in words if not _FILLER.fullmatch(word)]
    if not telling or len(words) > _MOST_WORDS:
        return False
    if _WHICH.fullmatch(telling[0]):
        return len(telling) == 1 or any(map(_WHAT.fullmatch, telling))
    return bool(_WHAT.fullmatch(telling[0])) and any(map(_AS_IT_WAS.fullmatch, telling))


def find_conflict_marker(new: str, old: str) -> str | None:
    """A line of `new` that marks a merge conflict, of a kind that `old` has fewer of; None if there is none."""
    if not re.search(r"<{7}|>{7}|\|{7}", new):
        return None
    had = Counter(line[:7] for line in old.split("\n") if _MARKER.match(line))
    for line in new.split("\n"):
        if _MARKER.match(line):
            had[line[:7]] -= 1
            if had[line[:7]] < 0:
                return line
    return None


def empties(before: str, after: str) -> bool:
    """Whether an edit leaves nothing but blanks of a file of more than 20 lines."""
    return before.count("\n") > _SOME_LINES and not after.strip()
