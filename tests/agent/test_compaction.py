from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from kcode.agent.compaction import Compactor, Need, compact
from kcode.agent.turn import run_turn
from kcode.errors import GitError
from kcode.events import (
    CompactionStarted,
    ContextCompacted,
    ReplyDiscarded,
    ReplyFinished,
    StepStarted,
    TextStreamed,
    ToolCallStarted,
    TurnEnd,
)
from kcode.messages import KCODE_NOTE, AssistantMessage, SystemMessage, ToolCall, ToolMessage, UserMessage
from kcode.questions import GoOn
from tests.agent.turns import all_calls_are_answered_once_and_directly_behind, finish
from tests.agent.work import FRESH, SYSTEM, Shelf, StillGround, Worker, desk_of, ground_of, is_asking, texts_of, work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.agent.turn import Desk, LiveView
    from kcode.events import Event
    from kcode.messages import Message
    from kcode.questions import Question

ONLY_CALLS = AssistantMessage("", "Let me look.", (ToolCall("functions.read:99", "read", '{"path": "x"}'),))


def compactions(events: Sequence[Event]) -> list[ContextCompacted]:
    return [event for event in events if isinstance(event, ContextCompacted)]


def asked_for_notes(worker: Worker) -> list[list[Message]]:
    return [messages for messages in worker.seen if is_asking(messages)]


def compact_now(desk: Desk, focus: str = "") -> list[Event]:
    async def go() -> list[Event]:
        return [event async for event in compact(desk, Need("you asked for it", focus=focus))]

    return asyncio.run(go())


def test_a_new_epoch_holds_the_users_words_the_note_and_the_state_of_the_draft_and_nothing_half() -> None:
    worker = Worker(steps=20)
    desk = desk_of(worker)
    ground_of(desk).changed["src/part3.py"] = "+4 -1"
    events = work(desk, "Read it.\n\tAll of it — ✓ ")
    (compacted,) = compactions(events)
    assert compacted.before >= 0.7 * worker.window
    assert ground_of(desk).forgotten == 1
    assert compacted.transcript == "/tmp/kcode-output/transcript-1.txt"
    after = worker.seen[[is_asking(messages) for messages in worker.seen].index(True) + 1]
    system, words, note = after
    assert (system, words) == (FRESH, UserMessage("Read it.\n\tAll of it — ✓ "))
    assert isinstance(note, UserMessage)
    assert note.text.startswith(KCODE_NOTE)
    for piece in ("I work on it.", "src/part3.py | +4 -1", compacted.transcript, "src/part3.py:\n1-9 def in_src_part3"):
        assert piece in note.text
    assert note.text.index("src/part3.py:") < note.text.index("src/part12.py:")


def test_the_request_for_the_note_is_the_conversation_and_one_message_more_and_nothing_of_it_stays() -> None:
    worker = Worker(steps=20)
    desk = desk_of(worker)
    work(desk)
    (asked,) = asked_for_notes(worker)
    place = worker.seen.index(asked)
    assert asked[: len(worker.seen[place - 1])] == worker.seen[place - 1]
    assert [type(message) for message in asked[-3:]] == [AssistantMessage, ToolMessage, UserMessage]
    assert worker.offered[place] == 1
    assert worker.limits[place] == 10_000
    assert worker.limits[place - 1] is None
    assert not is_asking(desk.conversation.messages)
    assert ONLY_CALLS not in desk.conversation.messages


def test_what_the_model_writes_for_itself_is_not_shown_as_an_answer_and_counts_as_no_step() -> None:
    worker = Worker(steps=20)
    events = work(desk_of(worker))
    assert [event.text for event in events if isinstance(event, TextStreamed)] == ["All is read."]
    end = finish(events)
    assert end.steps == len([event for event in events if isinstance(event, ReplyFinished)]) == 21
    assert [event.number for event in events if isinstance(event, StepStarted)] == list(range(1, 22))
    assert end.usage.cost == pytest.approx(22 * 0.01)
    assert end.usage.prompt_tokens == sum(worker.lengths)


