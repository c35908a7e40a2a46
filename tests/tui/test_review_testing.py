from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from kcode.agent.place import open_place
from kcode.tui.backgroundtests import BackgroundTests
from kcode.tui.pendingdesk import PendingDesk
from tests.agent.proposals import make_bench
from tests.headless.proposals import INVOICE, Proposed
from tests.tui.reviewing import desk_of, walking

if TYPE_CHECKING:
    from pathlib import Path


def test_the_accepted_hunks_are_tested_with_the_users_files(proposed: Proposed, tmp_path: Path) -> None:
    if make_bench(tmp_path / "probe", "copy") is None:
        pytest.skip("commands cannot be isolated here")
    check = "echo 'not ok 1 - taxed'; exit 1"
    command = f"echo TAP version 13; if grep -q 0.25 invoice.py; then {check}; else echo 'ok 1 - taxed'; fi; echo 1..1"
    proposed = replace(proposed, place=replace(proposed.place, test_command=command))

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("a", "t")
            await walk.see("1 hunk: 1 passed")
            await walk.press("j", "k")
            await walk.see("1 hunk: 1 passed")
            await walk.press("space", "space", "J", "space")
            await walk.until(lambda: "1 passed" not in walk.text)
            await walk.press("space", "T")
            await walk.see("5 hunks: 1 failed: taxed", "✗ taxed")
            await walk.press("escape")
            assert "✗ taxed" not in walk.text

    asyncio.run(walk_through())
    assert proposed.read("invoice.py") == INVOICE


def test_a_run_of_the_tests_can_be_ended(proposed: Proposed, tmp_path: Path) -> None:
    if make_bench(tmp_path / "probe", "copy") is None:
        pytest.skip("commands cannot be isolated here")
    proposed = replace(proposed, place=replace(proposed.place, test_command="echo started; sleep 600"))

    async def walk_through() -> None:
        async with walking(desk_of(proposed)) as walk:
            await walk.press("t")
            await walk.see("tests: 0 s · ctrl+x ends them · started")
            await walk.press("t")
            await walk.see("The tests are running")
            await walk.press("ctrl+x")
            await walk.see("The tests were ended before they were through.")

    asyncio.run(walk_through())


class Bare(PendingDesk):
    """As on a machine where nothing can be isolated, and the user allowed that; the tests go on until they are ended."""

    def is_confined(self) -> bool:
        return False

    def tests(self, *_: object) -> BackgroundTests:
        return BackgroundTests(partial(asyncio.sleep, 600))  # type: ignore[arg-type] # it never comes to a report


def test_it_is_said_where_tests_run_without_a_sandbox(proposed: Proposed) -> None:
    place = open_place(proposed.place)

    async def walk_through() -> None:
        async with walking(Bare(proposed.review(), place, proposed.place), (80, 24)) as walk:
            await walk.see("decided 0 of 5  no sandbox")
            await walk.press("t")
            await walk.see("Testing your files with 0 hunks, without a sandbox")
            await walk.press("ctrl+x")
            await walk.see("The tests were ended before they were through.")

    asyncio.run(walk_through())


def test_a_sandbox_that_works_is_used_also_where_none_is_asked_for(proposed: Proposed, tmp_path: Path) -> None:
    if make_bench(tmp_path / "probe", "copy") is None:
        pytest.skip("commands cannot be isolated here")
    assert desk_of(replace(proposed, place=replace(proposed.place, no_sandbox=True))).is_confined()
    assert desk_of(proposed).is_confined()
