"""/model [ID]: go on with another model of this endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    if front.has_turn():
        raise UsageError(front.text("commands.turn_runs"))
    model = words or await _choose(front)
    if not model:
        return

    def switch(bench: Workbench) -> None:
        bench.provider.switch(model=model)

    await front.call(switch)
    front.tell(front.text("commands.model_changed", model=model), "good")


async def _choose(front: Front) -> str | None:
    async def served(bench: Workbench) -> tuple[str, ...]:
        return tuple(sorted(row.id for row in await bench.provider.list_models()))

    front.tell(front.text("commands.asking_models"))
    current = await front.call(lambda bench: bench.provider.model)
    ids = await front.run(served)
    # One that the user named need not be among those that are served.
    choices = ids if current in ids else (current, *ids)
    return await front.choose(front.text("commands.which_model"), choices, current, other=True)
