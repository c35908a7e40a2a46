"""`kcode review` in a pipe: the model reads the change and what is around it, and writes what is wrong with it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kcode.agent.workbench import open_workbench
from kcode.headless.ask import answer_prompt
from kcode.headless.interrupts import run_until_signal
from kcode.headless.terminal import YELLOW, Terminal
from kcode.piped import mark_piped
from kcode.prompts import render_prompt

if TYPE_CHECKING:
    from kcode.options import ModelOptions, OutputOptions, PlaceOptions

EXIT_NOTHING = 3


def write_review(change: bytes, title: str, model: ModelOptions, place: PlaceOptions, output: OutputOptions) -> int:
    """Have the change, a patch, reviewed in writing; returns the exit code."""
    terminal = Terminal(os.environ, output.color)
    if not change.strip():
        terminal.say("There is nothing to review.", YELLOW)
        return EXIT_NOTHING
    bench = open_workbench(model, place, "ask")
    text = mark_piped(change.decode("utf-8", "replace"))
    prompt = render_prompt("review", bench.own_prompts, change=text, title=title)
    return run_until_signal(answer_prompt(bench, prompt, title, terminal, output))
