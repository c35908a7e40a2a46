from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from kcode.agent.place import open_place
from kcode.agent.sessions import choose_session
from kcode.agent.workbench import Workbench, open_workbench
from kcode.options import ModelOptions, PlaceOptions
from kcode.tui.news import Opened
from kcode.tui.talk import Talk
from tests.repositories import new_repository

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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
