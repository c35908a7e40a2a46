"""The person at the terminal: how they answer what the loop asks in the middle of a turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.headless.terminal import YELLOW
from kcode.questions import ChooseModel, EnterKey, GoOn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.headless.report import Reporter
    from kcode.headless.terminal import Terminal
    from kcode.questions import Ask, Question

_MOST_LISTED = 40


def ask_person(terminal: Terminal, reporter: Reporter) -> Ask | None:
    """The loop's way to ask whoever is at the terminal; None when nobody is."""
    if not terminal.has_person():
        return None

    async def ask(question: Question) -> str | None:
        reporter.close()
        terminal.forget_typed()
        terminal.say(f"! {question.message}", YELLOW)
        match question:
            case ChooseModel(choices=choices):
                return await _choose(terminal, choices)
            case EnterKey():
                return await _enter_key(terminal)
            case GoOn():
                return await _agree(terminal)

    return ask


async def _choose(terminal: Terminal, choices: Sequence[str]) -> str | None:
    for number, name in enumerate(choices[:_MOST_LISTED], 1):
        terminal.say(f"{number:>4}  {name}")
    if len(choices) > _MOST_LISTED:
        terminal.say(f"      and {len(choices) - _MOST_LISTED} more")
    while True:
        answer = await _line(terminal, "Go on with which model? Its number or id; Enter alone stops: ")
        if not answer.isdigit():
            return answer or None
        if 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]


async def _enter_key(terminal: Terminal) -> str | None:
    while True:
        key = await _line(terminal, "Another key (it is not shown); Enter alone stops: ", hidden=True)
        if re.fullmatch(r"[!-~]*", key):
            return key or None
        terminal.say("A key has neither blanks nor signs beyond ASCII.")


async def _agree(terminal: Terminal) -> str | None:
    while True:
        answer = (await _line(terminal, "Let it go on? [y/n] ")).lower()
        if answer[:1] in {"y", "n"}:
            return "yes" if answer[0] == "y" else None


async def _line(terminal: Terminal, question: str, *, hidden: bool = False) -> str:
    line = await terminal.wait_for_line(question, hidden=hidden)
    if line is None:
        # Ctrl-D at a question leaves as Ctrl-C does.
        raise KeyboardInterrupt
    return line