def test_what_a_note_costs_counts_towards_the_limit() -> None:
    worker = Worker(steps=20)
    desk = desk_of(worker)
    work(desk)
    replies = worker.seen.index(asked_for_notes(worker)[0])
    limited = Worker(steps=20)
    end = finish(work(desk_of(limited, cost=0.01 * (replies + 1))))
    assert (end.reason, end.steps) == (TurnEnd.COST_LIMIT, replies)
    assert len(limited.seen) == replies + 1
    assert end.usage.cost == pytest.approx(0.01 * (replies + 1))


def test_the_whole_transcript_is_kept_thoughts_and_results_included() -> None:
    worker = Worker(steps=20)
    desk = desk_of(worker)
    work(desk)
    (transcript,) = ground_of(desk).transcripts
    assert "=== user\nRead all of it.\n" in transcript
    assert "=== assistant, thinking\nI read part 1.\n=== call of read\n{" in transcript
    assert transcript.count("=== result of read\n") == transcript.count("=== call of read\n") > 5
    assert SYSTEM.text not in transcript


def test_before_a_turn_half_a_window_is_enough_and_the_new_question_follows_the_note() -> None:
    worker = Worker(steps=20, window=60_000)
    desk = desk_of(worker)
    assert compactions(work(desk)) == []
    assert 0.5 * 60_000 < desk.conversation.tokens() < 0.7 * 60_000
    worker.steps = worker.done
    (compacted,) = compactions(work(desk, "And now?"))
    assert compacted.reason.startswith("it filled 5")
    asked = asked_for_notes(worker)[0]
    assert "And now?" not in texts_of(asked)
    assert worker.seen[-1][-1] == UserMessage("And now?")
    assert [m for m in worker.seen[-1] if m == UserMessage("And now?")] == [UserMessage("And now?")]


@pytest.mark.parametrize(("minutes", "count"), [(4, 0), (6, 1)])
def test_behind_a_call_that_took_long_half_a_window_is_enough_too(minutes: int, count: int) -> None:
    worker, now = Worker(steps=24, window=60_000), [0.0]

    class SlowShelf(Shelf):
        async def ready(self) -> None:
            now[0] += 60.0 * minutes if worker.lengths[-1] > 33_000 else 1.0

    view = cast("LiveView", SlowShelf(worker.size, ""))
    compactor = Compactor(StillGround(), lambda: now[0])
    found = compactions(work(replace(desk_of(worker), compactor=compactor, view=view)))
    assert len(found) == count
    assert all(0.5 * 60_000 < compacted.before < 0.65 * 60_000 for compacted in found)


def test_without_anything_new_nothing_is_compacted_again() -> None:
    worker = Worker(steps=3)
    desk = desk_of(worker)
    work(desk)
    assert [type(event) for event in compact_now(desk)] == [CompactionStarted, ContextCompacted]
    assert compact_now(desk) == []
    assert len(asked_for_notes(worker)) == 1


def test_the_user_may_say_what_the_note_must_keep() -> None:
    worker = Worker(steps=3)
    desk = desk_of(worker)
    work(desk)
    compact_now(desk, "the port numbers")
    assert "keep above all: the port numbers" in texts_of(asked_for_notes(worker)[0][-1:])


def test_where_the_place_cannot_be_read_anew_the_old_system_message_serves() -> None:
    class GoneGround(StillGround):
        def system(self) -> SystemMessage:
            raise GitError("git is gone")

    worker = Worker(steps=20)
    desk = replace(desk_of(worker), compactor=Compactor(GoneGround()))
    assert len(compactions(work(desk))) == 1
    assert desk.conversation.messages[0] == SYSTEM


def test_nothing_is_compacted_that_would_only_grow() -> None:
    worker = Worker(steps=0)
    desk = desk_of(worker)
    work(desk, "Hello.")
    before = list(desk.conversation.messages)
    assert [type(event) for event in compact_now(desk)] == [CompactionStarted, ReplyDiscarded]
    assert list(desk.conversation.messages) == before


