"""Where each piece of news goes on the conversation screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.events import (
    CompactionStarted,
    ReasoningStreamed,
    RetryScheduled,
    RetryWaiting,
    StepStarted,
    TextStreamed,
    ToolCallStarted,
    TurnFinished,
    TurnStarted,
)
from kcode.tui.widgets.draftbar import DraftState

if TYPE_CHECKING:
    from kcode.draft.review import Reviewed
    from kcode.draft.versions import TestRun
    from kcode.events import Event
    from kcode.tui.news import Counted
    from kcode.tui.widgets.activity import Activity
    from kcode.tui.widgets.statusline import StatusState

# What a token of prose or code is about, in characters; good enough for a rate.
_CHARACTERS_A_TOKEN = 4


def show_activity(activity: Activity, event: Event) -> None:
    """Have the activity line tell what the event is about."""
    match event:
        case TurnStarted():
            activity.begin()
        case StepStarted():
            activity.phase("waiting")
        case ReasoningStreamed(text):
            activity.phase("thinking")
            activity.count(max(len(text) // _CHARACTERS_A_TOKEN, 1))
        case TextStreamed(text):
            activity.phase("writing")
            activity.count(max(len(text) // _CHARACTERS_A_TOKEN, 1))
        case ToolCallStarted(call):
            activity.begin_unless_begun()
            activity.phase("testing" if call.name == "run_tests" else "running", call.name)
        case RetryScheduled(seconds=seconds, attempt=attempt, attempts=attempts):
            activity.retry(round(seconds), attempt, attempts)
        case RetryWaiting(left, attempt, attempts):
            activity.retry(left, attempt, attempts)
        case CompactionStarted():
            activity.begin_unless_begun()
            activity.phase("compacting")
        case TurnFinished():
            activity.end()
        case _:
            pass


def with_account(state: StatusState, counted: Counted) -> StatusState:
    """The status with what the session takes by now."""
    account, usage = counted.account, counted.account.spent.usage
    return replace(
        state,
        model=account.model,
        used=account.tokens,
        window=account.window,
        trigger=account.hard,
        cost=usage.cost,
        is_spent=usage.prompt_tokens > 0,
        is_free=not counted.is_billed,
        is_confined=counted.is_confined,
        cached=usage.cached_tokens / usage.prompt_tokens if usage.prompt_tokens else None,
    )


def draft_state(view: Reviewed, tests: TestRun | None, review_key: str) -> DraftState:
    """The draft in numbers. `tests` is the last run over it as it is, None where there was none."""
    from kcode.draft.hunks import count_lines  # noqa: PLC0415 - after the first paint
    from kcode.draft.review import Decision  # noqa: PLC0415

    added, removed = count_lines(view.proposal)
    rejected = len(view.keys(Decision.REJECTED))
    accepted = len(view.keys(Decision.ACCEPTED))
    return DraftState(
        files=len(view.proposal.changes),
        added=added,
        removed=removed,
        tests="none" if tests is None else "passed" if tests.ok else "failed" if tests.failed else "broken",
        passed=(tests.passed or 0) if tests else 0,
        failed=(tests.failed or 0) if tests else 0,
        before=tests.before if tests else None,
        is_chosen=tests.is_chosen if tests else False,
        pending=len(view.decisions) - accepted - rejected,
        accepted=accepted,
        rejected=rejected,
        conflicts=len(view.proposal.conflicts),
        review_key=review_key,
    )
