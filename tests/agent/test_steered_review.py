"""Decisions about hunks that are made while a turn runs: they travel with the message that steers it."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kcode.agent.reviewing import review_of
from kcode.agent.turn import run_turn
from kcode.draft.review import Decision, comment, decide
from kcode.events import MessageTaken, ToolCallFinished
from kcode.messages import AssistantMessage
from tests.agent.sittings import Sittings, begin_sittings, edit
from tests.agent.turns import ScriptedProvider

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.events import Event
    from tests.agent.sittings import Sitting


@pytest.fixture
def sittings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sittings:
    return begin_sittings(tmp_path, monkeypatch)


def reject_and_steer(sitting: Sitting) -> tuple[list[Event], ScriptedProvider]:
    """Reject the first edit with a comment as soon as it is made, and say something."""
    provider = ScriptedProvider([edit(0, "a.py", "one = 1", "one = 11"), AssistantMessage("I see.")])
    desk = replace(sitting.bench.desk, provider=provider)

    async def turn() -> list[Event]:
        events = []
        async with aclosing(run_turn(desk, "go")) as stream:
            async for event in stream:
                sitting.bench.record(event)
                events.append(event)
                if isinstance(event, ToolCallFinished):
                    review = review_of(sitting.bench)
                    (key,) = review.look().decisions
                    review.keep(comment(decide(review.review, [key], Decision.REJECTED), key, "one stays one"))
                    sitting.bench.waiting.put("look at b instead")
        return events

    return sitting.runner.run(turn()), provider


def test_a_rejection_and_its_comment_go_with_the_words(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        events, provider = reject_and_steer(sitting)
        assert MessageTaken("look at b instead") in events
        message = provider.seen[1][-1].text
        assert message.startswith("look at b instead\n\n<review>")
        assert "one stays one" in message
        assert sitting.drafted() == {}
        (request,) = sitting.say("and then?")
        assert sum("one stays one" in one.text for one in request) == 1


def test_a_turn_goes_on_where_the_review_cannot(sittings: Sittings) -> None:
    with sittings.sit() as sitting:
        sitting.say("nothing yet")
        review = sitting.bench.session.draft_folder / "review.json"
        provider = ScriptedProvider([edit(0, "a.py", "one = 1", "one = 11"), AssistantMessage("I see.")])
        desk = replace(sitting.bench.desk, provider=provider)

        async def turn() -> None:
            async with aclosing(run_turn(desk, "go")) as stream:
                async for event in stream:
                    if isinstance(event, ToolCallFinished):
                        kept = review_of(sitting.bench)
                        kept.keep(decide(kept.review, kept.look().decisions, Decision.REJECTED))
                        (sitting.bench.session.draft_folder / "base" / "index.json").write_text("{")
                        sitting.bench.waiting.put("go on")

        sitting.runner.run(turn())
        assert provider.seen[1][-1].text == "go on"
        assert review.exists()
