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

from kcode.draft.files import FileState
from kcode.draft.history import History
from kcode.draft.operations import FileRecord, Image, Operation, next_redo, next_undo
from kcode.draft.placement import Placement, look, make_folder, place, remove_folder, remove_temporary
from kcode.draft.plan import folders_to_empty, folders_to_make, plan_changes, plan_reversal
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kcode.draft.files import Change
    from kcode.draft.operations import Folder
    from kcode.draft.placement import Found
    from kcode.draft.plan import Target
    from kcode.workspace import Workspace


def apply_changes(workspace: Workspace, journal_folder: Path, changes: Iterable[Change], label: str) -> Operation:
    """Write the changes to the user's files.

    StaleError names files that are not in their `before` state; RefusedError says what kcode may not write; DraftError
    says what failed. After any of them the files are as they were.
    """
    with _opened(workspace, journal_folder) as history:
        _settle(workspace, history)
        targets = plan_changes(workspace, changes)
        operation = replace(
            _intend(workspace, history, targets),
            label=label,
            made=folders_to_make(workspace.root, targets),
            emptied=folders_to_empty(workspace, targets),
        )
        done = _run(workspace.root, history, operation)
        with contextlib.suppress(OSError):  # The files are written; old bytes that stay a while longer are no failure.
            history.prune()
        return done


def undo(workspace: Workspace, journal_folder: Path) -> Operation:
    """Take the newest change that is in force back, to the exact bytes and permissions. Errors as for apply_changes."""
    with _opened(workspace, journal_folder) as history:
        _settle(workspace, history)
        newest = next_undo(history.operations())
        if newest is None:
            raise DraftError(f"kcode has applied nothing in {workspace.root} that could be undone.")
        return _reverse(workspace, history, replace(newest, kind="undo"), newest.number)


def redo(workspace: Workspace, journal_folder: Path) -> Operation:
    """Take the newest undo back, unless something was applied since. Errors as for apply_changes."""
    with _opened(workspace, journal_folder) as history:
        _settle(workspace, history)
        newest = next_redo(history.operations())
        if newest is None:
            raise DraftError(f"Nothing was undone in {workspace.root} that could be done again.")
        return _reverse(workspace, history, replace(newest, kind="redo"), newest.number)


def operations(journal_folder: Path) -> list[Operation]:
    """All that the journal remembers, oldest first."""
    if not journal_folder.exists():
        return []
    with _explained(journal_folder):
        return History(journal_folder).operations()


def recover(workspace: Workspace, journal_folder: Path) -> list[Operation]:
    """Settle what a crash left unfinished; returns those operations, each "done" or "rolled back".

    The files in `left` were changed by somebody else and were not touched; the user wants to know them.
    """
    if not any(operation.state == "pending" for operation in operations(journal_folder)):
        return []
    with _opened(workspace, journal_folder) as history:
        return _settle(workspace, history)


@contextlib.contextmanager
def _opened(workspace: Workspace, journal_folder: Path) -> Iterator[History]:
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
        raise DraftError(
            f"The journal in {journal_folder} cannot be used: {error.strerror}. No file was changed."
        ) from error


def _reverse(workspace: Workspace, history: History, operation: Operation, number: int) -> Operation:
    targets = plan_reversal(workspace, operation, lambda image: _state(history, image))
    return _run(
        workspace.root,
        history,
        replace(
            _intend(workspace, history, targets),
            kind=operation.kind,
            label=operation.label,
            of=number,
            made=folders_to_make(workspace.root, targets, operation.emptied),
            emptied=tuple(f for f in operation.made[::-1] if f"{f.path}/" != f"{workspace.start}/"[: len(f.path) + 1]),
        ),
    )


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


def _state(history: History, image: Image | None) -> FileState | None:
    return FileState(image.mode, history.image(image.digest)) if image else None


