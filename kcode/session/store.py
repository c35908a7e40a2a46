"""Sessions on disk: one folder each, with the log, the draft and long outputs in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kcode.errors import SessionError
from kcode.folders import is_marked, make_folder, remove_folder
from kcode.session.lock import is_in_use, last_opened
from kcode.session.log import Log, read_first_record, read_log, repair_log, write_new
from kcode.session.records import (
    conversation_of,
    decode_usage,
    encode_epoch,
    encode_message,
    event_record,
    read_entries,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from kcode.events import Event
    from kcode.messages import Message, Usage
    from kcode.session.records import Epoch, Forked, Paid

# Raised when what a record means changes; new record types and members are ignored by readers that do not know them.
_FORMAT = 1
# UTC and the second's 65,536th parts, so that ids sort by time also within a second and when the clocks change.
_TICK = timedelta(microseconds=16)
_MOST_TRANSCRIPTS = 10_000
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}\Z")


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation. `id` sorts by the time of its start; `workspace_root` is absolute, with links resolved."""

    id: str
    folder: Path
    workspace_root: Path

    @property
    def log_path(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def draft_folder(self) -> Path:
        """Where the draft keeps what it changes; not there before the draft is opened."""
        return self.folder / "draft"

    @property
    def outputs_folder(self) -> Path:
        """Where the full text of an output lies that was cut for the model."""
        return self.folder / "outputs"


class SessionLog:
    """A session's log, open for what happens next. Every method raises SessionError when it cannot be written.

    `clean` is applied to every text that is kept, and takes the key out of what a file or the model repeated of it.
    """

    def __init__(
        self,
        session: Session,
        clock: Callable[[], datetime] = datetime.now,
        clean: Callable[[str], str] | None = None,
    ) -> None:
        self._session = session
        self._log = Log(session.log_path)
        self._clock = clock
        self._clean = clean

    def append_message(self, message: Message) -> None:
        """Keep a message of the conversation; once this returns it survives the end of the process."""
        self._append({"type": "message", "message": encode_message(message)})

    def append_epoch(self, messages: Iterable[Message], **about: Any) -> None:
        """Keep the messages that stand in the place of the conversation so far, all or none of them.

        `about` says why, where it is no compaction.
        """
        self._append(encode_epoch(messages) | about, durable=True)

    def append_event(self, event: Event, **more: Any) -> None:
        """Keep what an event says beside the messages, and `more` with it; the end of a turn waits for the disk."""
        record = event_record(event)
        if record is not None:
            self._append(record | more, durable=record["type"] == "turn_finished")

    def keep_transcript(self, text: str) -> str:
        """Write what was said so far as a text beside the long outputs; returns the new file's name."""
        folder = make_folder(self._session.outputs_folder)
        data = (self._clean(text) if self._clean else text).encode("utf-8", "replace")
        for number in range(1, _MOST_TRANSCRIPTS):
            name = f"transcript-{number}.txt"
            try:
                write_new(folder / name, data)
            except FileExistsError:
                continue
            except OSError as error:
                raise SessionError(
                    f"{folder / name} cannot be written: {error.strerror}. Make room there, or set XDG_STATE_HOME."
                ) from error
            return name
        raise SessionError(f"{folder} holds {_MOST_TRANSCRIPTS - 1:,} transcripts; start a new session.")

    def append_decision(self, decision: str, paths: Iterable[str], hunks: Iterable[str] = ()) -> None:
        """Keep what the user decided, such as "applied" or "rejected", about these files or hunks."""
        record = {"type": "decision", "decision": decision, "paths": list(paths), "hunks": list(hunks)}
        self._append(record, durable=True)

    def append_name(self, name: str) -> None:
        """Keep the name that the user gave the session; "" takes it away."""
        self._append({"type": "name", "name": name}, durable=True)

    def append_pins(self, kept: Iterable[str], dropped: Iterable[str]) -> None:
        """Keep which files the user wants kept through compactions, and which dropped: all of them, as they stand."""
        self._append({"type": "pins", "kept": list(kept), "dropped": list(dropped)})

    def append_start(self, **facts: str | int | None) -> None:
        """Keep what the session, or a later run that goes on with it, was started with; never a key."""
        self._append({"type": "session"} | facts, durable=True)

    def _append(self, record: dict[str, Any], *, durable: bool = False) -> None:
        now = self._clock().astimezone().isoformat(timespec="milliseconds")
        kept = _map_texts(record, self._clean) if self._clean else record
        self._log.append(kept | {"time": now}, durable=durable)

    def close(self) -> None:
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON value with every text in it changed, but for the names of members."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _map_texts(inner, change) for name, inner in value.items()}
    return [_map_texts(inner, change) for inner in value] if isinstance(value, list | tuple) else value


def create_session(
    state_folder: Path,
    workspace_root: Path,
    now: datetime,
    *,
    version: str,
    command: str,
    model: str | None = None,
    endpoint: str | None = None,
) -> Session:
    """Make a new session's folder and write the start of its log. `endpoint` is its name; no key is ever kept.

    Raises SessionError when the state folder cannot be written.
    """
    folder = _make_session_folder(state_folder / "sessions", now)
    session = Session(folder.name, folder, workspace_root)
    make_folder(session.outputs_folder)
    with SessionLog(session, lambda: now) as log:
        log.append_start(
            format=_FORMAT,
            id=session.id,
            workspace=str(workspace_root),
            version=version,
            command=command,
            model=model,
            endpoint=endpoint,
        )
    return session


def _make_session_folder(parent: Path, now: datetime) -> Path:
    moment = now.astimezone(UTC)
    while True:
        folder = parent / f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond * 0x10000 // 1_000_000:04x}"
        try:
            return make_folder(folder, fresh=True)
        except FileExistsError:
            if not parent.is_dir():
                raise SessionError(f"{parent} is in the way: kcode keeps its sessions there. Move it.") from None
            moment += _TICK


def list_sessions(state_folder: Path, workspace_root: Path | None = None) -> list[Session]:
    """All sessions whose start can be read, or those of one workspace, the newest first."""
    found = [session for folder in _session_folders(state_folder) if (session := _read_session(folder))]
    return [session for session in found if workspace_root is None or session.workspace_root == workspace_root]


def find_session(state_folder: Path, session_id: str) -> Session:
    """The session with this id, or the only one whose id starts so; SessionError says which there are."""
    folders = [folder for folder in _session_folders(state_folder) if session_id and folder.name.startswith(session_id)]
    if len(folders) == 1 and (session := _read_session(folders[0])):
        return session
    if len(folders) > 1:
        raise SessionError(
            f"More than one session starts with {session_id!r}: {', '.join(f.name for f in folders[:5])}."
        )
    raise SessionError(f"There is no session {session_id!r} in {state_folder / 'sessions'}.")


def last_session(state_folder: Path, workspace_root: Path, *, with_draft: bool = True) -> Session | None:
    """The session of this workspace that was worked in last, of all or of those that have a draft."""
    found = [one for one in list_sessions(state_folder, workspace_root) if _has_draft(one) or not with_draft]
    return max(found, key=lambda session: last_use(session.folder), default=None)


def last_use(folder: Path) -> float:
    """When a process last began to work in the session of this folder, in seconds."""
    opened = last_opened(folder)
    if opened is not None:
        return opened
    moment = datetime.strptime(folder.name[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    return moment.timestamp() + int(folder.name[16:], 16) / 0x10000


def prune_sessions(state_folder: Path, now: datetime, keep: int = 30, days: int = 30) -> list[str]:
    """Delete old sessions; return their ids. One that cannot be deleted is left for the next time.

    Kept are the `keep` that were used last, those in use or written to in the last `days` days, and of each workspace
    the last session and the last with a draft: that is what `kcode diff` and `kcode undo` work on.
    """
    folders = sorted(_session_folders(state_folder), key=last_use, reverse=True)
    needed = set()
    latest: set[tuple[Path, bool]] = set()
    for folder in folders:
        session = _read_session(folder)
        kinds = {(session.workspace_root, False), (session.workspace_root, _has_draft(session))} if session else set()
        if kinds - latest:
            needed.add(folder)
        latest |= kinds
    oldest = (now - timedelta(days=days)).timestamp()
    removed = []
    for folder in folders[keep:]:
        if folder in needed or not is_marked(folder) or _last_written(folder) > oldest or is_in_use(folder):
            continue
        try:
            remove_folder(folder)
        except SessionError:
            continue
        removed.append(folder.name)
    return removed


def load_conversation(session: Session) -> list[Message]:
    """The conversation so far as an endpoint accepts it: each call answered once, directly behind its reply.

    A damaged log is repaired on the way; the damaged one is kept beside it. Raises SessionError when there is no log,
    or when a newer kcode wrote it.
    """
    return conversation_of(read_entries(_read_records(session)))


def load_usages(session: Session) -> list[Usage]:
    """What each reply of the session took, in order; what cannot be read of a damaged log is left out."""
    return [decode_usage(record) for record in read_log(session.log_path).records if record.get("type") == "usage"]


@dataclass(frozen=True, slots=True)
class Past:
    """A session as its log tells it: what it was started as, the model that it used last, and all that was said.

    `changed_draft` says that something was ever changed in its draft; `kept` and `dropped` are the files of which the user
    said that compactions keep them or leave them out.
    """

    command: str
    model: str | None
    endpoint: str | None
    entries: tuple[Message | Epoch | Paid | Forked, ...]
    changed_draft: bool = False
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def load_past(session: Session) -> Past:
    """The session with all of its epochs and costs; raises SessionError as `load_conversation` does."""
    records = _read_records(session)
    starts = [record for record in records if record.get("type") == "session"]
    chosen = [record for record in records if record.get("type") in {"session", "model"}]
    models = [model for record in chosen if isinstance(model := record.get("model"), str)]
    endpoint = starts[-1].get("endpoint") if starts else None
    pinned: dict[str, Any] = next((record for record in reversed(records) if record.get("type") == "pins"), {})
    return Past(
        command=str(starts[-1].get("command")) if starts else "",
        model=models[-1] if models else None,
        endpoint=endpoint if isinstance(endpoint, str) else None,
        entries=tuple(read_entries(records)),
        changed_draft=any(record.get("type") in {"draft", "decision"} for record in records),
        kept=_paths(pinned.get("kept")),
        dropped=_paths(pinned.get("dropped")),
    )


def _paths(value: object) -> tuple[str, ...]:
    return tuple(path for path in value if isinstance(path, str)) if isinstance(value, list) else ()


def _read_records(session: Session) -> Sequence[dict[str, Any]]:
    found = read_log(session.log_path)
    records = read_log(session.log_path).records if found.damage and repair_log(session.log_path) else found.records
    newest = max((record.get("format", 0) for record in records if record.get("type") == "session"), default=0)
    if newest > _FORMAT:
        raise SessionError(f"The session {session.id} was written by a newer kcode. Update kcode to go on with it.")
    return records


def _session_folders(state_folder: Path) -> list[Path]:
    parent = state_folder / "sessions"
    try:
        folders = [path for path in parent.iterdir() if _ID.match(path.name) and path.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SessionError(f"The sessions in {parent} cannot be listed: {error.strerror}.") from error
    return sorted(folders, key=lambda path: path.name, reverse=True)


def _read_session(folder: Path) -> Session | None:
    """The session of a folder; None when the start of its log is missing or damaged."""
    record = read_first_record(folder / "log.jsonl") or {}
    root = record.get("workspace")
    return Session(folder.name, folder, Path(root)) if isinstance(root, str) else None


def _has_draft(session: Session) -> bool:
    return session.draft_folder.is_dir()


def _last_written(folder: Path) -> float:
    try:
        return max(path.stat().st_mtime for path in (folder, folder / "log.jsonl") if path.exists())
    except (OSError, ValueError):
        return float("inf")
