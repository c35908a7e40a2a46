from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest

from kcode.agent.place import open_place
from kcode.agent.sessions import choose_session
from kcode.agent.workbench import Workbench, open_workbench
from kcode.errors import KcodeError
from kcode.options import ModelOptions, PlaceOptions
from kcode.tui.loopthread import LoopThread
from kcode.tui.news import Opened
from kcode.tui.talk import Talk
from tests.repositories import new_repository

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.questions import Question

DEADLINE = 30.0


def never(_: Question) -> Future[str | None]:
    return Future()


def test_a_closed_talk_has_closed_its_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    replies = tmp_path / "replies.jsonl"
    replies.write_text('{"kcode-cassette": 1}\n{"text": "Hello."}\n', encoding="utf-8")
    place = PlaceOptions(new_repository(tmp_path / "work", {"a.py": "x = 1\n"}))
    benches: list[Workbench] = []
    woken = threading.Event()

    def open_bench() -> Workbench:
        benches.append(open_workbench(ModelOptions(replay=replies), place, "chat"))
        return benches[0]

    talk = Talk(open_bench, woken.set, never)
    talk.start()
    assert woken.wait(DEADLINE)
    assert isinstance(talk.take()[0], Opened)
    assert talk.close(DEADLINE)
    # Nobody else may have it while it is open.
    again = open_workbench(ModelOptions(replay=replies), place, "chat", resume=benches[0].session.id)
    assert again.session.id == choose_session(open_place(place), benches[0].session.id).id


def test_whoever_waits_while_it_ends_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    def open_bench() -> Workbench:
        raise KcodeError("There is no key.")

    async def call_until_closed(talk: Talk) -> list[str]:
        told: list[str] = []
        while not told or "closed" not in told[-1]:
            with pytest.raises(KcodeError) as raised:
                await talk.call(lambda _: None)
            told.append(str(raised.value))
        return told

    async def end_while_called() -> None:
        talk = Talk(open_bench, lambda: None, never)
        talk.start()
        callers = [asyncio.create_task(call_until_closed(talk)) for _ in range(3)]
        await asyncio.sleep(0)
        ended = await asyncio.to_thread(talk.close, DEADLINE)
        assert ended
        await asyncio.wait_for(asyncio.gather(*callers), DEADLINE)

    for _ in range(100):
        asyncio.run(end_while_called())
    assert not caplog.records


def test_what_nobody_waits_for_any_more_ends_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    begun, ended = threading.Event(), threading.Event()
    loop_ends = threading.Event()

    async def serve() -> None:
        await asyncio.to_thread(loop_ends.wait)

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def call_and_leave() -> None:
        calling = asyncio.create_task(thread.call(work))
        await asyncio.to_thread(begun.wait)
        calling.cancel()
        await asyncio.wait([calling])

    thread = LoopThread("test", serve, lambda _: None, "It is over.")
    thread.start()
    asyncio.run(call_and_leave())
    assert ended.wait(DEADLINE)
    loop_ends.set()
    assert thread.join(DEADLINE)
    with pytest.raises(KcodeError, match="It is over"):
        asyncio.run(thread.call(work))
    assert not caplog.records
