"""Taking back and bringing back from the conversation: a turn of it, or what was applied of the draft."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from kcode.errors import UsageError
from kcode.sanitize import sanitize_line, sanitize_names

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.events import TurnRedone, TurnUndone
    from kcode.tui.screens.conversation import ConversationScreen
    from kcode.tui.screens.reviewlooking import ReviewOutcome

Way = Literal["undo", "redo"]
_LONGEST_SHOWN = 60


async def step(screen: ConversationScreen, way: Way, what: str) -> None:
    """Take back or bring back the last "turn" or "apply", or with "" what changed last; a turn only if the user agrees."""
    talk, texts = screen.kcode.talk, screen.texts
    which = what or ("turn" if way == "redo" else await talk.call(what_changed_last))
    if which == "apply":
        paths = await talk.call(partial(step_apply, way=way))
        screen.tell(texts(f"app.{way}_apply", paths=sanitize_names(paths)), "good")
        talk.look_at_draft()
        return
    if way == "undo" and not await _agrees(screen):
        return
    done = await talk.call(partial(step_turn, way=way))
    if done is None and way == "redo" and not what:
        await step(screen, "redo", "apply")
    elif done is None:
        screen.tell(texts(f"app.nothing_to_{way}"))
    else:
        screen.transcript.show(done)
        talk.look_at_draft()


async def _agrees(screen: ConversationScreen) -> bool:
    """Whether the user wants the last turn taken back, once they were told which that is."""
    from kcode.tui.widgets.question import Confirm  # noqa: PLC0415 - needed by few sessions

    words = await screen.kcode.talk.call(_words_of_last_turn)
    if words is None:
        return True  # there is nothing to lose, which is said
    texts, line = screen.texts, sanitize_line(words)
    line = line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"
    question = Confirm(texts("app.undo_turn", words=line), texts("app.undo_turn_yes"), texts("app.undo_turn_no"))
    if await screen.questions.ask(question) is None:
        return False
    if screen.running:
        raise UsageError(texts("commands.turn_runs"))
    return True


def _words_of_last_turn(bench: Workbench) -> str | None:
    from kcode.agent.stepback import turns_of  # noqa: PLC0415 - needed by few sessions

    turn = turns_of(bench).last
    return None if turn is None else " ".join(turn.words.split())


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
    from kcode.agent.stepback import applies_in_force, turns_of  # noqa: PLC0415 - needed by few sessions

    applied = applies_in_force(bench)
    last = turns_of(bench).last
    if not applied:
        return "turn"
    began = datetime.fromisoformat(last.time).timestamp() if last is not None and last.time else 0.0
    return "apply" if applied[-1].when >= began else "turn"


def written(bench: Workbench) -> dict[int, tuple[str, ...]]:
    """The paths of what was applied of this session's draft and not taken back, by the operations' numbers."""
    from kcode.agent.stepback import applies_in_force  # noqa: PLC0415 - needed by few sessions

    return {one.number: one.paths for one in applies_in_force(bench)}


def tell_written(
    screen: ConversationScreen,
    before: dict[int, tuple[str, ...]],
    after: dict[int, tuple[str, ...]],
    outcome: ReviewOutcome | None,
) -> None:
    """Say what came of a review, in which what was applied may have been taken back, or the other way round."""
    texts, applied = screen.texts, outcome.applied if outcome is not None else 0
    added = {path for number, paths in after.items() if number not in before for path in paths}
    gone = {path for number, paths in before.items() if number not in after for path in paths} - added
    if applied and added:
        screen.tell(texts("app.applied", count=applied))
    elif applied:
        screen.tell(texts("app.applied_in_vain"))
    elif added:
        screen.tell(texts("app.redo_apply", paths=sanitize_names(sorted(added))))
    if gone:
        screen.tell(texts("app.undo_apply", paths=sanitize_names(sorted(gone))))
    if outcome is not None and outcome.rejected:
        screen.tell(texts("app.rejected", count=outcome.rejected))
