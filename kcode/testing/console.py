"""Reading what a test run printed, whichever runners it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.testing import compiled, scripted
from kcode.testing.outcome import Outcome, unique
from kcode.textfile import without_colors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_READERS: tuple[Callable[[str], Outcome | None], ...] = (
    scripted.read_pytest,
    scripted.read_unittest,
    scripted.read_tap,
    scripted.read_node_spec,
    scripted.read_jest,
    scripted.read_vitest,
    scripted.read_mocha,
    scripted.read_rspec,
    scripted.read_minitest,
    scripted.read_phpunit,
    scripted.read_mix,
    scripted.read_deno,
    compiled.read_cargo,
    compiled.read_go_text,
    compiled.read_maven,
    compiled.read_gradle,
    compiled.read_dotnet,
    compiled.read_ctest,
)


def read_output(output: str) -> Outcome | None:
    """The sum of all summaries in the output, of one runner or several; None when no known runner's is there."""
    text = without_colors(output).replace("\r\n", "\n")
    found = [outcome for read in _READERS if (outcome := read(text)) is not None]
    if not found:
        return None
    return Outcome(
        _sum(one.passed for one in found),
        _sum(one.failed for one in found),
        _sum(one.skipped for one in found),
        unique([failure for one in found for failure in one.failures]),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [number for number in counts if number is not None]
    return sum(known) if known else None
