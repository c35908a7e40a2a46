from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from textual.events import Key

from kcode.agent.place import open_place
from kcode.options import PlaceOptions
from kcode.session.history import read_history
from kcode.session.store import find_session
from kcode.tui.keys import KEYS
from tests.model_server import reply
from tests.program import make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

# What leaves, and what opens a program of its own.
LEFT_OUT = {"ctrl+c", "ctrl+q", "ctrl+d", "ctrl+g", "ctrl+x", "o", "E"}
NAMED = [key.strip() for one in KEYS for key in one.keys.split(",")]
TYPED = ["up", "down", "left", "right", "home", "end", "backspace", "delete", "tab", "enter", *"abwxty/@? 12"]
SCREENS = ["f1", "f2", "f6", "f7", "/settings", "/journal", "/theme", "/model", "/diff"]


@pytest.mark.parametrize("seed", [1, 2])
def test_no_keys_at_random_end_it_or_lose_the_session(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - keys keep no secret
    edit = reply(calls=[("write_file", {"path": "b.py", "content": "y = 2\n"})])
    server = model_server([edit, reply("Done."), *[reply(f"Answer {number}.") for number in range(400)]])
    program = make_program(tmp_path, {"a.py": "x = 1\n"}, {"KCODE_BASE_URL": server.url, "EDITOR": "true"})
    enter_environment(program, monkeypatch)
    keys = sorted(key for key in (*NAMED, *TYPED) if key not in LEFT_OUT)

    async def go() -> str:
        async with living(program, prompt="make b.py") as person:
            await person.hear("Done.")
            for screen in chance.sample(SCREENS, len(SCREENS)):
                typed = ["ctrl+u", *screen, "enter"] if screen.startswith("/") else [screen]
                for key in (*["escape"] * 4, *typed, *(chance.choice(keys) for _ in range(40))):
                    person.app.post_message(Key(key, key if len(key) == 1 else None))
                await person.pilot.pause()
                assert person.app.is_running
            return person.app.session

    session = asyncio.run(go())
    place = open_place(PlaceOptions(program.repository))
    assert read_history(find_session(place.state, session))
