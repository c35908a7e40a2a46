"""Taking apart what a test runner printed."""

from __future__ import annotations

import re


def count(text: str, *words: str) -> int:
    """The sum of the numbers before any of the words."""
    return sum(int(number) for number in re.findall(rf"\b(\d+) (?:{'|'.join(words)})\b", text))


def named(text: str, word: str) -> int:
    """The sum of the numbers after `word:` or `word=`."""
    return sum(int(number) for number in re.findall(rf"\b{word}\s*[:=]\s*(\d+)", text))


def lines_like(pattern: str, text: str) -> list[str]:
    return [match[0] for match in re.finditer(pattern, text, re.MULTILINE)]


def sections(header: str, end: str, text: str) -> list[tuple[str, str]]:
    """(name, text) of each section: from a line that matches `header` to the next one or one that matches `end`."""
    found: list[tuple[str, str]] = []
    name, kept = "", list[str]()
    for line in text.split("\n"):
        match = re.match(header, line)
        if match or re.match(end, line):
            if name:
                found.append((name, "\n".join(kept)))
            name, kept = (match[1] if match else ""), []
        elif name:
            kept.append(line)
    if name:
        found.append((name, "\n".join(kept)))
    return found
