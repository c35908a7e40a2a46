"""Sessions in a few words each, for lists: counted once, and then only what was added to their logs since."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kcode.draft import disk
from kcode.draft.baseline import count_changed
from kcode.errors import DraftError, SessionError
from kcode.messages import KCODE_NOTE
from kcode.session.lock import is_in_use
from kcode.session.log import decode_record
from kcode.session.store import list_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kcode.session.store import Session

_NAME, _VERSION = "summary.json", 2
_TITLE_WIDTH = 80
# A longer message is something that was pasted; its start is enough to find it by.
_MOST_SEARCHED = 4000
_NOTHING_SAID = "(nothing said yet)"
_PIPED = re.compile(r"\A(<stdin>.*?</stdin>)\s*(.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session as a list shows it.

    `title` is its name or the user's first words, in one line. `turns` counts those that were undone too, `messages` all
    but the system's. `pending_files` are those that the draft changed, as counted without a look at them. `cost` is in US
    dollars, None where a reply's price is not known. `words` are the user's messages, each by its start. `is_open` says
    that a process works in it.
    """

    id: str
    title: str
    started: datetime
    last_used: datetime
    command: str
    model: str | None
    endpoint: str | None
    turns: int
    messages: int
    pending_files: int
    cost: float | None
    cost_is_estimate: bool
    words: tuple[str, ...] = field(repr=False)
    is_open: bool = False


@dataclass(slots=True)
class _Counted:
    """What the log tells up to some place in it."""

    started: str = ""
    last: str = ""
    command: str = ""
    model: str | None = None
    endpoint: str | None = None
    name: str = ""
    words: list[str] = field(default_factory=list)
    is_told: bool = False
    turns: int = 0
    messages: int = 0
    cost: float | None = 0.0
    is_estimate: bool = False

    def add(self, record: Mapping[str, Any]) -> None:
        kind, time = record.get("type"), str(record.get("time", ""))
        self.started = self.started or time
        if kind not in {"name", "decision"}:
            self.last = time or self.last
        match kind:
            case "session":
                self.command = str(record.get("command") or self.command)
                self.model, self.endpoint = record.get("model") or self.model, record.get("endpoint") or self.endpoint
            case "model":
                self.model = str(record.get("model"))
            case "name":
                self.name = _one_line(str(record.get("name", "")))
            case "turn" | "taken":
                # Of a log that an older kcode began the messages were counted.
                self.is_told = True
                self.turns += kind == "turn"
                self.words.append(_said(str(record.get("words", ""))))
            case "message":
                self._add_message(record.get("message"))
            case "usage":
                self._add_cost(record)
            case "fork":
                self.cost, self.is_estimate = 0.0, False

    def _add_message(self, message: Any) -> None:
        role = message.get("role") if isinstance(message, dict) else None
        if role in {"user", "assistant", "tool"}:
            self.messages += 1
            text = str(message.get("text", "")) if role == "user" else KCODE_NOTE
            if not self.is_told and not text.startswith(KCODE_NOTE):
                self.turns += 1
                self.words.append(_said(text))

    def _add_cost(self, record: Mapping[str, Any]) -> None:
        cost = record.get("cost")
        known = isinstance(cost, int | float) and self.cost is not None
        self.cost = float(self.cost or 0) + float(cost or 0) if known else None
        self.is_estimate = self.is_estimate or bool(record.get("cost_is_estimate"))


def summarize(session: Session) -> SessionSummary:
    """The session in a few words; SessionError when its log cannot be read."""
    counted = _count(session)
    title = counted.name or _one_line(next((words for words in counted.words if words.strip()), _NOTHING_SAID))
    return SessionSummary(
        session.id,
        title,
        _moment(counted.started, session),
        _moment(counted.last or counted.started, session),
        counted.command,
        counted.model,
        counted.endpoint,
        counted.turns,
        counted.messages,
        _pending(session),
        counted.cost,
        counted.is_estimate,
        tuple(counted.words),
        is_in_use(session.folder),
    )


def summarize_sessions(state_folder: Path, workspace_root: Path | None = None) -> list[SessionSummary]:
    """All sessions, or those of one workspace, that used last first; one whose log cannot be read is left out."""
    found = []
    for session in list_sessions(state_folder, workspace_root):
        with suppress(SessionError):
            found.append(summarize(session))
    return sorted(found, key=lambda one: (one.last_used, one.id), reverse=True)


def find_by_words(summaries: Iterable[SessionSummary], words: Iterable[str]) -> list[SessionSummary]:
    """Those in whose title or user's messages every word stands, in any case; the same order."""
    wanted = [word.casefold() for word in words]
    found = []
    for summary in summaries:
        text = "\n".join([summary.title, *summary.words]).casefold()
        if all(word in text for word in wanted):
            found.append(summary)
    return found


def _count(session: Session) -> _Counted:
    """What the whole log tells; what was counted of it is kept beside it, since a log only grows."""
    path = session.folder / _NAME
    try:
        with session.log_path.open("rb") as log:
            inode = session.log_path.stat().st_ino
            counted, offset = _kept(path, inode, session.log_path.stat().st_size)
            log.seek(offset)
            added = log.read()
    except OSError as error:
        raise SessionError(f"The session log {session.log_path} cannot be read: {error.strerror}.") from error
    # A line without its end is still being written.
    whole = added[: added.rfind(b"\n") + 1]
    for line in whole.splitlines(keepends=True):
        record = decode_record(line)
        if record is not None:
            counted.add(record)
    if whole:
        with suppress(OSError):
            kept = {"version": _VERSION, "inode": inode, "offset": offset + len(whole)}
            disk.write_json(path, kept | {"counted": asdict(counted)})
    return counted


def _kept(path: Path, inode: int, size: int) -> tuple[_Counted, int]:
    """What was counted before and up to where; of another log, as a repair makes one, all is counted anew."""
    try:
        stored = disk.read_json(path)
        if stored["version"] == _VERSION and stored["inode"] == inode and 0 <= stored["offset"] <= size:
            known = {member.name for member in fields(_Counted)}
            return _Counted(**{name: stored["counted"][name] for name in known}), stored["offset"]
    except (DraftError, TypeError, KeyError, ValueError):
        pass
    return _Counted(), 0


def _pending(session: Session) -> int:
    try:
        return count_changed(session.draft_folder / "base")
    except DraftError:
        return 0


def _moment(time: str, session: Session) -> datetime:
    try:
        return datetime.fromisoformat(time)
    except ValueError:
        return datetime.strptime(session.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)


def _said(words: str) -> str:
    """What is kept of a message for finding it: what was typed before what was piped in."""
    piped = _PIPED.match(words)
    return "\n".join(filter(None, (piped[2], piped[1])))[:_MOST_SEARCHED] if piped else words[:_MOST_SEARCHED]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_WIDTH else f"{line[: _TITLE_WIDTH - 1]}…"
