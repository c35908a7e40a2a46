"""The turns of a session as its log tells them: what the user said, how the draft was then, and what was undone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kcode.messages import KCODE_NOTE
from kcode.session.records import conversation_of, read_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kcode.messages import Message

    Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn; `number` counts all of the session's from 1, also those that were undone.

    `place` is where in the records it begins. `draft` names the checkpoint of the draft as it was then, "" while nothing
    was changed in it; None where an older kcode kept none. `time` is when it began, "" where that is not known.
    """

    number: int
    words: str
    place: int
    draft: str | None
    time: str = ""
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """A turn that is undone; `place` is where in the records that was done, `draft` the checkpoint from just before."""

    turn: int
    place: int
    draft: str


@dataclass(frozen=True, slots=True)
class Turns:
    """All turns in order, and those that can be redone, the next one last."""

    all: tuple[Turn, ...] = ()
    undone: tuple[Undone, ...] = ()

    @property
    def last(self) -> Turn | None:
        """The last turn that is in force."""
        return next((turn for turn in reversed(self.all) if not turn.is_undone), None)

    def numbered(self, number: int) -> Turn | None:
        return self.all[number - 1] if 0 < number <= len(self.all) else None


def read_turns(records: Sequence[Record]) -> Turns:
    """The turns that the records tell of.

    In a log of an older kcode each message of the user's begins one.
    """
    turns: list[Turn] = []
    undone: list[Undone] = []
    is_told = False  # from the first record of a turn on there is one for each
    notes: int | None = None  # where the notes begin that stand before the user's message
    for place, record in enumerate(records):
        match record.get("type"):
            case "turn":
                is_told = True
                turns.append(_turn(len(turns) + 1, place, record, str(record.get("words", "")), record.get("draft")))
                undone.clear()
            case "epoch":
                _step(record, place, turns, undone)
            case "message" if not is_told:
                text = _users_text(record)
                if text is None:
                    notes = None
                elif text.startswith(KCODE_NOTE):
                    notes = place if notes is None else notes
                else:
                    begin, notes = place if notes is None else notes, None
                    turns.append(_turn(len(turns) + 1, begin, record, text, None))
    return Turns(tuple(turns), tuple(undone))


def messages_before(records: Sequence[Record], place: int) -> list[Message]:
    """The conversation as it was before the record at that place."""
    return conversation_of(read_entries(records[:place]))


def applied_since(records: Sequence[Record], place: int) -> tuple[str, ...]:
    """The files that the user wrote something of since, sorted."""
    found = {
        str(path)
        for record in records[place:]
        if record.get("type") == "decision" and record.get("decision") == "applied"
        for path in record.get("paths", ())
    }
    return tuple(sorted(found))


def _turn(number: int, place: int, record: Record, words: str, draft: Any) -> Turn:
    return Turn(number, words, place, draft if isinstance(draft, str) else None, str(record.get("time", "")))


def _step(record: Record, place: int, turns: list[Turn], undone: list[Undone]) -> None:
    """Take note of a step back or forth; any other epoch ends what could be redone."""
    if (back := record.get("undone")) is not None and 0 < back["turn"] <= len(turns):
        at = back["turn"] - 1
        turns[at] = replace(turns[at], is_undone=True)
        undone.append(Undone(back["turn"], place, str(back.get("draft", ""))))
    elif (forth := record.get("redone")) is not None and undone and undone[-1].turn == forth["turn"]:
        at = undone.pop().turn - 1
        turns[at] = replace(turns[at], is_undone=False)
    else:
        undone.clear()


def _users_text(record: Record) -> str | None:
    message = record.get("message")
    if isinstance(message, dict) and message.get("role") == "user" and isinstance(message.get("text"), str):
        return str(message["text"])
    return None
