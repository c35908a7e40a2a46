"""Long work in a real repository: what is shown unasked only ever stands behind what was said before."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kcode.events import TurnEnd
from kcode.messages import KCODE_NOTE, SystemMessage, UserMessage
from tests.agent.briefings import WINDOW, brief, open_draft_of
from tests.agent.test_briefing import HUGE
from tests.agent.turns import all_calls_are_answered_once_and_directly_behind, finish
from tests.agent.work import Worker, desk_of, is_asking, work
from tests.repositories import git, new_repository

if TYPE_CHECKING:
    from pathlib import Path

TURNS, CALLS, BLOCK = 15, 20, 4 * 256


def test_three_hundred_requests_with_saves_edits_and_mentions_begin_with_the_bytes_of_the_one_before(
    tmp_path: Path,
) -> None:
    root = new_repository(
        tmp_path / "r", HUGE | {"src/AGENTS.md": "Parts are read in order.\n", "AGENTS.md": "Be good.\n"}
    )
    briefed = brief(root)
    open_draft_of(briefed)
    worker = Worker(steps=0, size=500, window=WINDOW, keeps_bodies=True)
    desk = desk_of(worker)
    desk = replace(desk, briefing=briefed.briefing)
    for turn in range(TURNS):
        worker.steps += CALLS
        assert finish(work(desk, f"Turn {turn}: go on with @shop/part{turn}.py")).reason is TurnEnd.DONE
        (root / f"shop/part{turn + 1}.py").write_text(f"saved = {turn}\n")
        briefed.view.write(f"shop/made{turn}.py", b"made = 1\n")
        if turn % 5 == 4:
            (root / "AGENTS.md").write_text(f"Be better, {turn}.\n")
            git(root, "commit", "-q", "-a", "-m", f"After turn {turn}")
    briefed.briefing.close()
    said = [message.text for message in worker.seen[-1] if isinstance(message, UserMessage)]
    notes = said[0::2]
    assert len(notes) == TURNS
    assert all(note.startswith(KCODE_NOTE) for note in notes)
    assert "# Files that may matter for it" in notes[0]
    assert "shop/part3.py, all 1 lines:\n1→saved = 2" in notes[3]
    assert "Be better, 4." in notes[5]
    assert "New commit: " in notes[5]
    assert sum("Parts are read in order." in str(message) for message in worker.seen[-1]) == 1
    bodies = [body for body, seen in zip(worker.bodies, worker.seen, strict=True) if not is_asking(seen)]
    assert len(bodies) == len(worker.bodies) > 300
    assert all(now.startswith(before[: before.rindex(b"]")]) for before, now in pairwise(bodies))
    hit = sum(before.rindex(b"]") // BLOCK * BLOCK for before in bodies[:-1])
    assert hit / sum(map(len, bodies)) >= 0.95
    assert all(all_calls_are_answered_once_and_directly_behind(messages) for messages in worker.seen[::20])


def test_after_a_compaction_the_notes_are_gone_and_the_instructions_of_a_folder_come_again(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", HUGE | {"src/AGENTS.md": "Parts are read in order.\n"})
    briefed = brief(root, window=40_000)
    open_draft_of(briefed)
    worker = Worker(steps=40, size=6000, window=40_000)
    desk = replace(desk_of(worker), briefing=briefed.briefing)
    assert desk.compactor is not None
    desk.compactor.ground.__dict__["forget_shown"] = briefed.briefing.forget_given
    assert finish(work(desk, "Go on with @shop/part3.py")).reason is TurnEnd.DONE
    briefed.briefing.close()
    asked = [place for place, messages in enumerate(worker.seen) if is_asking(messages)]
    assert asked
    fresh = worker.seen[asked[-1] + 1]
    assert isinstance(fresh[0], SystemMessage)
    assert "# Files that may matter for it" not in str(fresh)
    assert UserMessage("Go on with @shop/part3.py") in fresh
    assert "Parts are read in order." in str(worker.seen[-1])
