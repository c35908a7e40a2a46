"""The sessions of a workspace: listed, found, chosen and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import SessionError
from kcode.sanitize import sanitize_line
from kcode.session.store import SessionLog, find_session
from kcode.session.summary import find_by_words, summarize_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.agent.place import Place
    from kcode.session.store import Session
    from kcode.session.summary import SessionSummary

_MOST_NAMED = 5


def list_sessions(place: Place, words: Iterable[str] = ()) -> list[SessionSummary]:
    """The sessions of this workspace, that used last first: all, or those that these words are in.

    Without words, those in which nothing was said are left out.
    """
    found = summarize_sessions(place.state, place.workspace.root)
    wanted = list(words)
    return find_by_words(found, wanted) if wanted else [one for one in found if one.turns]


def choose_session(place: Place, wanted: str = "") -> Session:
    """The session that is meant: the last one here, one by its id or the start of that, or one by words of its title.

    SessionError where there is none, and where there are several by the same words.
    """
    found = list_sessions(place)
    if not wanted.strip():
        if not found:
            raise SessionError("There is no session here to go on with. kcode alone begins one.")
        return find_session(place.state, found[0].id)
    by_id = [one for one in summarize_sessions(place.state, place.workspace.root) if one.id.startswith(wanted.strip())]
    chosen = by_id or [one for one in found if _in_title(one, wanted.split())] or find_by_words(found, wanted.split())
    if len(chosen) == 1:
        return find_session(place.state, chosen[0].id)
    if not chosen:
        raise SessionError(f"There is no session {wanted!r} here. kcode sessions lists those that there are.")
    names = "\n".join(f"- {one.id}  {sanitize_line(one.title)}" for one in chosen[:_MOST_NAMED])
    more = f"\nand {len(chosen) - _MOST_NAMED} more" if len(chosen) > _MOST_NAMED else ""
    raise SessionError(f"{wanted!r} may be {len(chosen)} sessions. Name one by its id:\n{names}{more}")


def rename_session(session: Session, name: str) -> None:
    """Give the session this name in lists; an empty one takes it away."""
    with SessionLog(session) as log:
        log.append_name(" ".join(name.split()))


def _in_title(summary: SessionSummary, words: Iterable[str]) -> bool:
    title = summary.title.casefold()
    return all(word.casefold() in title for word in words)
