"""/fork: go on in a copy of this session; the one so far stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    del words
    if front.has_turn():
        raise UsageError(front.text("commands.turn_runs"))

    def fork(bench: Workbench) -> str:
        from kcode.agent.forking import fork_session  # noqa: PLC0415 - needed by few sessions

        return fork_session(bench.place, bench.session.id).id

    await front.resume(await front.call(fork))