def test_where_the_conversation_gives_no_note_a_transcript_without_tools_is_asked_over() -> None:
    replies = [ONLY_CALLS, AssistantMessage("What I know."), AssistantMessage("", "Hm.")]
    worker = Worker(steps=20, note=lambda _: replies.pop(0))
    events = work(desk_of(worker))
    asked = asked_for_notes(worker)
    assert len(compactions(events)) == 1
    assert [worker.offered[worker.seen.index(messages)] for messages in asked] == [1, 0]
    assert [type(message) for message in asked[1]] == [SystemMessage, UserMessage]
    assert "=== result of read" in texts_of(asked[1])
    assert not [
        event for event in events if isinstance(event, ToolCallStarted) and event.call.arguments == '{"path": "x"}'
    ]
    assert len([event for event in events if isinstance(event, ReplyDiscarded)]) == 1
    assert "What I know." in texts_of(worker.seen[-1])


def test_without_a_note_the_work_goes_on_while_there_is_room_and_then_from_what_is_known() -> None:
    worker = Worker(steps=30, note=lambda _: AssistantMessage("", "Hm."))
    events = work(desk_of(worker))
    first = compactions(events)[0]
    assert first.reason == "the next request would not fit the window"
    assert finish(events).reason is TurnEnd.DONE
    assert "No note could be had" in texts_of(worker.seen[-1])
    assert '- read {"path": "src/part2' in texts_of(worker.seen[-1])
    assert len(asked_for_notes(worker)) < 12


@pytest.mark.parametrize("true_window", [9_000, 20_000, 30_000])
def test_an_endpoint_with_a_smaller_window_than_known_is_worked_with_all_the_same(true_window: int) -> None:
    worker = Worker(steps=30, window=100_000, true_window=true_window)
    events = work(desk_of(worker))
    assert finish(events).reason is TurnEnd.DONE
    assert {event.reason for event in compactions(events)} == {"the endpoint found the request too long"}
    assert len(worker.refused) >= 1
    assert all(all_calls_are_answered_once_and_directly_behind(messages) for messages in worker.seen)


def test_where_the_request_for_the_note_is_refused_too_a_shorter_one_is_made() -> None:
    worker = Worker(steps=2, window=100_000, true_window=12_000, size=1500, calls=30, counts=3.0)
    events = work(desk_of(worker))
    assert finish(events).reason is TurnEnd.DONE
    assert len(worker.refused) > len(compactions(events)) > 0
    assert "No note could be had" not in texts_of(worker.seen[-1])


def test_what_the_user_asks_alone_being_too_long_ends_the_turn() -> None:
    worker = Worker(steps=3, window=20_000)
    desk = desk_of(worker)
    work(desk)
    end = finish(work(desk, "word " * 40_000))
    assert end.reason is TurnEnd.WINDOW_FULL
    assert "ask about less" in end.text
    assert worker.refused == []


@pytest.mark.parametrize("is_there", [True, False])
def test_after_three_compactions_without_a_finished_step_only_the_user_can_let_it_go_on(is_there: bool) -> None:
    questions: list[Question] = []

    async def ask(question: Question) -> str | None:
        questions.append(question)
        return None

    worker = Worker(steps=100, window=30_000)
    desk = desk_of(worker, ask=ask if is_there else None)

    async def break_off_in_the_first_call() -> None:
        async with aclosing(run_turn(desk, "On. " * 3000)) as events:
            async for event in events:
                if isinstance(event, ToolCallStarted):
                    return

    for _ in range(3):
        asyncio.run(break_off_in_the_first_call())
        assert len(compactions(compact_now(desk))) == 1
    asyncio.run(break_off_in_the_first_call())
    end = finish(work(desk, "word " * 25_000))
    assert (end.reason, [type(question) for question in questions]) == (TurnEnd.WINDOW_FULL, [GoOn] * is_there)
    assert "3 times without a finished step" in end.text
    assert len(asked_for_notes(worker)) == 3
