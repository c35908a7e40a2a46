"""`kcode` alone: the interface, or the conversation line by line. Without typer, since it is to be there at once."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.options import ColorChoice, ModelOptions, PlaceOptions


def open_conversation(
    prompt: str, model: ModelOptions, place: PlaceOptions, color: ColorChoice, resume: str | None, *, plain: bool
) -> int:
    """Talk until the user leaves; the exit code. `resume` is a session's id, words of its title, or "" for the last one.

    Line by line where that is wanted with `plain`, or nothing else can be shown.
    """
    if plain or not _has_screen():
        from kcode.headless.plain import converse

        return converse(prompt, model, place, color, resume)
    from kcode.agent.place import open_place
    from kcode.tui.app import Start, run_interface

    spot = open_place(place)
    session = None
    if resume is not None:
        from kcode.agent.sessions import choose_session

        session = choose_session(spot, resume).id
    code, wants_demo = run_interface(Start(model, place, spot, prompt, session))
    if wants_demo:
        from kcode.headless.demo import run_demo

        return run_demo(color)
    return code


def _has_screen() -> bool:
    """Whether a person sits at a terminal that can be drawn on."""
    streams = (sys.stdin, sys.stdout)
    is_terminal = all(stream is not None and stream.isatty() for stream in streams)
    return is_terminal and os.environ.get("TERM", "dumb") not in {"", "dumb", "unknown"}
