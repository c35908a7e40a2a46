"""What the command line says, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ColorChoice = Literal["auto", "always", "never"]
# How long one run of the tests may take, in seconds.
TEST_SECONDS = 600.0
# How often a bisection runs the tests: both end points twice at least, and so often if it is not said.
LEAST_RUNS, MOST_RUNS = 4, 60
COLOR_CHOICES: tuple[ColorChoice, ...] = ("auto", "always", "never")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Where the model is and what a turn may take; None is "not said on the command line"."""

    endpoint: str | None = None
    base_url: str | None = None
    model: str | None = None
    max_steps: int | None = None
    max_cost: float | None = None
    timeout: float | None = None
    record: Path | None = None
    replay: Path | None = None
    web_search: bool | None = None


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Which folder is worked on, how commands run there, and what of it is packed into the first request.

    `pack` is None for nothing, "" for all that people wrote, or a pattern of paths. `allow_secrets` are patterns of files
    that the model may see although they look as if they held passwords or keys.
    """

    folder: Path = Path()
    anywhere: bool = False
    no_sandbox: bool = False
    test_command: str | None = None
    pack: str | None = None
    allow_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What comes out: at most one of `apply`, `patch` and `json` leads."""

    apply: bool = False
    patch: bool = False
    json: bool = False
    quiet: bool = False
    file: Path | None = None
    color: ColorChoice = "auto"


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """How a proposal is shown: as a patch, unless one of these is chosen."""

    hunks: bool = False
    why: bool = False


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Which hunks are tested, by the words that name them, and how. `words` empty means all of them."""

    __test__ = False

    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    none: bool = False
    target: str = ""
    seconds: float = TEST_SECONDS
    bisect: bool = False
    most_runs: int = MOST_RUNS
