"""How a model's indentation stands for a file's: a map from one to the other that the lines found in both show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.draft.ladder import BLANK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class UnclearIndentError(ValueError):
    """Why lines cannot be indented as the file is; the text goes on after "`old`" and has no full stop."""


@dataclass(frozen=True, slots=True)
class _Step:
    """`size` blanks of one kind; a deeper line has one step more."""

    blank: str
    size: int


@dataclass(frozen=True, slots=True)
class IndentMap:
    """What the file has for each indentation in `old`, and what one step in the model's lines is in the file."""

    known: Mapping[str, str]
    steps: tuple[_Step, _Step] | None

    def to_file(self, indent: str) -> str:
        """The file's indentation for one of the model's; UnclearIndentError when nothing shows it."""
        if indent in self.known:
            return self.known[indent]
        if all(here == there for there, here in self.known.items()):
            return indent
        # The nearest known one that this one is deeper or shallower than.
        for known in sorted(self.known, key=lambda known: abs(len(known) - len(indent))):
            there = self.known[known]
            if indent.startswith(known) and (more := self._converted(indent[len(known) :])) is not None:
                return there + more
            less = self._converted(known[len(indent) :]) if known.startswith(indent) else None
            if less is not None and there.endswith(less):
                return there.removesuffix(less)
        raise UnclearIndentError("shows no line indented as one of `new` is, so it is not clear how deep that one goes")

    def _converted(self, blanks: str) -> str | None:
        """The file's blanks for those that one line has more than another; None if they are no number of steps."""
        if self.steps is None:
            return None
        theirs, ours = self.steps
        if blanks.strip(theirs.blank) or (len(blanks) * ours.size) % theirs.size:
            return None
        return ours.blank * (len(blanks) * ours.size // theirs.size)


def map_indents(window: Sequence[str], old: Sequence[str], new: Sequence[str], file: Sequence[str]) -> IndentMap:
    """The map that `old` and the file's lines in its place show; UnclearIndentError if one indent has two meanings."""
    known: dict[str, str] = {}
    for here, there in zip(window, old, strict=True):
        if not there.strip(BLANK):
            continue
        indent = indent_of(there)
        if known.setdefault(indent, indent_of(here)) != indent_of(here):
            raise UnclearIndentError(
                "has lines with one and the same indentation that are indented differently in the file"
            )
    return IndentMap(known, _steps_of(known) if len(known) > 1 else _usual_steps([*old, *new], file))


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(BLANK))]


def _steps_of(known: Mapping[str, str]) -> tuple[_Step, _Step] | None:
    """The steps that the differences between known indentations show, if all show the same."""
    shallow = min(known, key=len)
    shown: set[tuple[str, str, float]] = set()
    steps = None
    for indent, here in known.items():
        if indent == shallow:
            continue
        if not indent.startswith(shallow) or not here.startswith(known[shallow]):
            return None
        there, ours = indent[len(shallow) :], here[len(known[shallow]) :]
        if not ours or len(set(there)) > 1 or len(set(ours)) > 1:
            return None
        steps = (_Step(there[0], len(there)), _Step(ours[0], len(ours)))
        shown.add((there[0], ours[0], len(ours) / len(there)))
    return steps if len(shown) == 1 else None


def _usual_steps(model: Iterable[str], file: Iterable[str]) -> tuple[_Step, _Step] | None:
    theirs, ours = _usual_step(model), _usual_step(file)
    return None if theirs is None or ours is None else (theirs, ours)


def _usual_step(lines: Iterable[str]) -> _Step | None:
    """What a line is most often indented by beyond the line above it."""
    counts: Counter[tuple[str, int]] = Counter()
    above = None
    for line in lines:
        if not line.strip(BLANK):
            continue
        indent = indent_of(line)
        if above is not None and indent.startswith(above) and len(set(more := indent[len(above) :])) == 1:
            counts[more[0], len(more)] += 1
        above = indent
    return _Step(*counts.most_common(1)[0][0]) if counts else None
