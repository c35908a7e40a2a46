"""Going on with a session: its conversation, what was paid, its draft, and what the model was last told of the workspace."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from kcode.agent.accounting import Ledger, replay_into
from kcode.agent.conversation import Conversation
from kcode.context.changes import Situation
from kcode.draft import disk
from kcode.errors import DraftError, SessionError
from kcode.messages import SystemMessage
from kcode.sanitize import sanitize_line
from kcode.session.lock import SessionLock
from kcode.session.records import mend_history
from kcode.session.store import find_session, load_past

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kcode.agent.length import RequestLength
    from kcode.agent.place import Place
    from kcode.agent.view import DraftView
    from kcode.messages import Message
    from kcode.providers.openai_chat import OpenAIChat
    from kcode.session.store import Past, Session, SessionLog
    from kcode.settings import Settings

_SITUATION = "situation.json"
_FRESH = "The conversation goes on with a draft in which nothing is changed."


@dataclass(frozen=True, slots=True)
class Earlier:
    """A session that was begun before, held by this process from here on."""

    session: Session
    lock: SessionLock
    past: Past


def open_earlier(place: Place, session_id: str) -> Earlier:
    """Take a session of this workspace to go on with.

    SessionError when there is none with this id, when it is another workspace's, and when another process works in it.
    """
    session = find_session(place.state, session_id)
    if session.workspace_root != place.workspace.root:
        raise SessionError(
            f"The session {session.id} belongs to {session.workspace_root}. Go on with it there: "
            f"kcode -C {session.workspace_root} -r {session.id}"
        )
    lock = SessionLock(session)
    try:
        return Earlier(session, lock, load_past(session))
    except SessionError:
        lock.release()
        raise


def settings_for_past(settings: Settings, past: Past, endpoint: str) -> Settings:
    """The settings with the session's last model, where it goes on at the same endpoint and the user names no model."""
    if past.model and past.endpoint == endpoint and settings.model is None:
        return replace(settings, model=past.model)
    return settings


def describe_change(past: Past, provider: OpenAIChat) -> list[str]:
    """What to tell the user where another model goes on with the session."""
    endpoint = provider.endpoint.name
    if (past.model or provider.model, past.endpoint or endpoint) == (provider.model, endpoint):
        return []
    was = f"{sanitize_line(past.model or 'another model')} at {sanitize_line(past.endpoint or 'another endpoint')}"
    return [f"This session last used {was}; it goes on with {provider.model} at {endpoint}."]


def conversation_in(log: SessionLog, length: RequestLength, messages: Iterable[Message] = ()) -> Conversation:
    """A conversation that the log keeps from here on, begun with messages that it holds already."""
    return Conversation(messages, log.append_message, length, log.append_epoch, log.append_event)


def go_on_with(
    past: Past, length: RequestLength, log: SessionLog, system: Callable[[], SystemMessage], command: str
) -> tuple[Conversation, Ledger]:
    """The conversation as the log holds it, with an answer to each call, and what was paid for it.

    What a crash left out is added to the log, so that the next request is the same whoever makes it. `system` is asked
    where the log has lost the first message, and where a question's session goes on as another `command`, with more tools.
    """
    messages, ledger = replay_into(length, past)
    mended = mend_history(messages)
    is_whole = mended[: len(messages)] == messages
    conversation = conversation_in(log, length, messages if is_whole else mended)
    for answer in mended[len(messages) :] if is_whole else ():
        conversation.append(answer)
    if not mended:
        conversation.append(system())
    elif past.command == "ask" != command or not isinstance(mended[0], SystemMessage):
        conversation.begin_epoch([system(), *(mended[1:] if isinstance(mended[0], SystemMessage) else mended)])
    return conversation, ledger


def reopen_draft(view: DraftView, session: Session, past: Past) -> list[str]:
    """Have the draft of the earlier run in the view; returns what to tell the user where it is lost."""
    try:
        view.reopen()
    except DraftError as error:
        aside = disk.set_aside(session.draft_folder)
        return [f"{error} What it proposed is kept in {aside}. {_FRESH}"]
    if past.changed_draft and view.shell is not None and not view.is_open:
        return [f"The draft of this session is gone, and with it what was proposed and not applied. {_FRESH}"]
    return []


def keep_situation(session: Session, situation: Situation | None, clean: Callable[[str], str]) -> None:
    """Keep what the model was last told of the workspace, for a later run; without it nothing is told of changes since.

    `clean` takes the key out of the texts.
    """
    if situation is not None:
        instructions = {origin: clean(text) for origin, text in situation.instructions.items()}
        with suppress(OSError):
            disk.write_json(session.folder / _SITUATION, asdict(replace(situation, instructions=instructions)))


def recall_situation(session: Session) -> Situation | None:
    """What the model was last told of the workspace; None where that was not kept."""
    try:
        return _decode(disk.read_json(session.folder / _SITUATION))
    except (DraftError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _decode(stored: Any) -> Situation | None:
    if stored is None:
        return None
    stamps = {
        str(path): None if stamp is None else (int(stamp[0]), int(stamp[1])) for path, stamp in stored["stamps"].items()
    }
    return Situation(
        str(stored["branch"]),
        tuple(map(str, stored["commits"])),
        {str(path): str(state) for path, state in stored["states"].items()},
        stamps,
        {str(origin): str(text) for origin, text in stored["instructions"].items()},
    )
