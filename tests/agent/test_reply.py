"""One reply: what is asked of the user when it fails, and the wait before it is asked for again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from kcode.errors import ProviderError
from kcode.events import KeyEntered, ModelChosen, RetryScheduled, RetryWaiting, TurnEnd
from kcode.messages import UserMessage
from kcode.questions import ChooseModel, EnterKey
from kcode.results import Failure
from tests.agent.turns import DONE, NOTE, ScriptedProvider, StillView, answers, collect, desk_with, finish, run

if TYPE_CHECKING:
    from kcode.agent.turn import Desk
    from kcode.questions import Ask, Question

GONE = Failure("model", "It is gone.\nIt serves: kimi-k3, kimi-k2.6.", choices=("kimi-k3", "kimi-k2.6"))
NO_KEY = Failure("key", "The key was refused.")


def switched(desk: Desk) -> list[tuple[str | None, str | None]]:
    return cast("ScriptedProvider", desk.provider).switched


def answering(asked: list[Question], answer: str | None) -> Ask:
    async def ask(question: Question) -> str | None:
        asked.append(question)
        return answer

    return ask


def test_a_model_that_is_gone_is_chosen_anew_and_nothing_is_lost() -> None:
    asked: list[Question] = []
    desk = desk_with(NOTE, GONE, DONE, ask=answering(asked, "kimi-k2.6"))
    events = run(desk)
    assert finish(events).reason is TurnEnd.DONE
    assert asked == [ChooseModel("It is gone.", ("kimi-k3", "kimi-k2.6"))]
    assert switched(desk) == [("kimi-k2.6", None)]
    assert ModelChosen("kimi-k2.6") in events
    assert cast("StillView", desk.view).log == ["ready", "a", "b"]
    assert [text for _, text in answers(desk)] == ["noted a", "noted b"]


def test_another_key_is_asked_for_and_nothing_is_lost() -> None:
    asked: list[Question] = []
    desk = desk_with(NOTE, NO_KEY, DONE, ask=answering(asked, "sk-other"))
    events = run(desk)
    assert finish(events).reason is TurnEnd.DONE
    assert asked == [EnterKey("The key was refused.")]
    assert switched(desk) == [(None, "sk-other")]
    assert KeyEntered() in events
    assert "sk-other" not in repr(events)


@pytest.mark.parametrize("failure", [GONE, NO_KEY])
@pytest.mark.parametrize("nobody", [True, False])
def test_without_an_answer_the_failure_is_raised(failure: Failure, nobody: bool) -> None:
    desk = desk_with(failure, ask=None if nobody else answering([], None))
    with pytest.raises(ProviderError) as raised:
        run(desk)
    assert raised.value.failure == failure
    assert desk.conversation.messages[1:] == [UserMessage("go")]


def test_a_model_without_choices_is_not_asked_for() -> None:
    asked: list[Question] = []
    with pytest.raises(ProviderError):
        run(desk_with(Failure("model", "gone"), ask=answering(asked, "x")))
    assert asked == []


def test_after_three_questions_in_a_row_the_failure_is_raised() -> None:
    asked: list[Question] = []
    with pytest.raises(ProviderError, match="refused"):
        run(desk_with(*[NO_KEY] * 4, ask=answering(asked, "sk-other")))
    assert len(asked) == 3


def test_each_second_of_the_wait_is_told() -> None:
    events = run(desk_with(Failure("retry", "busy", 1.05), DONE))
    waits = [e for e in events if isinstance(e, RetryScheduled | RetryWaiting)]
    assert isinstance(waits[0], RetryScheduled)
    assert (waits[0].reason, waits[0].attempt, waits[0].attempts) == ("busy", 1, 8)
    assert waits[1:] == [RetryWaiting(left, 1, 8) for left in (2, 1, 0)]


def test_cancelling_the_wait_ends_it_at_once() -> None:
    async def leave() -> None:
        desk = desk_with(Failure("retry", "busy", 50.0), DONE)
        task = asyncio.create_task(collect(desk))
        while not cast("ScriptedProvider", desk.provider).seen:  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)

    asyncio.run(leave())
