"""The project's and the user's own instructions to the model: AGENTS.md and its friends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.workspace import is_git_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# In one folder the first of these counts; the others are usually copies or links to it.
NAMES = ("AGENTS.md", "CLAUDE.md", "GEMINI.md")
LIMIT = 32 * 1024
# No window holds more than this.
_BIGGEST = 1 << 20
# Invisible, or turning the reading order round, and so used to hide orders to a model from whoever reads the file: tags,
# zero-width blanks, bidirectional controls. The joiners that some scripts and emoji need are not among them.
_HIDING = re.compile("[\U000e0000-\U000e007f\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Instructions:
    """One instruction file: where it stands, as the model is told, and its text."""

    origin: str
    text: str


def find_instructions(root: Path, start: str, config_folder: Path) -> tuple[list[Instructions], list[str]]:
    """Read the instructions for a session that starts in `start`: the user's own first, then from root downwards.

    Also returns warnings for the user: a file that cannot be read, that is no text, or that hides part of its text is
    left out; one that is too long is kept whole, since a silent cut could drop the one rule that matters.
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


def find_nested(root: Path, start: str, path: str, among: Collection[str]) -> tuple[list[Instructions], list[str]]:
    """The instructions of the folders that a path lies in, or of the folder itself, but for those of `start` and above.

    Only files `among` these are read. Also returns warnings for the user, as `find_instructions` does.
    """
    parts = Path(path).parts
    folders = [Path(*parts[: depth + 1]) for depth in range(len(parts))]
    places = []
    for folder in folders:
        if folder == Path(start) or folder in Path(start).parents:
            continue
        found = _first_of(root / folder, NAMES)
        if found and (origin := found.relative_to(root).as_posix()) in among:
            places.append((found, origin))
    return _read(places, root)


def _first_of(folder: Path, names: Iterable[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _read(places: list[tuple[Path, str]], root: Path) -> tuple[list[Instructions], list[str]]:
    found, warnings = [], []
    for path, origin in places:
        real = path.resolve()
        inside = path.is_relative_to(root)
        if inside and (not real.is_relative_to(root) or is_git_path(real.relative_to(root).as_posix())):
            warnings.append(f"{origin} is a link that leads out of the workspace; it is left out.")
            continue
        try:
            with real.open("rb") as file:
                data = file.read(_BIGGEST + 1)
        except OSError as error:
            warnings.append(f"{origin} cannot be read ({error.strerror}); it is left out.")
            continue
        text = data.decode("utf-8", "replace").strip()
        if problem := _problem(data, text):
            warnings.append(f"{origin} {problem}; it is left out.")
            continue
        if len(data) > LIMIT:
            warnings.append(f"{origin} has {len(data):,} bytes; more than {LIMIT:,} costs window in every request.")
        if text:
            found.append(Instructions(origin, text))
    return found, warnings


def _problem(data: bytes, text: str) -> str:
    if len(data) > _BIGGEST:
        return f"has more than {_BIGGEST:,} bytes, which no window holds"
    if b"\0" in data:
        return "is not text"
    hiding = _HIDING.search(text)
    return f"holds characters that hide text from you, such as U+{ord(hiding.group()):04X}" if hiding else ""


def render_instructions(instructions: Iterable[Instructions]) -> str:
    """The instructions as one part of the system prompt; empty when there are none."""
    parts = [f"## From {item.origin}\n\n{item.text}" for item in instructions]
    if not parts:
        return ""
    return "# Instructions for this project (a later one wins over an earlier one)\n\n" + "\n\n".join(parts) + "\n"
