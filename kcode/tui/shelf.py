"""The sessions of a workspace as the screen for them stands on them. All of it may be called in a thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kcode.messages import KCODE_NOTE, AssistantMessage, UserMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kcode.agent.place import Place
    from kcode.tui.screens.sessions import Said, SessionEntry

_MOST_PREVIEWED = 8


class PlaceShelf:
    """Implements kcode.tui.screens.sessions.SessionShelf."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def entries(self) -> Sequence[SessionEntry]:
        from kcode.agent.sessions import list_sessions  # noqa: PLC0415 - after the first paint

        return list_sessions(self._place)

    def search(self, words: str) -> Collection[str]:
        from kcode.agent.sessions import list_sessions  # noqa: PLC0415 - after the first paint

        return {one.id for one in list_sessions(self._place, words.split())}

    def preview(self, session_id: str) -> Sequence[Said]:
        from kcode.session.store import find_session, load_conversation  # noqa: PLC0415 - after the first paint
        from kcode.tui.blocks.user import words_of  # noqa: PLC0415
        from kcode.tui.screens.sessions import Said  # noqa: PLC0415

        said = []
        for message in load_conversation(find_session(self._place.state, session_id)):
            if isinstance(message, UserMessage) and not message.text.startswith(KCODE_NOTE):
                words = words_of(message.text)
                said.append(Said(by_user=True, text=words.own or words.piped))
            elif isinstance(message, AssistantMessage) and message.text.strip():
                said.append(Said(by_user=False, text=message.text))
        return said[-_MOST_PREVIEWED:]

    def name_session(self, session_id: str, title: str) -> None:
        from kcode.agent.sessions import rename_session  # noqa: PLC0415 - after the first paint
        from kcode.session.store import find_session  # noqa: PLC0415

        rename_session(find_session(self._place.state, session_id), title)

    def export(self, session_id: str, file: str) -> str:
        from kcode.agent.exporting import write_session  # noqa: PLC0415 - after the first paint
        from kcode.session.store import find_session  # noqa: PLC0415

        path = Path(file).expanduser()
        write_session(self._place, find_session(self._place.state, session_id), path)
        return str(path)

    def title_of(self, session_id: str) -> str:
        """What the session is called; "" where it is no longer there."""
        return next((one.title for one in self.entries() if one.id == session_id), "")


def fork(place: Place, session_id: str, at: int | None = None) -> str:
    """Begin a session with what another one was before its turn `at`, or is by now; its id."""
    from kcode.agent.forking import fork_session  # noqa: PLC0415 - after the first paint

    return fork_session(place, session_id, at).id
