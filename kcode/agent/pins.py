"""Which files the user wants kept before the model's eyes, and which not: what a compaction makes of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kcode.context.budget import keep_start
from kcode.context.tokens import estimate_tokens
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Pins:
    """Paths as the model names them. What is `kept` is shown whole after a compaction, what is `dropped` not at all."""

    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def keep(self, path: str) -> Pins:
        """The path kept, after those that are."""
        free = self.release(path)
        return replace(free, kept=(*free.kept, path))

    def drop(self, path: str) -> Pins:
        """The path dropped."""
        free = self.release(path)
        return replace(free, dropped=(*free.dropped, path))

    def release(self, path: str) -> Pins:
        """The path neither kept nor dropped."""
        return Pins(tuple(one for one in self.kept if one != path), tuple(one for one in self.dropped if one != path))

    def others(self, paths: Iterable[str]) -> list[str]:
        """Those of the paths that the user said nothing about."""
        return [path for path in paths if path not in self.kept and path not in self.dropped]


def tell_pins(pins: Pins) -> str:
    """What the model is told of them when it writes its note; "" where there are none."""
    parts = []
    if pins.kept:
        parts.append(
            f"The user keeps these files at hand, and you will see their text again; do not copy it: {_names(pins.kept)}"
        )
    if pins.dropped:
        parts.append(
            f"The user says that these files are no longer needed; leave out their contents, keep what was changed in them and "
            f"what is open: {_names(pins.dropped)}"
        )
    return "".join(f"\n\n{part}" for part in parts)


def fit_pinned(files: Iterable[tuple[str, str]], tokens: int) -> str:
    """The files, path and text, each whole while they fit so many tokens; of the first that does not, the start."""
    parts: list[str] = []
    for path, text in files:
        head = f"{path} (kept by the user, as the draft has it now"
        size = estimate_tokens(text)
        if size <= tokens:
            parts.append(f"{head}):\n{text.rstrip()}")
            tokens -= size
            continue
        start = keep_start(text, tokens).rpartition("\n")[0]
        parts.append(f"{head}; only its start has room):\n{start}\n…" if start else f"{head}; no room for it)")
        tokens = 0
    return "\n\n".join(parts)


def _names(paths: Iterable[str]) -> str:
    return ", ".join(map(sanitize_line, paths))
