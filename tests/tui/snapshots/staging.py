"""How a scene is made, and where all of them are looked at."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.tui.stage import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from textual.pilot import Pilot

    Opening = Callable[["Path"], AbstractAsyncContextManager["Pilot[Any]"]]


BROAD, NARROW = (150, 45), (80, 24)
DEADLINE = 20.0
# The surroundings in which they are looked at; HOME is a folder of their own.
SETTINGS = {"TZ": "UTC", "LANG": "C.UTF-8", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
_OTHERS = {"NO_COLOR", "COLORTERM", "TMUX", "LC_ALL"}
SCENES: dict[str, Opening] = {}


def is_of_the_user(variable: str) -> bool:
    """Whether this variable of the environment may change what is shown."""
    return variable in _OTHERS or variable.startswith(("KCODE_", "XDG_", "MOONSHOT_", "OPENROUTER_"))


def scene(make: Callable[[Path], AsyncIterator[Pilot[Any]]]) -> Opening:
    """Have this one among the scenes, by its name."""
    SCENES[make.__name__] = asynccontextmanager(make)
    return SCENES[make.__name__]


async def see(pilot: Pilot[Any], *words: str) -> None:
    """Wait until all of these words are on the screen."""
    await until(lambda: all(word in shown(pilot.app) for word in words), pilot)


async def until(holds: Callable[[], bool], pilot: Pilot[Any]) -> None:
    end = asyncio.get_running_loop().time() + DEADLINE
    while not holds():
        assert asyncio.get_running_loop().time() < end, shown(pilot.app)
        await asyncio.sleep(0.005)
