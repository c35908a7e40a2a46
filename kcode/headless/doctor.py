"""`kcode doctor`: how kcode stands on this machine and in this folder, and why."""

from __future__ import annotations

import os
from contextlib import aclosing
from typing import TYPE_CHECKING

from kcode.agent.checkup import examine_place
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import write_line
from kcode.headless.probe import print_finding, probe_endpoint
from kcode.headless.terminal import YELLOW, Terminal

if TYPE_CHECKING:
    from kcode.options import ModelOptions, PlaceOptions


def examine(model: ModelOptions, place: PlaceOptions, *, probe: bool, json: bool) -> int:
    """Print one line a finding on stdout; 0 when kcode can work here, else 1.

    Raises ProviderError where the endpoint fails while it is probed.
    """
    terminal = Terminal(os.environ)
    bad: set[str] = set()

    async def print_all() -> None:
        async with aclosing(examine_place(model, place)) as findings:
            async for level, name, text in findings:
                if level == "bad":
                    bad.add(name)
                if json:
                    write_line("finding", level=level, name=name, text=text)
                else:
                    print_finding(terminal, level, name, text)

    run_until_signal(print_all())
    if probe and not bad & {"endpoint", "key"}:
        if not probe_endpoint(model, terminal, json=json):
            bad.add("probe")
    elif probe:
        terminal.say("The endpoint was not probed: see above.", YELLOW)
    if json:
        write_line("doctor.completed", exit_code=int(bool(bad)))
    return int(bool(bad))
