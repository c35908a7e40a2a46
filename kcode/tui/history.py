"""What the user sent and what they have not sent yet, kept for each workspace in kcode's own state folder.

    typed/KEY/sent.jsonl           {"text": "…", "pastes": {"[paste 1: 240 lines]": "…"}}, the oldest first
    typed/KEY/unsent-SESSION.json  the same of what stands in the composer

It is a memory, not a record: what cannot be read or written is let be, since nobody should be kept from typing by it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kcode.tui.pastes import Pastes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST, _LARGEST_FILE, _LARGEST_ENTRY, _MOST_UNSENT = 1_000, 4_000_000, 200_000, 50


@dataclass(frozen=True, slots=True)
class Typed:
    """A text as it stood in the composer, with what its chips stand for."""

    text: str
    pastes: Pastes = field(default_factory=Pastes)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk through the history with the keys; `draft` is what stood there before, `place` counts back from the end."""

    entries: Sequence[Typed]
    draft: Typed
    place: int = 0

    @property
    def current(self) -> Typed:
        return self.entries[-self.place] if self.place else self.draft

    def older(self) -> Walk | None:
        """One step back; None at the first entry."""
        return Walk(self.entries, self.draft, self.place + 1) if self.place < len(self.entries) else None

    def newer(self) -> Walk | None:
        return Walk(self.entries, self.draft, self.place - 1) if self.place else None


class InputHistory:
    """Kept in `folder`, which several processes may use at a time: each sees what the others sent before it started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "sent.jsonl"
        self._entries: list[Typed] | None = None

    @property
    def entries(self) -> Sequence[Typed]:
        """The oldest first; of equal texts only the last."""
        if self._entries is None:
            self._entries = _distinct(_read_lines(self._path))
        return self._entries

    def add(self, typed: Typed) -> None:
        """Keep what was sent. One too large for a history stays in memory only."""
        if not typed.text.strip():
            return
        self._entries = _distinct([*self.entries, typed])
        line = _encode(typed)
        if len(line) > _LARGEST_ENTRY:
            return
        from kcode.draft.disk import append_line, locked, make_folder  # noqa: PLC0415 - after the first paint

        with contextlib.suppress(OSError):
            make_folder(self._folder)
            with locked(self._folder / "lock"):
                append_line(self._path, line)
                self._cut()

    def _cut(self) -> None:
        if self._path.stat().st_size <= _LARGEST_FILE:
            return
        kept, size = [], 0
        for entry in reversed(_distinct(_read_lines(self._path))):
            line = _encode(entry)
            size += len(line)
            if size > _LARGEST_FILE // 2:
                break
            kept.append(line)
        from kcode.draft.disk import write_whole  # noqa: PLC0415

        write_whole(self._path, b"".join(reversed(kept)))


class Unsent:
    """What stands in the composer of one session and was not sent."""

    def __init__(self, folder: Path, session: str) -> None:
        self._path = folder / f"unsent-{session}.json"

    def load(self) -> Typed | None:
        found = _read_lines(self._path)
        return found[0] if found else None

    def save(self, typed: Typed) -> None:
        """Keep it in the place of what was kept before; nothing where nothing stands there."""
        from kcode.draft.disk import make_folder, remove_file, write_whole  # noqa: PLC0415 - after the first paint

        with contextlib.suppress(OSError):
            if typed.text:
                make_folder(self._path.parent)
                if not self._path.exists():
                    self._forget_oldest()
                write_whole(self._path, _encode(typed))
            else:
                remove_file(self._path)

    def _forget_oldest(self) -> None:
        """Let go what was left in sessions that nobody came back to."""
        from kcode.draft.disk import remove_file  # noqa: PLC0415

        kept = sorted(self._path.parent.glob("unsent-*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[_MOST_UNSENT - 1 :]:
            remove_file(path)


def _encode(typed: Typed) -> bytes:
    entry: dict[str, Any] = {"text": typed.text}
    if pastes := typed.pastes.used_in(typed.text).contents:
        entry["pastes"] = dict(pastes)
    import json  # noqa: PLC0415 - after the first paint

    return json.dumps(entry).encode("ascii") + b"\n"


def _read_lines(path: Path) -> list[Typed]:
    try:
        if not path.is_file() or path.stat().st_size > 4 * _LARGEST_FILE:
            return []
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    return [typed for line in lines if (typed := _decode(line)) is not None]


def _decode(line: bytes) -> Typed | None:
    import json  # noqa: PLC0415 - after the first paint

    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    text = entry.get("text") if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text:
        return None
    pastes = entry.get("pastes", {})
    is_right = isinstance(pastes, dict) and all(isinstance(pasted, str) for pasted in pastes.values())
    return Typed(text, Pastes(pastes if is_right else {}))


def _distinct(entries: Sequence[Typed]) -> list[Typed]:
    last = {entry.text: number for number, entry in enumerate(entries)}
    return [entries[number] for number in sorted(last.values())][-_MOST:]
