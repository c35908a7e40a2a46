"""The project's and the user's own instructions to the model: AGENTS.md and its friends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# In one folder the first of these counts; the others are usually copies or links to it.
NAMES = ("AGENTS.md", "CLAUDE.md", "GEMINI.md")
LIMIT = 32 * 1024
_TAGS = range(0xE0000, 0xE0080)


@dataclass(frozen=True, slots=True)
class Instructions:
    """One instruction file: where it stands, as the model is told, and its text."""

    origin: str
    text: str


def find_instructions(root: Path, start: str, config_folder: Path) -> tuple[list[Instructions], list[str]]:
    """Read the instructions for a session that starts in `start`: the user's own first, then from root downwards.

    Also returns warnings for the user: a file that cannot be read, that holds invisible characters (it is left out),
    or that is too long (all is kept, since a silent cut could drop the one rule that matters).
    """
    folders = [root]
    for part in Path(start).parts:
        folders.append(folders[-1] / part)
    own = _first_of(config_folder, ("AGENTS.md",))
    places = [(own, "the user's own instructions")] if own else []
    for folder in folders:
        found = _first_of(folder, NAMES)
        if found:
            places.append((found, found.relative_to(root).as_posix()))
    return _read(places, root)


def _first_of(folder: Path, names: Iterable[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read(places: list[tuple[Path, str]], root: Path) -> tuple[list[Instructions], list[str]]:
    found, warnings = [], []
    for path, origin in places:
        real = path.resolve()
        if origin == path.name and not real.is_relative_to(root):
            warnings.append(f"{origin} is a link that leads out of the workspace; it is left out.")
            continue
        try:
            data = real.read_bytes()
        except OSError as error:
            warnings.append(f"{origin} cannot be read ({error.strerror}); it is left out.")
            continue
        text = data.decode("utf-8", "replace").strip()
        if any(ord(character) in _TAGS for character in text):
            # Unicode tag characters are invisible everywhere and have been used to hide orders to a model.
            warnings.append(f"{origin} holds invisible tag characters; it is left out.")
            continue
        if len(data) > LIMIT:
            warnings.append(f"{origin} has {len(data):,} bytes; more than {LIMIT:,} costs window in every request.")
        if text:
            found.append(Instructions(origin, text))
    return found, warnings


def render_instructions(instructions: Iterable[Instructions]) -> str:
    """The instructions as one part of the system prompt; empty when there are none."""
    parts = [f"## From {item.origin}\n\n{item.text}" for item in instructions]
    if not parts:
        return ""
    return "# Instructions for this project (a later one wins over an earlier one)\n\n" + "\n\n".join(parts) + "\n"
