"""An operation carried out, and what is left of one put right: all of its files or none."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.draft.files import FileState
from kcode.draft.placement import (
    Placement,
    look,
    make_folder,
    place,
    prepare,
    remove_folder,
    remove_temporary,
)
from kcode.errors import DraftError, StaleError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kcode.draft.history import History
    from kcode.draft.operations import FileRecord, Folder, Image, Operation
    from kcode.draft.placement import Found

ADVICE = {
    errno.ENOSPC: " Free some space on that disk, then try again.",
    errno.EDQUOT: " Your disk quota is used up; free some space, then try again.",
    errno.EROFS: " That file system is mounted read-only; make it writable, then try again.",
    errno.EACCES: " Give yourself the right to read and write there, then try again.",
    errno.EPERM: " Give yourself the right to read and write there, then try again.",
    errno.EIO: " The disk has trouble: look at the system's log, and save what is dear to you elsewhere.",
}


def run(root: Path, history: History, operation: Operation) -> Operation:
    """Begin, write and end the operation. DraftError or StaleError when it could not be done and nothing was."""
    history.begin(operation)
    try:
        removed = _carry_out(root, _placements(history, operation), operation.made, operation.emptied)
    except DraftError as error:
        left = _take_back(root, history, operation, error)
        others = f" {', '.join(left)} was changed by another program meanwhile and left as it is." if left else ""
        cause = error.__cause__
        advice = ADVICE.get(cause.errno or 0, "") if isinstance(cause, OSError) else ""
        kind = StaleError if isinstance(error, StaleError) else DraftError
        raise kind(f"{error} No file was changed.{others}{advice}") from error
    except BaseException as error:
        _take_back(root, history, operation, error)
        raise
    done = replace(operation, state="done", emptied=removed)
    try:
        history.end(done)
    except OSError as error:
        raise _take_back_unrecorded(root, history, operation, error) from error
    return done


def _take_back_unrecorded(root: Path, history: History, operation: Operation, error: OSError) -> DraftError:
    """Put everything back since its end could not be recorded; what to tell the user."""
    advice = ADVICE.get(error.errno or 0, "")
    what = f"The journal cannot be written: {error.strerror}."
    try:
        # The end may be on the disk all the same. What is put back must not count as done while that is under way.
        history.begin(operation)
    except OSError:
        return DraftError(f"All files were written. {what} The next kcode command here settles that.{advice}")
    _take_back(root, history, operation, DraftError(what))
    return DraftError(f"{what} No file was changed.{advice}")


def _take_back(root: Path, history: History, operation: Operation, error: BaseException) -> tuple[str, ...]:
    """Put back what was written before the error; the files that are left alone."""
    try:
        end = _put_back(root, history, operation)
    except (OSError, DraftError) as second:
        reason = f"{second.strerror}." if isinstance(second, OSError) else second
        raise DraftError(
            f"{error} Putting the files back failed too: {reason} "
            "What was there before is kept; the next kcode command here tries again."
        ) from error
    with contextlib.suppress(OSError):  # All is as it was; the next call finds that out and records it.
        history.end(end)
    return end.left


def settle(root: Path, history: History) -> list[Operation]:
    """Put right what was begun and never ended: it counts as done if all was written, else it is taken back."""
    settled = []
    for operation in history.operations():
        if operation.state != "pending":
            continue
        _remove_temporaries(root, history, operation)
        found = [_standing(root, history, file) for file in operation.files]
        if "after" in found and not {"before", "torn"} & set(found):
            # Taking it back may have been tried and have failed after it made these again.
            removed = [folder for folder in operation.emptied if remove_folder(root, folder.path)]
            left = [file.path for file, standing in zip(operation.files, found, strict=True) if standing == "other"]
            end = replace(operation, state="done", emptied=tuple(removed), left=tuple(left))
            history.end(end)
        else:
            try:
                end = _put_back(root, history, operation)
                history.end(end)
            except DraftError as error:
                raise DraftError(
                    f"Writing {', '.join(operation.paths)} had been interrupted, and putting back what was there fails: "
                    f"{error} It is kept; the next kcode command here tries again."
                ) from error
        settled.append(end)
    return settled


def state_of(history: History, image: Image | None) -> FileState | None:
    return FileState(image.mode, history.image(image.digest)) if image else None


def _placements(history: History, operation: Operation) -> list[Placement]:
    return [
        Placement(
            file.real,
            state_of(history, file.before),
            state_of(history, file.after),
            file.after.permissions if file.after else None,
            _temporary(operation, index),
            file.in_place,
        )
        for index, file in enumerate(operation.files)
    ]


def _carry_out(
    root: Path, items: Sequence[Placement], made: Sequence[Folder], emptied: Sequence[Folder]
) -> tuple[Folder, ...]:
    """Delete before writing, so that a file can take a folder's place and the other way round.

    What needs room on the disk comes first, while no file has changed. Returns the folders that were removed.
    """
    at = ""
    try:
        for folder in made:
            at = folder.path
            with contextlib.suppress(NotADirectoryError):  # A file stands there that is yet to be deleted.
                make_folder(root, folder.path, folder.permissions)
        ready = set()
        for item in items:
            at = item.real
            if prepare(root, item):
                ready.add(item.real)
        for item in sorted(items, key=lambda item: not item.in_place):
            if item.after is None or item.in_place:
                at = item.real
                place(root, item)
        removed = tuple(folder for folder in emptied if remove_folder(root, folder.path))
        for folder in made:
            at = folder.path
            make_folder(root, folder.path, folder.permissions)
        for item in sorted(items, key=lambda item: item.real in ready):
            if item.after is not None and not item.in_place:
                at = item.real
                place(root, item, prepared=item.real in ready)
    except OSError as error:
        raise DraftError(f"{at} cannot be written: {error.strerror}.") from error
    return removed


def _put_back(root: Path, history: History, operation: Operation) -> Operation:
    """Roll back: every file that this operation wrote, wholly or in part, becomes what it was. How it ends then."""
    _remove_temporaries(root, history, operation)
    items, left = [], []
    for index, file in enumerate(operation.files):
        standing = _standing(root, history, file)
        if standing in {"after", "torn"}:
            now, before = look(root, file.real).state, state_of(history, file.before)
            permissions = file.before.permissions if file.before else None
            name = _temporary(operation, len(operation.files) + index)
            items.append(Placement(file.real, now, before, permissions, name, file.in_place and now is not None))
        elif standing == "other":
            left.append(file.path)
    needed = tuple(item.real for item in items if item.after)
    again = [f for f in operation.emptied[::-1] if any(real.startswith(f"{f.path}/") for real in needed)]
    _carry_out(root, items, again, operation.made[::-1])
    return replace(operation, state="rolled back", emptied=(), left=tuple(left))


def _standing(root: Path, history: History, file: FileRecord) -> str:
    """Where a file stands between its two states: "before", "after", "torn" (half written by us) or "other"."""
    try:
        found = look(root, file.real)
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, "")
        raise DraftError(f"{file.path} cannot be read: {error.strerror}. It was left as it is.{advice}") from error
    before, after = state_of(history, file.before), state_of(history, file.after)
    if _is(found, before):
        return "before"
    if _is(found, after):
        return "after"
    if file.in_place and found.state and before and after and is_torn(found.state.data, before.data, after.data):
        return "torn"
    return "other"


def _is(found: Found, state: FileState | None) -> bool:
    if state is None:
        return found.state is None and found.kind != "other"
    return found.state == state


def is_torn(data: bytes, before: bytes, after: bytes) -> bool:
    """Whether writing in place passes through this: each byte stays where it is, so one text is within the other.

    A write that was cut short leaves a beginning of `after` and then `before`, and one that was being taken back has
    `before` from the start again.
    """
    if len(data) < min(len(before), len(after)):
        return False
    return _is_within(data, before, after) or _is_within(data, after, before)


def _is_within(data: bytes, inner: bytes, outer: bytes) -> bool:
    """Whether data is `outer` with a piece of `inner` in it, at the same place as there."""
    start, end = _common(data, outer), len(data)
    if len(data) == len(outer):
        end -= _common(data[start:][::-1], outer[start:][::-1])
    return data[start:end] == inner[start:end]


def _common(one: bytes, other: bytes) -> int:
    """How many bytes are equal from the start."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _remove_temporaries(root: Path, history: History, operation: Operation) -> None:
    for index, item in enumerate(_placements(history, operation)):
        remove_temporary(root, item)
        # And that of taking it back, from an earlier try.
        back = replace(item, expected=item.after, after=item.expected)
        remove_temporary(root, replace(back, temporary=_temporary(operation, len(operation.files) + index)))


def _temporary(operation: Operation, index: int) -> str:
    return f".kcode-{operation.token}-{index}.tmp"
