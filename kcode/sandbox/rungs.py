"""The ways to isolate a command, best first, and the limits that hold in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Rung(Enum):
    """How a command is isolated; the value is the name that `kcode doctor` prints."""

    OVERLAY_BWRAP = "overlay+bwrap"
    BWRAP_OVERLAY = "bwrap-overlay"
    OVERLAY_NAMESPACES = "overlay+namespaces"
    BWRAP = "bwrap"
    NAMESPACES = "namespaces"
    SEATBELT = "seatbelt"
    NONE = "none"
    UNISOLATED = "unisolated"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What `find_sandbox` found. `reasons` say, one a better rung, why that rung does not work on this machine.

    `program` is bubblewrap's path and `version` its first two numbers, where the rung needs it.
    """

    rung: Rung
    reasons: tuple[str, ...] = ()
    program: str = ""
    version: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        return self.rung.value

    @property
    def overlay(self) -> bool:
        """True when commands take an OverlayMount; else the draft is a copy, handed over as a FolderMount."""
        return self.rung in {Rung.OVERLAY_BWRAP, Rung.BWRAP_OVERLAY, Rung.OVERLAY_NAMESPACES}

    def over_folders(self) -> Sandbox:
        """The same isolation for a draft that is a copy, as one that was begun where no overlay could be mounted."""
        if not self.overlay:
            return self
        return replace(self, rung=Rung.NAMESPACES if self.rung is Rung.OVERLAY_NAMESPACES else Rung.BWRAP)

    @property
    def isolated(self) -> bool:
        """True when a command can neither write outside the draft nor reach the network."""
        return self.rung not in {Rung.NONE, Rung.UNISOLATED}


# Only after the user said so in this run: `--no-sandbox`.
UNISOLATED = Sandbox(Rung.UNISOLATED, ("The user asked for --no-sandbox.",))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use, in seconds, bytes and processes.

    `memory` limits the address space of each process; None leaves it alone, since node and the JVM reserve far more
    than they use. `cpu_seconds` is per process; None allows all that `seconds` on every core can give.
    """

    seconds: float = 120.0
    output: int = 16 << 20
    file_size: int = 2 << 30
    processes: int = 1024
    cpu_seconds: int | None = None
    memory: int | None = None
