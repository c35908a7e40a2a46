"""/test: the tests over the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.errors import ToolError, UsageError
from kcode.options import TEST_SECONDS

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Front
    from kcode.results import TestReport


async def run(front: Front, words: str) -> None:
    if front.has_turn():
        raise UsageError(front.text("commands.turn_runs"))

    async def test(bench: Workbench) -> TestReport:
        await bench.view.ready()
        return await bench.view.run_tests(words, TEST_SECONDS)

    front.tell(front.text("commands.testing"))
    try:
        report = await front.run(test)
    except ToolError as error:
        front.tell(str(error), "warning")
        return
    front.show_tests(report)
