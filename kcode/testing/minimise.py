"""Finding a smallest part of a whole that still gives one outcome: delta debugging (Zeller and Hildebrandt's ddmin)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from kcode.testing.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

Probe = Callable[[frozenset[str]], Awaitable[Verdict]]


@dataclass(frozen=True, slots=True)
class Minimum:
    """The smallest part that was found to give the outcome.

    Once it is `proven`, leaving any one out of it was seen to give another outcome.
    """

    keys: frozenset[str]
    probes: int
    proven: bool


async def minimise(probe: Probe, groups: Sequence[frozenset[str]], wanted: Verdict, *, most_probes: int) -> Minimum:
    """Find a smallest part of all groups' keys on which the verdict is the wanted one.

    All keys together are known to give it, and none of them not to; neither is probed. Groups are first kept or left
    out whole: what belongs together seldom gives a verdict apart. No part is probed twice.
    """
    search = _Search(probe, wanted, most_probes, frozenset().union(*groups))
    kept = await search.reduce([group for group in groups if group])
    kept = await search.reduce([frozenset({key}) for group in kept for key in sorted(group)])
    return Minimum(frozenset().union(*kept), search.probes, proven=not search.cut_short)


class _Search:
    """What was probed so far. When no more may be probed, nothing more is left out."""

    def __init__(self, probe: Probe, wanted: Verdict, most_probes: int, whole: frozenset[str]) -> None:
        self._probe, self._wanted, self._most = probe, wanted, most_probes
        self._known = {frozenset[str](): False, whole: True}
        self.probes, self.cut_short = 0, False

    async def reduce(self, parts: list[frozenset[str]]) -> list[frozenset[str]]:
        """A part of the parts, which together give the wanted verdict, of which none can be left out."""
        count = 2
        while len(parts) > 1:
            chunks = _split(parts, min(count, len(parts)))
            smaller = await self._first(chunks)
            if smaller is not None:
                parts, count = smaller, 2
                continue
            smaller = await self._first([[part for part in parts if part not in chunk] for chunk in chunks])
            if smaller is not None:
                parts, count = smaller, max(count - 1, 2)
            elif count >= len(parts):
                break
            else:
                count *= 2
        return parts

    async def _first(self, choices: list[list[frozenset[str]]]) -> list[frozenset[str]] | None:
        for choice in choices:
            if await self._gives(frozenset().union(*choice)):
                return choice
        return None

    async def _gives(self, keys: frozenset[str]) -> bool:
        if keys not in self._known:
            if self.probes >= self._most:
                self.cut_short = True
                return False
            self.probes += 1
            self._known[keys] = await self._probe(keys) is self._wanted
        return self._known[keys]


def _split(parts: list[frozenset[str]], count: int) -> list[list[frozenset[str]]]:
    """The parts in so many runs of nearly the same length, in order."""
    bounds = [len(parts) * number // count for number in range(count + 1)]
    return [parts[start:end] for start, end in pairwise(bounds)]
