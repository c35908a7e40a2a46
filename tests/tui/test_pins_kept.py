"""What the user kept and dropped in the context is so in a later run of the session, and in a fork of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kcode.agent.forking import fork_session
from kcode.agent.place import open_place
from kcode.agent.sessions import choose_session
from kcode.options import PlaceOptions
from kcode.session.store import load_past
from tests.model_server import reply
from tests.program import make_program
from tests.tui.living import enter_environment, living

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.model_server import ModelServerFactory

READS = [("read_file", {"path": "calc/money.py"}), ("read_file", {"path": "tests/test_money.py"})]


def test_pinned_left_and_resumed_it_is_still_pinned(
    tmp_path: Path, model_server: ModelServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = model_server([reply(calls=READS), reply("Read both."), reply("The note."), reply("Done.")])
    program = make_program(tmp_path, more={"KCODE_BASE_URL": server.url})
    enter_environment(program, monkeypatch)

    async def run() -> None:
        async with living(program) as user:
            await user.see("kimi-k2-thinking")
            await user.send("what is here?")
            await user.hear("Read both.")
            await user.rest()
            await user.send("/context")
            await user.until(lambda: type(user.app.screen).__name__ == "ContextScreen")
            await user.see("calc/money.py", "tests/test_money.py")
            await user.press("p", "down", "d")
            await user.see("● kept", "○ dropped")
            await user.press("escape")
            await user.until(lambda: user.app.screen is user.app.conversation)
            await user.send("/quit")
            await user.until(lambda: user.app._exit)
            session = user.app.session
        async with living(program, resume=session) as user:
            await user.hear("Going on with this session")
            await user.send("/context")
            await user.see("● kept", "○ dropped")
            await user.press("escape")
            await user.until(lambda: user.app.screen is user.app.conversation)
            await user.send("/compact")
            await user.hear("Compacted")
            await user.rest()

    asyncio.run(run())
    place = open_place(PlaceOptions(program.repository))
    past = load_past(choose_session(place))
    assert {past.kept, past.dropped} == {("calc/money.py",), ("tests/test_money.py",)}
    asked = server.requests[2].json["messages"][-1]["content"]
    assert (
        f"The user keeps these files at hand, and you will see their text again; do not copy it: {past.kept[0]}"
        in asked
    )
    assert (
        f"no longer needed; leave out their contents, keep what was changed in them and what is open: {past.dropped[0]}"
        in asked
    )
    forked = load_past(fork_session(place, choose_session(place).id))
    assert (forked.kept, forked.dropped) == (past.kept, past.dropped)
