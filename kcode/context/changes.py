"""What became otherwise around a conversation since its last turn: git's state, files and instructions. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.context.budget import keep_start
from kcode.context.tokens import estimate_tokens
from kcode.sanitize import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.context.instructions import Instructions
    from kcode.snapshot import Snapshot

_MOST_FILES = 30
_GONE = "deleted"

Stamp = tuple[int, int] | None
"""A file's size and time; None for one that is not there."""


@dataclass(frozen=True, slots=True)
class Situation:
    """The workspace at one moment: `states` are git's two letters of each path that differs, `stamps` those files'."""

    branch: str = ""
    commits: tuple[str, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    instructions: Mapping[str, str] = field(default_factory=dict)


def states_of(snapshot: Snapshot) -> dict[str, str]:
    """Git's two letters for each path of the status."""
    return {line[3:].rpartition(" -> ")[2]: line[:2] for line in snapshot.status}


def texts_of(instructions: Iterable[Instructions]) -> dict[str, str]:
    """The text of each instruction file by where it comes from."""
    return {one.origin: one.text for one in instructions}


def changed_paths(before: Situation, after: Situation) -> list[str]:
    """The files that differ from their last commit in another way than before, or were saved again; sorted."""
    return sorted(path for path in before.states.keys() | after.states.keys() if _differs(before, after, path))


def _differs(before: Situation, after: Situation, path: str) -> bool:
    if before.states.get(path) != after.states.get(path):
        return True
    return path in before.stamps and path in after.stamps and before.stamps[path] != after.stamps[path]


def describe_changes(before: Situation, after: Situation, files: Mapping[str, str], tokens: int) -> str:
    """What is to be told in at most about so many tokens; "" for nothing.

    `files` are the paths to be told of, each with what became of it.
    """
    lines = []
    if before.branch != after.branch:
        lines.append(f"- The git branch is {sanitize_line(after.branch)}; it was {sanitize_line(before.branch)}.")
    fresh = [line for line in after.commits if line not in before.commits]
    lines += [f"- New commit: {sanitize_line(line)}" for line in fresh]
    lines += [f"- {sanitize_line(path)}: {how}" for path, how in [*files.items()][:_MOST_FILES]]
    if len(files) > _MOST_FILES:
        lines.append(f"- and {len(files) - _MOST_FILES} more files")
    told = keep_start("\n".join(lines), tokens)
    texts = [told] if told else []
    left = tokens - estimate_tokens(told)
    for origin in sorted(before.instructions.keys() | after.instructions.keys()):
        text = after.instructions.get(origin)
        if text == before.instructions.get(origin):
            continue
        one = _instruction(origin, text, max(left, 0))
        texts.append(one)
        left -= estimate_tokens(one)
    return "\n".join(texts)


def _instruction(origin: str, text: str | None, tokens: int) -> str:
    if text is None:
        return f"- The instructions from {origin} are gone; they no longer hold."
    if estimate_tokens(text) > tokens:
        return f"- The instructions from {origin} were changed; read them again, since they hold as they stand there."
    return f"- The instructions from {origin} were changed. They read:\n{text}"


def how_it_changed(before: str | None, after: str | None, *, is_there: bool) -> str:
    """What became of a file, by git's letters for it."""
    if not is_there:
        return _GONE
    if after is None:
        return "as in the last commit" if before is not None else "saved"
    return "new" if "?" in after or "A" in after else "changed"
