"""Taking back a whole turn, and bringing it back: the conversation, and the draft as it was when the turn began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.draft.checkpoint import read_checkpoint, return_to, take_checkpoint
from kcode.draft.journal import operations
from kcode.draft.operations import in_force
from kcode.draft.outcome import find_told
from kcode.errors import SessionError
from kcode.events import TurnRedone, TurnUndone
from kcode.messages import KCODE_NOTE, UserMessage
from kcode.session.log import read_log
from kcode.session.turns import applied_since, messages_before, read_turns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.agent.workbench import Workbench
    from kcode.draft.files import Change
    from kcode.draft.operations import Operation
    from kcode.messages import Message
    from kcode.session.turns import Turns


def turns_of(bench: Workbench) -> Turns:
    """All turns of the session, those that are undone among them."""
    return read_turns(read_log(bench.session.log_path).records)


def undo_turn(bench: Workbench) -> TurnUndone | None:
    """Take back the last turn that is in force; None when there is none. To be called while no turn runs.

    The conversation and the draft are as they were when it began; what was said stays in the log. What the user wrote to
    their own files stays there. SessionError or DraftError where the draft of that moment is not known: then nothing is
    done.
    """
    records = read_log(bench.session.log_path).records
    turn = read_turns(records).last
    if turn is None:
        return None
    if turn.draft is None:
        raise SessionError(
            "How the draft was before that turn was not kept, since an older kcode took it. Reject what it proposes "
            "instead: kcode reject"
        )
    wanted = _known(bench, turn.draft)
    event = TurnUndone(turn.words, _still_applied(bench, records, turn.place))
    before = messages_before(records, turn.place)
    told = _told(records[turn.place :])
    about = {
        "turn": turn.number,
        "words": turn.words,
        "applied": list(event.applied),
        "draft": take_checkpoint(bench.view.draft) if bench.view.is_open else "",
    }
    _go_to(bench, [*before, *told], wanted, event.applied, undone=about)
    return event


def redo_turn(bench: Workbench) -> TurnRedone | None:
    """Bring back the turn that was undone last; None when there is none, or when something was said since."""
    records = read_log(bench.session.log_path).records
    turns = read_turns(records)
    undone = turns.undone[-1] if turns.undone else None
    turn = turns.numbered(undone.turn) if undone else None
    if undone is None or turn is None:
        return None
    wanted = _known(bench, undone.draft)
    applied = _still_applied(bench, records, undone.place)
    about = {"turn": turn.number, "words": turn.words}
    _go_to(bench, messages_before(records, undone.place), wanted, applied, redone=about)
    return TurnRedone(turn.words)


def _still_applied(bench: Workbench, records: Sequence[dict[str, Any]], place: int) -> tuple[str, ...]:
    """The files that the user wrote something of since then and did not take back."""
    kept = {path for one in applies_in_force(bench) for path in one.paths}
    return tuple(path for path in applied_since(records, place) if path in kept)


def applies_in_force(bench: Workbench) -> list[Operation]:
    """What was written of this session's draft and not taken back, the newest last."""
    return [one for one in in_force(operations(bench.place.journal)) if one.label == bench.session.id]


def _go_to(
    bench: Workbench, messages: Sequence[Message], wanted: Sequence[Change], applied: Sequence[str], **about: Any
) -> None:
    # The log comes first: a crash in between leaves a draft that proposes too much, and loses nothing.
    bench.desk.conversation.begin_epoch(messages, lambda kept: bench.log.append_epoch(kept, **about))
    if bench.view.is_open:
        return_to(bench.view.draft, wanted, applied)
    if bench.desk.compactor is not None:
        bench.desk.compactor.ground.forget_shown()


def _known(bench: Workbench, name: str) -> tuple[Change, ...]:
    return read_checkpoint(bench.session.draft_folder, name)


def _told(records: Sequence[dict[str, Any]]) -> list[Message]:
    """What the turn's message told of the user's decisions: these are carried out, and stay."""
    said = (record["message"] for record in records if record.get("type") == "message")
    texts = (str(message.get("text", "")) for message in said if message.get("role") == "user")
    told = next((found for text in texts if not text.startswith(KCODE_NOTE) and (found := find_told(text))), "")
    return [UserMessage(f"{KCODE_NOTE} the user decided about what you had proposed.\n\n{told}")] if told else []
