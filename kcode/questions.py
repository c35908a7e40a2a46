"""What the loop asks the person in front of it, through the one callback that a front end passes in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChooseModel:
    """The model is not served here; the answer is one of `choices`, or another id."""

    message: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnterKey:
    """The endpoint refused the key; the answer is another key, which must not be shown while it is typed."""

    message: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """The model is going in circles; the answer is "yes" to let it go on."""

    message: str


Question = ChooseModel | EnterKey | GoOn

# None means that nobody is there, or that the person wants to stop.
Ask = Callable[[Question], Awaitable[str | None]]
