from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kcode.agent.compaction import Need, compact
from kcode.agent.ground import SessionGround
from kcode.agent.pins import Pins, fit_pinned, tell_pins
from kcode.agent.windowfiles import WindowFile, files_in_window
from kcode.context.tokens import estimate_tokens
from kcode.messages import AssistantMessage, ToolCall, ToolMessage
from kcode.session.store import SessionLog, create_session
from tests.agent.briefings import brief, open_draft_of
from tests.agent.work import Worker, desk_of, ground_of, is_asking, work
from tests.repositories import new_repository

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.agent.turn import Desk
    from kcode.messages import Message

PATHS = st.sampled_from(["a.py", "b.py", "c.py"])


def compact_now(desk: Desk) -> None:
    async def go() -> None:
        async for _ in compact(desk, Need("you asked for it")):
            pass

    asyncio.run(go())


@given(st.lists(st.tuples(st.sampled_from(["keep", "drop", "release"]), PATHS), max_size=8))
def test_a_path_is_kept_or_dropped_or_neither_as_the_user_said_last(said: list[tuple[str, str]]) -> None:
    pins = Pins()
    for word, path in said:
        pins = getattr(pins, word)(path)
    last = {path: word for word, path in said}
    assert set(pins.kept) == {path for path, word in last.items() if word == "keep"}
    assert set(pins.dropped) == {path for path, word in last.items() if word == "drop"}
    assert len(pins.kept) == len(set(pins.kept))
    assert pins.others(["a.py", "x.py"]) == [
        path for path in ("a.py", "x.py") if last.get(path, "release") == "release"
    ]


def test_a_kept_file_is_there_whole_after_a_compaction_and_a_dropped_one_is_not() -> None:
    worker = Worker(steps=4)
    desk = desk_of(worker)
    work(desk)
    assert desk.compactor is not None
    ground_of(desk).texts["src/part1.py"] = "KEPT = 1\n"
    desk.compactor.pins = Pins().keep("src/part1.py").keep("gone.py").drop("src/part2.py")
    compact_now(desk)
    asked = next(messages for messages in worker.seen if is_asking(messages))[-1].text
    assert "you will see their text again; do not copy it: src/part1.py, gone.py" in asked
    assert "leave out their contents, keep what was changed in them and what is open: src/part2.py" in asked
    (note,) = [message.text for message in desk.conversation.messages if "Files at hand" in message.text]
    assert "src/part1.py (kept by the user, as the draft has it now):\nKEPT = 1" in note
    assert "def in_src_part1" not in note
    assert "part2" not in note.partition("# Files at hand")[2]
    assert "def in_src_part3" in note


def test_of_a_kept_file_the_draft_is_read_and_a_secret_stays_one(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", {"a.py": "old = 1\n", ".env": "KEY=hush-hush\n", "b.bin": "\0"})
    briefed = brief(root)
    place, git = briefed.briefing._workspace, briefed.briefing._git
    session = create_session(tmp_path / "state", root, datetime.now(UTC), version="1", command="ask")
    with SessionLog(session) as log:
        ground = SessionGround(place, git, briefed.view, log, None, tmp_path)
        assert ground.text("a.py") is None  # the draft is not open yet
        open_draft_of(briefed)
        briefed.view.seen.note_shown("a.py", b"old = 1\n", ((1, 1),))
        briefed.view.write("a.py", b"new = 2\n")
        assert ground.text("a.py") == "new = 2\n"
        assert [ground.text(path) for path in (".env", "b.bin", "gone.py", "../outside")] == [None] * 4


def test_without_wishes_the_model_is_told_nothing_of_them() -> None:
    assert tell_pins(Pins()) == ""
    assert fit_pinned([], 100) == ""


@given(st.lists(st.integers(0, 400), max_size=4), st.integers(0, 1500))
def test_kept_files_take_no_more_than_they_may(lines: list[int], tokens: int) -> None:
    files = [(f"{place}.py", "value = compute(1)\n" * count) for place, count in enumerate(lines)]
    text = fit_pinned(files, tokens)
    assert all(f"{path} (kept by the user" in text for path, _ in files)
    assert estimate_tokens(text) <= tokens + 20 * (len(files) + 1)


def test_the_window_tells_which_files_fill_it_and_how_often_they_were_named() -> None:
    calls = (ToolCall("1", "read_file", '{"path": "a.py"}'), ToolCall("2", "search", '{"text": "x"}'))
    again = ToolCall("3", "edit_file", '{"path": "./a.py"}')
    messages: list[Message] = [
        AssistantMessage("", None, calls),
        ToolMessage("1", "read_file", "x" * 100),
        ToolMessage("2", "search", "y" * 1000),
        AssistantMessage("", None, (again, ToolCall("4", "read_file", '{"path": "b.py"}'))),
        ToolMessage("3", "edit_file", "done"),
        ToolMessage("4", "read_file", "z" * 500),
    ]
    sizes = [len('{"path": "a.py"}') + 100 + len('{"path": "./a.py"}') + 4, len('{"path": "b.py"}') + 500]
    assert files_in_window(messages, len) == [WindowFile("b.py", sizes[1], 1), WindowFile("a.py", sizes[0], 2)]
