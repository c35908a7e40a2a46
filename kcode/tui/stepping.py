"""Taking back and bringing back from the conversation: a turn of it, or what was applied of the draft."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from kcode.errors import UsageError
from kcode.sanitize import sanitize_names

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.events import TurnRedone, TurnUndone

Way = Literal["undo", "redo"]


def step_apply(bench: Workbench, way: Way) -> tuple[str, ...]:
    """Take back what was applied last, or apply again what was undone; the paths.

    RefusedError where the user's own changes since would be merged with it, since that wants to be seen first.
    """
    from kcode.draft.journal import plan_redo, plan_undo, reverse  # noqa: PLC0415 - needed by few sessions

    workspace, journal = bench.workspace, bench.place.journal
    reversal = (plan_undo if way == "undo" else plan_redo)(workspace, journal)
    if reversal.merged:
        raise UsageError(
            f"You changed {sanitize_names(sorted(reversal.merged))} since. /journal shows what it would become, and "
            f"{'takes it back' if way == 'undo' else 'applies it again'} there."
        )
    return tuple(reverse(workspace, journal, reversal).paths)


def step_turn(bench: Workbench, way: Way) -> TurnUndone | TurnRedone | None:
    """Take back the last turn, or bring back the one that was undone last; None when there is none."""
    from kcode.agent.stepback import redo_turn, undo_turn  # noqa: PLC0415 - needed by few sessions

    return undo_turn(bench) if way == "undo" else redo_turn(bench)


def what_changed_last(bench: Workbench) -> Literal["turn", "apply"]:
    """Whether the last thing that can be taken back is something applied, or the turn before that."""
    from kcode.agent.stepback import turns_of  # noqa: PLC0415 - needed by few sessions
    from kcode.draft.journal import operations  # noqa: PLC0415
    from kcode.draft.operations import in_force  # noqa: PLC0415

    applied = [one for one in in_force(operations(bench.place.journal)) if one.label == bench.session.id]
    last = turns_of(bench).last
    if not applied:
        return "turn"
    began = datetime.fromisoformat(last.time).timestamp() if last is not None and last.time else 0.0
    return "apply" if applied[-1].when >= began else "turn"