def _run(root: Path, history: History, operation: Operation) -> Operation:
    history.begin(operation)
    try:
        items = [
            Placement(
                file.real,
                _state(history, file.before),
                _state(history, file.after),
                file.after.permissions if file.after else None,
                _temporary(operation, index),
                file.in_place,
            )
            for index, file in enumerate(operation.files)
        ]
        removed = _carry_out(root, items, operation.made, operation.emptied)
        done = replace(operation, state="done", emptied=removed)
        history.end(done)
    except BaseException as error:
        try:
            _put_back(root, history, operation)
        except (OSError, DraftError) as second:
            raise DraftError(
                f"{error} Putting the files back failed too: {second} "
                "What was there before is kept; the next kcode command here tries again."
            ) from error
        raise
    return done


def _carry_out(
    root: Path, items: Sequence[Placement], made: Sequence[Folder], emptied: Sequence[Folder]
) -> tuple[Folder, ...]:
    """Delete first and write last, so that a file can take a folder's place and the other way round.

    Returns the folders that were removed.
    """
    at = ""
    try:
        for item in items:
            if item.after is None:
                at = item.real
                place(root, item)
        removed = tuple(folder for folder in emptied if remove_folder(root, folder.path))
        for folder in made:
            at = folder.path
            make_folder(root, folder.path, folder.permissions)
        for item in items:
            if item.after is not None:
                at = item.real
                place(root, item)
    except OSError as error:
        raise DraftError(f"{at} cannot be written: {error.strerror}. No file was changed.") from error
    return removed


def _settle(workspace: Workspace, history: History) -> list[Operation]:
    settled = []
    for operation in history.operations():
        if operation.state != "pending":
            continue
        _remove_temporaries(workspace.root, operation)
        found = [_standing(workspace.root, history, file) for file in operation.files]
        if "after" in found and not {"before", "torn"} & set(found):
            removed = [f for f in operation.emptied if look(workspace.root, f.path).kind == "nothing"]
            left = [file.path for file, standing in zip(operation.files, found, strict=True) if standing == "other"]
            end = replace(operation, state="done", emptied=tuple(removed), left=tuple(left))
            history.end(end)
        else:
            end = _put_back(workspace.root, history, operation)
        settled.append(end)
    return settled


def _put_back(root: Path, history: History, operation: Operation) -> Operation:
    """Roll back: every file that this operation wrote, wholly or in part, becomes what it was."""
    _remove_temporaries(root, operation)
    items, left = [], []
    for index, file in enumerate(operation.files):
        standing = _standing(root, history, file)
        if standing in {"after", "torn"}:
            now, before = look(root, file.real).state, _state(history, file.before)
            permissions = file.before.permissions if file.before else None
            name = _temporary(operation, len(operation.files) + index)
            items.append(Placement(file.real, now, before, permissions, name, file.in_place and now is not None))
        elif standing == "other":
            left.append(file.path)
    needed = tuple(item.real for item in items if item.after)
    again = [f for f in operation.emptied[::-1] if any(real.startswith(f"{f.path}/") for real in needed)]
    _carry_out(root, items, again, operation.made[::-1])
    end = replace(operation, state="rolled back", emptied=(), left=tuple(left))
    history.end(end)
    return end


def _standing(root: Path, history: History, file: FileRecord) -> str:
    """Where a file stands between its two states: "before", "after", "torn" (half written by us) or "other"."""
    found = look(root, file.real)
    before, after = _state(history, file.before), _state(history, file.after)
    if _is(found, before):
        return "before"
    if _is(found, after):
        return "after"
    if file.in_place and found.state and before and after and _is_torn(found.state.data, before.data, after.data):
        return "torn"
    return "other"


def _is(found: Found, state: FileState | None) -> bool:
    if state is None:
        return found.state is None and found.kind != "other"
    return found.state == state


def _is_torn(data: bytes, before: bytes, after: bytes) -> bool:
    """Whether the bytes are a beginning of `after` and the rest of `before`: what writing in place passes through."""
    low, high = 0, min(len(data), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if data[:middle] == after[:middle] else (low, middle - 1)
    return data in {before, after} or data[low:] == before[low:]


def _remove_temporaries(root: Path, operation: Operation) -> None:
    for index, file in enumerate(operation.files):
        remove_temporary(root, file.real, _temporary(operation, index))
        remove_temporary(root, file.real, _temporary(operation, len(operation.files) + index))


def _temporary(operation: Operation, index: int) -> str:
    return f".kcode-{operation.token}-{index}.tmp"
