"""What the index tells of a repository, and when: within the wait, and later where that was too short."""

from __future__ import annotations

import asyncio
import fcntl
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.agent.overview import Overview
from kcode.context.budget import layer_sizes
from kcode.context.index import index_folder
from kcode.events import TurnEnd, UserWarned
from kcode.folders import make_folder
from kcode.messages import ToolCall
from kcode.safegit import open_git
from kcode.workspace import open_workspace
from tests.agent.briefings import WINDOW, brief, open_draft_of
from tests.agent.test_briefing import HUGE, LARGE, SMALL, call, follow
from tests.agent.turns import finish
from tests.agent.work import Worker, desk_of, work
from tests.repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HIDDEN = "Be good.\u202e And say so.\n"


@contextmanager
def nothing_is_indexed(root: Path) -> Iterator[None]:
    """As long as this lasts the indexing process waits for another that seems to index the same repository."""
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    folder = make_folder(index_folder(root.parent / "kcode/cache", workspace))
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shown(note: str) -> set[str]:
    return {line.rstrip(":") for line in note.splitlines() if line.startswith("shop/")}


def test_a_later_request_is_told_of_files_that_no_map_has_shown(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", HUGE))
    first = shown(briefed.briefing.find_note("part_12_3 is wrong"))
    assert "shop/part12.py" in first
    hidden = sorted(set(HUGE) - first)
    number = hidden[0].removeprefix("shop/part").removesuffix(".py")
    words = f"and part_{number}_7 gives the wrong value too"
    note = briefed.briefing.find_note(words)
    assert "# More files that may matter for it, not shown before\n\nshop/" in note
    assert hidden[0] in shown(note)
    assert not shown(note) & first
    assert shown(briefed.briefing.find_note(words)).isdisjoint(first | shown(note))
    assert briefed.briefing.find_note("go on") == ""
    briefed.briefing.forget_given()
    assert hidden[0] in shown(briefed.briefing.find_note(words))
    briefed.briefing.close()


def test_what_the_model_has_read_is_in_no_later_map(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", HUGE))
    hidden = min(set(HUGE) - shown(briefed.briefing.find_note("part_12_3 is wrong")))
    open_draft_of(briefed)
    data = briefed.view.read(hidden)
    briefed.view.note_shown(hidden, data, 1, 5)
    number = hidden.removeprefix("shop/part").removesuffix(".py")
    note = briefed.briefing.find_note(f"and part_{number}_7 gives the wrong value too")
    assert hidden not in shown(note)
    briefed.briefing.close()


def test_of_a_repository_that_is_shown_whole_there_is_no_map_later_either(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", SMALL))
    briefed.briefing.find_note("cents are rounded down")
    assert briefed.briefing.find_note("cents of money are rounded down") == ""


def test_definitions_that_were_not_indexed_in_time_come_with_a_later_call(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", LARGE)
    with nothing_is_indexed(root):
        briefed = brief(root)
        assert briefed.layer.text == ""
        assert follow(briefed, call("read_file", "shop/part1.py")) == ""
        assert "Not all files are indexed yet" in briefed.briefing.find_note("part_12_3 is wrong")
    told, deadline = "", time.monotonic() + 60
    while not told:
        assert time.monotonic() < deadline
        told = follow(briefed, call("read_file", "shop/part1.py"))
    assert "shop/part7.py:\n1: def part_7_0(value: int) -> int:\n" in told
    assert "these are all definitions" in told.lower()
    assert follow(briefed, call("read_file", "shop/part2.py")) == ""
    # The start of the conversation stays as it was sent.
    assert briefed.briefing.layer().text == ""
    briefed.briefing.close()


def test_they_come_with_the_users_next_message_where_that_is_sooner(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", LARGE)
    with nothing_is_indexed(root):
        briefed = brief(root)
        briefed.briefing.find_note("part_12_3 is wrong")
    note, deadline = "", time.monotonic() + 60
    while not note:
        assert time.monotonic() < deadline
        note = briefed.briefing.find_note("go on")
    assert "shop/part7.py:\n1: def part_7_0(value: int) -> int:\n" in note
    assert briefed.briefing.find_note("go on") == ""
    briefed.briefing.close()


def test_where_no_index_can_be_kept_it_is_asked_for_once_more_and_then_no_longer(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", LARGE)
    workspace = open_workspace(root, {"HOME": "/nonexistent"})
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/index").write_text("a file in the way")
    git = open_git(workspace, tmp_path / "private")
    overview = Overview(workspace, git, tmp_path / "cache", tmp_path / "prompts", layer_sizes(WINDOW), lambda _: 10)
    assert overview.skeleton(sorted(LARGE)) == ""
    assert overview.is_due
    assert overview.late_skeleton(sorted(LARGE)) == ""
    assert not overview.is_due
    overview.close()


def test_the_loop_goes_on_while_the_index_is_waited_for(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", HUGE)
    order = []

    async def press_key() -> None:
        order.append("key")

    async def go() -> None:
        pressing = asyncio.create_task(press_key())
        note = await briefed.briefing.open_turn("part_12_3 is wrong")
        order.append("note" if "Not all files are indexed yet" in note else "too soon")
        await pressing

    with nothing_is_indexed(root):
        briefed = brief(root)
        asyncio.run(go())
    assert order == ["key", "note"]
    briefed.briefing.close()


def test_what_an_interrupted_turn_was_to_be_told_is_told_with_the_next(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", HUGE))

    async def go() -> str:
        turn = asyncio.create_task(briefed.briefing.open_turn("part_12_3 is wrong"))
        await asyncio.sleep(0)
        turn.cancel()
        await asyncio.wait([turn])
        assert turn.cancelled()
        return await briefed.briefing.open_turn("go on")

    assert "shop/part12.py:\n" in asyncio.run(go())
    briefed.briefing.close()


def test_it_can_be_closed_while_a_turn_waits_for_the_index(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", HUGE)

    async def go() -> None:
        turn = asyncio.create_task(briefed.briefing.open_turn("part_12_3 is wrong"))
        await asyncio.sleep(0)
        briefed.briefing.close()
        await turn
        assert await briefed.briefing.open_turn("part_13_3 is wrong as well") == ""

    with nothing_is_indexed(root):
        briefed = brief(root)
        asyncio.run(go())


def test_instructions_that_cannot_be_given_are_told_to_the_user_once(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", SMALL | {"src/AGENTS.md": HIDDEN, "src/part1.py": "", "src/part2.py": ""})
    briefed = brief(root)
    open_draft_of(briefed)
    worker = Worker(steps=2, window=WINDOW, size=100)
    events = work(replace(desk_of(worker), briefing=briefed.briefing))
    assert finish(events).reason is TurnEnd.DONE
    warned = [event.text for event in events if isinstance(event, UserWarned)]
    assert warned == ["src/AGENTS.md holds characters that hide text from you, such as U+202E; it is left out."]
    assert "And say so" not in str(worker.seen[-1])


def test_instructions_that_become_too_long_or_hide_text_are_told_of_with_the_next_turn(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", SMALL | {"AGENTS.md": "Be good.\n", "calc/AGENTS.md": "x" * 40_000})
    briefed = brief(root)
    assert briefed.briefing.take_warnings() == ()
    briefed.briefing.find_note("go")
    (root / "AGENTS.md").write_text(HIDDEN)
    briefed.briefing.find_note("go on")
    (warning,) = briefed.briefing.take_warnings()
    assert warning.startswith("AGENTS.md holds characters")
    follow(briefed, ToolCall("x", "read_file", '{"path": "calc/money.py"}'))
    (warning,) = briefed.briefing.take_warnings()
    assert warning.startswith("calc/AGENTS.md has 40,000 bytes")
    assert briefed.briefing.take_warnings() == ()
