"""The draft as it was at one moment: kept beside its base images, each content once, so that it can be had again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from kcode.draft import disk
from kcode.draft.baseline import digest
from kcode.draft.files import Change, FileState
from kcode.draft.merge import merge_files
from kcode.draft.rebase import Move
from kcode.draft.versions import BY_USER, digest_of
from kcode.errors import DraftError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from kcode.draft.baseline import Digest
    from kcode.draft.draft import Draft

_IMAGES = "base"


def take_checkpoint(draft: Draft) -> str:
    """Keep what the draft changed; the name that is returned gives it back. "" while nothing is changed."""
    images = draft.folder / _IMAGES
    with disk.naming_full_disk(draft.folder):
        files = {
            change.path: [_keep(images, change.before), _keep(images, change.after), change.by]
            for change in draft.changes()
        }
        return _put(images, json.dumps(files, separators=(",", ":"), sort_keys=True).encode("ascii")) if files else ""


def read_checkpoint(draft_folder: Path, name: str) -> tuple[Change, ...]:
    """What the draft had changed when the checkpoint of this name was taken, sorted by path. DraftError when it is lost."""
    if not name:
        return ()
    images = draft_folder / _IMAGES
    try:
        stored: Any = json.loads((images / name).read_bytes())
        return tuple(
            Change(path, _state(images, digest_of(before)), _state(images, digest_of(after)), str(by))
            for path, (before, after, by) in sorted(stored.items())
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DraftError(
            f"How the draft was at that moment cannot be read: {error}. Nothing was done; kcode diff shows what is "
            "proposed by now."
        ) from error


def return_to(draft: Draft, changes: Iterable[Change], applied: Collection[str] = ()) -> None:
    """Have the draft as it was when these were its changes, over the user's files as they are by now.

    Where the user wrote some of it to a file of `applied` since, the file stays as the user has it; what else the user
    changed in a place that the draft had changed as well becomes a conflict in the proposal, as always.
    """
    then = {change.path: change for change in changes}
    made, moves = [], []
    for path in sorted({*then, *(change.path for change in draft.changes())}):
        base, current = draft.before(path), draft.read(path)
        target = base
        if path in then:
            merged = merge_files(then[path].before, base, then[path].after)
            if not merged.is_conflict:
                target = merged.state
            elif path not in applied:
                target = then[path].after
                moves.append(Move(path, then[path].before, target, target))
        if target != current:
            made.append(Change(path, current, target))
    draft.change(made, BY_USER)
    if moves:
        draft.rebase(moves)


def _keep(images: Path, state: FileState | None) -> Digest:
    name = digest(state)
    if state is not None and name is not None and not (images / name[1]).exists():
        disk.write_whole(images / name[1], state.data)
    return name


def _put(images: Path, data: bytes) -> str:
    name = hashlib.sha256(data).hexdigest()
    if not (images / name).exists():
        disk.write_whole(images / name, data)
    return name


def _state(images: Path, name: Digest) -> FileState | None:
    return None if name is None else FileState(name[0], (images / name[1]).read_bytes())
