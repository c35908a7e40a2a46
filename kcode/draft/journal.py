"""Writes the user's files, as nothing else in kcode does: all files of an operation or none, undoable, crash-safe.

The order is: bytes before and after → intent → each file → end; each of these is on the disk before the next begins. What
a crash leaves is settled by the next call: files that are in their `before` or `after` state are put back, or the
operation counts as done if all were written; a file in any third state is left alone and named.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.draft.execution import ADVICE, run, settle, state_of
from kcode.draft.history import History
from kcode.draft.operations import FileRecord, Image, Operation, all_undone, in_force, undone
from kcode.draft.placement import look
from kcode.draft.plan import folders_to_empty, folders_to_make, plan_back, plan_changes, readable
from kcode.draft.reversal import Reversal, changes_of, find_operation, plan_reversal, with_number
from kcode.errors import DraftError, StaleError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import Literal

    from kcode.draft.files import Change, FileState
    from kcode.draft.plan import Target
    from kcode.workspace import Workspace


def apply_changes(
    workspace: Workspace,
    journal_folder: Path,
    changes: Iterable[Change],
    label: str,
    *,
    allowed: Collection[str] = (),
) -> Operation:
    """Write the changes to the user's files; read-only ones only if their paths are among the `allowed`.

    StaleError names files that are not in their `before` state; RefusedError says what kcode may not write; DraftError
    says what failed. After any of them the files are as they were.
    """
    with _opened(workspace, journal_folder) as history:
        targets = plan_changes(workspace, changes, allowed)
        operation = replace(
            _intend(workspace, history, targets),
            label=label,
            made=folders_to_make(workspace.root, targets),
            emptied=folders_to_empty(workspace, targets),
        )
        done = run(workspace.root, history, operation)
        with contextlib.suppress(OSError):  # The files are written; old bytes that stay a while longer are no failure.
            history.prune()
        return done


def plan_undo(
    workspace: Workspace, journal_folder: Path, number: int | None = None, words: Sequence[str] = ()
) -> Reversal:
    """What taking back an operation would write: the newest in force, or the one with this number.

    `words` name files or hunks of it, as `select_hunks` reads them; without a number the newest that has them is meant.
    What was changed since is merged; StaleError where that would lose it, DraftError where there is nothing to take back.
    """
    with _opened(workspace, journal_folder) as history:
        everything = history.operations()
        candidates = in_force(everything)
        if number is not None:
            candidates = with_number(candidates, everything, number)
            if not candidates:
                raise DraftError(
                    f"Operation {number} is not in force, so it cannot be undone. kcode journal lists all."
                )
        if not candidates:
            raise DraftError(f"kcode has applied nothing in {workspace.root} that could be undone.")
        operation, part = find_operation(candidates, number, words, lambda image: state_of(history, image))
        return _plan(workspace, history, "undo", operation, part)


def plan_redo(
    workspace: Workspace, journal_folder: Path, number: int | None = None, words: Sequence[str] = ()
) -> Reversal:
    """What doing again would write: the newest undo since the last apply, or that of this number. As for plan_undo."""
    with _opened(workspace, journal_folder) as history:
        everything = history.operations()
        candidates = undone(everything) if number is None else with_number(all_undone(everything), everything, number)
        if not candidates:
            what = f"Operation {number} was not undone" if number is not None else "Nothing was undone"
            raise DraftError(f"{what} in {workspace.root}, so it cannot be done again. kcode journal lists all.")
        operation, part = find_operation(candidates, number, words, lambda image: state_of(history, image))
        return _plan(workspace, history, "redo", operation, part)


def reverse(
    workspace: Workspace, journal_folder: Path, reversal: Reversal, *, allowed: Collection[str] = ()
) -> Operation:
    """Write what the undo or redo was planned to; StaleError if it would be something else by now.

    The exact bytes and permissions come back. Errors as for apply_changes.
    """
    with _opened(workspace, journal_folder) as history:
        everything = history.operations()
        candidates = in_force(everything) if reversal.kind == "undo" else all_undone(everything)
        undo_of = reversal.operation
        if undo_of.number not in {operation.number for operation in candidates} or reversal != _plan(
            workspace, history, reversal.kind, undo_of, reversal.part
        ):
            raise StaleError(
                f"Files or the journal changed just now, so the {reversal.kind} would not be what was shown. "
                "Nothing was written; try again."
            )
        targets = plan_back(workspace, undo_of, reversal.changes, allowed, exact=not reversal.part)
        operation = replace(
            _intend(workspace, history, targets),
            kind=reversal.kind,
            label=undo_of.label,
            of=undo_of.number,
            part=tuple(sorted(reversal.part)),
            made=folders_to_make(workspace.root, targets, undo_of.emptied),
            emptied=tuple(f for f in undo_of.made[::-1] if f"{f.path}/" != f"{workspace.start}/"[: len(f.path) + 1]),
        )
        return run(workspace.root, history, operation)


def undo(workspace: Workspace, journal_folder: Path) -> Operation:
    """Take the newest operation in force back, merged with what was changed since."""
    return reverse(workspace, journal_folder, plan_undo(workspace, journal_folder))


def redo(workspace: Workspace, journal_folder: Path) -> Operation:
    """Take the newest undo back, unless something was applied since."""
    return reverse(workspace, journal_folder, plan_redo(workspace, journal_folder))


def operations(journal_folder: Path) -> list[Operation]:
    """All that the journal remembers, oldest first."""
    if not journal_folder.exists():
        return []
    with _explained(journal_folder):
        return History(journal_folder).operations()


def changes_made(journal_folder: Path, operation: Operation) -> list[Change]:
    """What an operation did to each path; DraftError when its bytes are no longer kept."""
    with _explained(journal_folder):
        history = History(journal_folder)
        return changes_of(operation, lambda image: state_of(history, image))


def recover(workspace: Workspace, journal_folder: Path) -> list[Operation]:
    """Settle what a crash left unfinished; returns those operations, each "done" or "rolled back".

    The files in `left` were changed by somebody else and were not touched; the user wants to know them.
    """
    if not any(operation.state == "pending" for operation in operations(journal_folder)):
        return []
    with _locked(workspace, journal_folder) as history:
        return settle(workspace.root, history)


@contextlib.contextmanager
def _opened(workspace: Workspace, journal_folder: Path) -> Iterator[History]:
    """The locked journal, in which nothing is unfinished."""
    with _locked(workspace, journal_folder) as history:
        settle(workspace.root, history)
        yield history


@contextlib.contextmanager
def _locked(workspace: Workspace, journal_folder: Path) -> Iterator[History]:
    with _explained(journal_folder):
        history = History(journal_folder)
        with history.locked():
            for operation in history.operations():
                if operation.root != str(workspace.root):
                    raise DraftError(f"The journal in {journal_folder} is for {operation.root}, not {workspace.root}.")
            yield history


@contextlib.contextmanager
def _explained(journal_folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, "")
        raise DraftError(
            f"The journal in {journal_folder} cannot be used: {error.strerror}. No file was changed.{advice}"
        ) from error


def _plan(
    workspace: Workspace,
    history: History,
    kind: Literal["undo", "redo"],
    operation: Operation,
    part: frozenset[str],
) -> Reversal:
    written: dict[str, Image | None] = {}
    for other in history.operations():
        if other.state == "done":
            written |= {file.real: file.after for file in other.files}
    present = {}
    for file in operation.files:
        with readable(file.path):
            present[file.path] = look(workspace.root, file.real).state
    last = {file.path: written[file.real] for file in operation.files}
    return plan_reversal(kind, operation, part, lambda image: state_of(history, image), present, last)


def _intend(workspace: Workspace, history: History, targets: Sequence[Target]) -> Operation:
    """The operation as it will be recorded, its bytes already kept."""
    files = tuple(
        FileRecord(
            target.path,
            target.real,
            _image(history, target.before, target.found.permissions),
            _image(history, target.after, target.permissions),
            target.in_place,
        )
        for target in targets
    )
    number = max((operation.number for operation in history.operations()), default=0) + 1
    return Operation(number, "apply", "", time.time(), str(workspace.root), os.urandom(6).hex(), files)


def _image(history: History, state: FileState | None, permissions: int | None) -> Image | None:
    return Image(state.mode, permissions, history.keep(state.data)) if state else None
