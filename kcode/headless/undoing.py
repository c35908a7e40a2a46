"""`kcode undo`, `kcode redo` and `kcode journal`: what was written to the user's files, and taking it back."""

from __future__ import annotations

import os
import posixpath
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.draft.entries import read_entries
from kcode.draft.hunks import propose
from kcode.draft.journal import changes_made, operations, plan_redo, plan_undo, reverse
from kcode.errors import RefusedError, UsageError
from kcode.headless.hunklist import fitted
from kcode.headless.pending import tell_settled
from kcode.headless.product import describe_size, show_again, with_consent
from kcode.headless.terminal import GREEN, YELLOW, Terminal
from kcode.sanitize import sanitize_line, sanitize_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from kcode.draft.entries import Entry
    from kcode.draft.operations import Operation
    from kcode.draft.reversal import Reversal
    from kcode.options import PlaceOptions
    from kcode.workspace import Workspace

    Plan = Callable[[Workspace, Path, int | None, Sequence[str]], Reversal]

EXIT_DECLINED, EXIT_NOTHING = 1, 3
_MOST_LISTED = 50


def undo_changes(place: PlaceOptions, words: Sequence[str], *, merge: bool = False) -> int:
    """Take back an operation of this workspace's journal, or a part of it."""
    return _reverse(place, plan_undo, words, merge=merge)


def redo_changes(place: PlaceOptions, words: Sequence[str], *, merge: bool = False) -> int:
    """Apply again what was undone."""
    return _reverse(place, plan_redo, words, merge=merge)


def list_operations(place: PlaceOptions, words: Sequence[str]) -> int:
    """Print what was written here, newest first, or each hunk of the operations with these numbers."""
    spot = open_place(place)
    tell_settled(spot, Terminal(os.environ))
    everything = operations(spot.journal)
    by_number = {str(operation.number): operation for operation in everything}
    unknown = [word for word in words if word not in by_number]
    if unknown:
        raise UsageError(f"{', '.join(unknown)} is no operation of this journal. kcode journal lists them.")
    lines = [line for word in words for line in _hunk_lines(spot.journal, by_number[word])]
    if not words:
        lines = [_line(entry) for entry in read_entries(spot.journal, _MOST_LISTED)]
        if len(everything) > len(lines):
            lines.append(f"      and {len(everything) - len(lines)} older")
    if not lines:
        Terminal(os.environ).say("Nothing was written here.", YELLOW)
        return EXIT_NOTHING
    columns = Terminal(os.environ).columns(sys.stdout)
    sys.stdout.write("".join(f"{fitted(line, columns)}\n" for line in lines))
    return 0


def take_back(
    terminal: Terminal, workspace: Workspace, journal: Path, reversal: Reversal, *, merge: bool = False
) -> Operation | None:
    """Write the undo or redo; None if the person at the terminal would not have it.

    One that is merged with what the user changed since is shown and asked for first; where nobody can be asked it needs
    `merge`, else RefusedError.
    """
    if reversal.merged and not merge:
        names = sanitize_names(sorted(reversal.merged))
        terminal.say(f"{names} changed since. Your changes stay, and the {reversal.kind} is:", YELLOW)
        show_again(reversal.proposal, terminal)
        if not terminal.has_person():
            raise RefusedError(
                f"{names} changed since, so the {reversal.kind} was merged with that, and nobody can be asked here. "
                f"Nothing was written. Is it right? Then add --merge: kcode {reversal.kind} --merge …"
            )
        if terminal.ask(f"{reversal.kind.capitalize()} like that?", "yn") != "y":
            terminal.say("Nothing was written.", YELLOW)
            return None
    return with_consent(terminal, lambda allowed: reverse(workspace, journal, reversal, allowed=allowed))


def _reverse(place: PlaceOptions, plan: Plan, words: Sequence[str], *, merge: bool) -> int:
    terminal = Terminal(os.environ)
    spot = open_place(place)
    tell_settled(spot, terminal)
    everything = operations(spot.journal)
    number = int(words[0]) if words and words[0] in {str(operation.number) for operation in everything} else None
    known = {path for operation in everything for path in operation.paths}
    names = [_from_root(word, spot.workspace.start, known) for word in words[number is not None :]]
    reversal = plan(spot.workspace, spot.journal, number, names)
    operation = take_back(terminal, spot.workspace, spot.journal, reversal, merge=merge)
    if operation is None:
        return EXIT_DECLINED
    word, more = ("Undone", " kcode redo brings it back.") if reversal.kind == "undo" else ("Redone", "")
    terminal.say(f"{word}: {sanitize_names(operation.paths)}.{more}", GREEN)
    return 0


def _from_root(word: str, start: str, known: Collection[str]) -> str:
    """A file or folder that was named from the folder that the user stands in, from the workspace's root."""
    inner = posixpath.normpath(posixpath.join(start, word))
    return inner if any(path == inner or path.startswith(f"{inner}/") for path in known) else word


def _line(entry: Entry) -> str:
    operation = entry.operation
    when = datetime.fromtimestamp(operation.when, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    what = operation.kind if operation.of is None else f"{operation.kind} of {operation.of}"
    state = "" if entry.standing == "reversal" else entry.standing
    size = f"{len(operation.files)} files, bytes lost" if entry.proposal is None else describe_size(entry.proposal)
    paths = sanitize_names(operation.paths, 3)
    return (
        f"{operation.number:>5}  {when}  {what:<12} {state:<13} {size:<18} {paths}  ({sanitize_line(operation.label)})"
    )


def _hunk_lines(journal: Path, operation: Operation) -> list[str]:
    """One line for each hunk and each file that was changed whole, by which undo knows them."""
    rows = []
    for change in propose(changes_made(journal, operation)).changes:
        path = sanitize_line(change.path)
        for hunk in change.hunks:
            size = f"+{len(hunk.new_lines)} -{len(hunk.old_lines)}"
            first = (hunk.new_lines or hunk.old_lines)[0].decode("utf-8", "replace").strip()
            rows.append((hunk.id, f"{path}:{max(hunk.new_start, 1)}", size, sanitize_line(first)[:60]))
        if not change.hunks:
            rows.append(("-", path, "whole", ""))
    wide = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows]
