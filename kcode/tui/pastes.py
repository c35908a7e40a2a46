"""Large pastes as chips: in the composer stands `[paste 1: 240 lines]`, the model gets the whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_LINES, _MOST_CHARACTERS = 20, 2_000


@dataclass(frozen=True, slots=True)
class Pastes:
    """What the chips in a text stand for."""

    contents: Mapping[str, str] = field(default_factory=dict)

    def folded(self, pasted: str, chip: str) -> tuple[Pastes, str]:
        """With this paste behind a chip; `chip` is its text with `{number}` and `{lines}` for what they say."""
        number = 1
        lines = pasted.count("\n") + (not pasted.endswith("\n"))
        while (label := chip.format(number=number, lines=lines)) in self.contents:
            number += 1
        return Pastes({**self.contents, label: pasted}), label

    def expanded(self, text: str) -> str:
        """The text as the model gets it."""
        pattern = self._pattern()
        return pattern.sub(lambda found: self.contents[found.group()], text) if pattern else text

    def used_in(self, text: str) -> Pastes:
        """Those whose chips the text holds."""
        return Pastes({chip: pasted for chip, pasted in self.contents.items() if chip in text})

    def chip_at(self, text: str, at: int) -> tuple[int, int] | None:
        """The chip that this place is in or at the edge of, from its start up to its end."""
        pattern = self._pattern()
        found = (match.span() for match in pattern.finditer(text)) if pattern else iter(())
        return next((span for span in found if span[0] <= at <= span[1]), None)

    def _pattern(self) -> re.Pattern[str] | None:
        return re.compile("|".join(map(re.escape, self.contents))) if self.contents else None


def is_large(pasted: str) -> bool:
    return pasted.count("\n") >= _MOST_LINES or len(pasted) > _MOST_CHARACTERS


def pasted_text(pasted: str) -> str:
    r"""What a terminal pastes, with "\n" for its line ends: many send "\r"."""
    return pasted.replace("\r\n", "\n").replace("\r", "\n")


def shown_text(pasted: str) -> str:
    """What of a paste may stand in the composer, which draws what it holds: controls are shown in words and pictures."""
    return sanitize(pasted_text(pasted))
