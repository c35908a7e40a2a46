"""/doctor: whether kcode can work here, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.commands.front import Front

_MARKS = {"ok": "✓", "weak": "!", "bad": "✗"}


async def run(front: Front, words: str) -> None:
    del words
    findings = await front.examine()
    lines = [f"{_MARKS[level]} {name:<10} {text}" for level, name, text in findings]
    front.tell("\n".join(lines), "error" if any(level == "bad" for level, _, _ in findings) else "info")
