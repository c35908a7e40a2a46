"""A session that goes on from a moment of another one: its conversation, its draft and its outputs as they were then."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kcode import __version__
from kcode.draft import disk
from kcode.draft.checkpoint import read_checkpoint
from kcode.draft.draft import backend_of, open_draft
from kcode.draft.reviewfile import load_review, save_review
from kcode.draft.versions import BY_USER
from kcode.errors import SessionError
from kcode.folders import remove_folder
from kcode.safegit import open_git
from kcode.session.log import Log, read_log, write_new
from kcode.session.store import create_session, find_session
from kcode.session.summary import summarize
from kcode.session.turns import read_turns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kcode.agent.place import Place
    from kcode.session.store import Session
    from kcode.session.turns import Turn

# What belongs to one session alone: who began it, and its name.
_OWN = frozenset({"session", "name"})
# The contents of files are named by their SHA-256.
_NAME_LENGTH = 64


def fork_session(place: Place, session_id: str, at: int | None = None) -> Session:
    """Begin a session with what another one was before its turn `at`, counted from 1, or is by now; that one stays.

    To edit an earlier message and send it again: fork at its turn, open the new session, and take the turn with other
    words. What the user wrote to their own files since stays there. Of a turn that an older kcode took the draft is not
    known; the new session then has one in which nothing is changed.
    """
    session = find_session(place.state, session_id)
    if session.workspace_root != place.workspace.root:
        raise SessionError(f"The session {session.id} belongs to {session.workspace_root}; fork it there.")
    records = read_log(session.log_path).records
    turn = _turn(session, records, at) if at is not None else None
    kept = [record for record in records[: turn.place if turn else None] if record.get("type") not in _OWN]
    summary = summarize(session)
    fork = create_session(
        place.state,
        place.workspace.root,
        datetime.now(UTC),
        version=__version__,
        command=summary.command,
        model=summary.model,
        endpoint=summary.endpoint,
    )
    with ExitStack() as failing:
        # Half a fork would pass for a session that proposes less.
        failing.callback(remove_folder, fork.folder)
        with disk.naming_full_disk(fork.folder):
            _copy_outputs(session, fork)
            _copy_draft(place, session, fork, turn, kept)
        with Log(fork.log_path) as log:
            for record in kept:
                log.append(record)
            now = datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")
            log.append({"type": "fork", "from": session.id, "at": at, "time": now})
            log.append({"type": "name", "name": f"{summary.title} (fork)", "time": now}, durable=True)
        failing.pop_all()
    return fork


def _turn(session: Session, records: Sequence[dict[str, Any]], at: int) -> Turn:
    turns = read_turns(records)
    turn = turns.numbered(at)
    if turn is None:
        count = len(turns.all)
        raise SessionError(
            f"The session {session.id} has {count} {'turn' if count == 1 else 'turns'}, so there is no turn {at}."
        )
    return turn


def _copy_outputs(session: Session, fork: Session) -> None:
    """The long outputs and transcripts that the conversation names."""
    if not session.outputs_folder.is_dir():
        return
    for path in sorted(session.outputs_folder.iterdir()):
        state = disk.read_state(path)
        if state is not None and not path.name.startswith("."):
            write_new(fork.outputs_folder / path.name, state.data)


def _copy_draft(
    place: Place, session: Session, fork: Session, turn: Turn | None, kept: Sequence[dict[str, Any]]
) -> None:
    backend = backend_of(session.draft_folder)
    if backend is None:
        return
    git = open_git(place.workspace, place.git_folder)
    if turn is None:
        changes = open_draft(place.workspace, git, session.draft_folder).changes()
    else:
        changes = read_checkpoint(session.draft_folder, turn.draft or "")
    if not changes and not any(_has_checkpoint(record) for record in kept):
        return
    draft = open_draft(place.workspace, git, fork.draft_folder, backend)
    # What is gone makes room: a folder can stand where a file was.
    for is_written in (False, True):
        for by in sorted({change.by for change in changes}):
            group = [change for change in changes if change.by == by and (change.after is not None) is is_written]
            draft.change(group, by or BY_USER)
    _copy_images(session.draft_folder / "base", fork.draft_folder / "base")
    _copy_versions(session, fork, turn)
    if turn is None:
        save_review(fork.draft_folder, load_review(session.draft_folder)[0])


def _has_checkpoint(record: dict[str, Any]) -> bool:
    """Whether a step back or forth may lead to a draft in which something was changed."""
    return record.get("type") in {"turn", "epoch"} and bool(
        record.get("draft") or record.get("undone", {}).get("draft")
    )


def _copy_images(source: Path, target: Path) -> None:
    """The contents that checkpoints and the account of who did what name."""
    for path in sorted(source.iterdir()):
        state = disk.read_state(path) if len(path.name) == _NAME_LENGTH and path.name.isalnum() else None
        if state is not None and not (target / path.name).exists():
            disk.write_whole(target / path.name, state.data)


def _copy_versions(session: Session, fork: Session, turn: Turn | None) -> None:
    """Who changed what, so that each hunk still tells what led to it."""
    until = datetime.fromisoformat(turn.time).timestamp() if turn and turn.time else float("inf")
    state = disk.read_state(session.draft_folder / "versions.jsonl")
    if state is None:
        return
    lines = [line for line in state.data.split(b"\n") if line and _seconds(line) <= until]
    disk.write_whole(fork.draft_folder / "versions.jsonl", b"".join(b"\n" + line for line in lines))


def _seconds(line: bytes) -> float:
    try:
        match json.loads(line):
            case [_, _, _, float() | int() as seconds, *_]:
                return float(seconds)
    except ValueError:
        pass
    return 0.0
