"""What the model was shown of each file, so that nothing is written over that it does not know."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kcode.draft.linediff import changed_ranges
from kcode.draft.original import to_lines
from kcode.errors import EditRefusedError, ToolError
from kcode.textfile import LONGEST_LINE, decode_text, show_ranges
from kcode.tooling import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.tooling import Applied

    Lines = tuple[tuple[int, int], ...]

# Of a larger file it is only kept that it is the same or not.
_LARGEST_KEPT = 2_000_000
_MOST_LINES, _MOST_LINES_IN_ALL = 24, 40


@dataclass(frozen=True, slots=True)
class Sight:
    """One file as the model last saw it, and the lines of it (from 1, both ends included) that it was shown."""

    digest: bytes
    data: bytes | None
    lines: Lines


def sight_of(data: bytes, lines: Iterable[tuple[int, int]]) -> Sight:
    return Sight(_digest(data), data if len(data) <= _LARGEST_KEPT else None, _joined(lines))


def carried(sight: Sight | None, data: bytes) -> Lines:
    """The lines of `data` that the model knows from what it saw before."""
    if sight is None or sight.digest == _digest(data):
        return sight.lines if sight else ()
    if sight.data is None:
        return ()
    kept: list[tuple[int, int]] = []
    old_from, shift = 0, 0
    changes = changed_ranges(_lines(sight.data), _lines(data))
    for change in changes:
        kept += _within(sight.lines, old_from + 1, change.old_from, shift)
        old_from, shift = change.old_to, change.new_to - change.old_to
    return _joined([*kept, *_within(sight.lines, old_from + 1, None, shift)])


def _within(lines: Lines, first: int, last: int | None, shift: int) -> list[tuple[int, int]]:
    cut = [(max(low, first), high if last is None else min(high, last)) for low, high in lines]
    return [(low + shift, high + shift) for low, high in cut if low <= high]


def _joined(lines: Iterable[tuple[int, int]]) -> Lines:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(lines):
        if high < low:
            continue
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _lines(data: bytes) -> list[bytes]:
    try:
        return to_lines(decode_text(data).text)
    except ToolError:
        return [data]


def shown_whole(data: bytes, first: int, last: int) -> list[tuple[int, int]]:
    """Of the lines first-last those that are shown to their ends."""
    try:
        lines = decode_text(data).lines
    except ToolError:
        return []
    return [(at, at) for at in range(first, min(last, len(lines)) + 1) if len(lines[at - 1]) <= LONGEST_LINE]


class Seen:
    """What the model was shown in this conversation, by the path in the draft; nothing of it is kept beyond."""

    def __init__(self) -> None:
        self._sights: dict[str, Sight] = {}

    def note_shown(self, path: str, data: bytes, lines: Iterable[tuple[int, int]]) -> None:
        self._sights[path] = sight_of(data, [*carried(self._sights.get(path), data), *lines])

    def note_written(self, path: str, data: bytes) -> None:
        """The model wrote the whole file, so it knows all of it."""
        self._sights[path] = sight_of(data, [(1, len(_lines(data)))])

    def note_edited(self, path: str, before: bytes, applied: Applied) -> None:
        """Beside the new lines the model knows those that it quoted exactly."""
        quoted = [(match.first, match.last) for match in applied.matches if match.times == 1]
        self.note_shown(path, before, quoted)
        self.note_shown(path, applied.after, applied.places)

    def knows(self, path: str, data: bytes) -> bool:
        """Whether these bytes are the file as the model last saw it, or wrote it."""
        sight = self._sights.get(path)
        return sight is not None and sight.digest == _digest(data)

    @property
    def paths(self) -> tuple[str, ...]:
        """What the model was shown anything of, sorted."""
        return tuple(sorted(self._sights))

    def move(self, source: str, target: str) -> None:
        if sight := self._sights.pop(source, None):
            self._sights[target] = sight

    def forget(self, path: str) -> None:
        self._sights.pop(path, None)

    def forget_all(self) -> None:
        self._sights.clear()

    def check_edit(self, path: str, before: bytes, applied: Applied) -> Applied:
        """Let edits pass that the model's view of the file bears, with a remark if the file changed since.

        An exact text that stands there once shows that the model knows the place. Anything looser counts only where it
        was shown what stands there: otherwise EditRefusedError, which shows it.
        """
        sight = self._sights.get(path)
        loose = [match for match in applied.matches if match.tier is not Tier.EXACT]
        if sight is None or sight.digest == _digest(before):
            known = sight.lines if sight else ()
            unseen = [match for match in loose if not any(a <= match.first and match.last <= b for a, b in known)]
            if unseen:
                places = [(match.first, match.last) for match in unseen]
                shown = self._show(path, before, places)
                raise EditRefusedError(
                    f"`old` is found only by passing over {unseen[0].tier.value}, in lines that you have not read. "
                    f"No file was changed. They read:\n{shown}\nCopy `old` from these lines exactly.",
                    unseen[0].first,
                )
            return applied
        if loose or any(match.times > 1 for match in applied.matches):
            kind = f"is found only by passing over {loose[0].tier.value}" if loose else "stands there more than once"
            raise EditRefusedError(
                f"The file changed since you saw it, and `old` {kind}. No file was changed. "
                f"{self._show_changes(path, before)}\nMake the edit again with the text as it is there."
            )
        changes = self._show_changes(path, applied.after, before)
        return replace(applied, remarks=(*applied.remarks, f"The file had changed since you saw it. {changes}"))

    def check_write(self, path: str, before: bytes) -> None:
        """Refuse to write over text of which the model does not know all."""
        if not before.strip():
            return
        sight = self._sights.get(path)
        lines = _lines(before)
        if sight is None:
            raise ToolError(
                f"{path} is there already, and you have not read it. No file was changed. Read all of it with read_file "
                "first, or change a part of it with edit_file."
            )
        if sight.digest != _digest(before):
            raise ToolError(
                f"{path} changed since you saw it. No file was changed. {self._show_changes(path, before)}\n"
                "Take this into what you write, or use edit_file."
            )
        unknown = _missing(sight.lines, len(lines))
        if unknown:
            where = ", ".join(f"{low}-{high}" for low, high in unknown[:10])
            cut = any(len(line) > LONGEST_LINE for low, high in unknown for line in lines[low - 1 : high])
            step = "Some are too long to be shown whole, so change" if cut else "Read them first, or change"
            raise ToolError(
                f"{path} has {len(lines)} lines, and you have not seen all of lines {where}. No file was changed. {step} "
                "a part of the file with edit_file."
            )

    def _show_changes(self, path: str, data: bytes, found: bytes | None = None) -> str:
        """The lines of `data` that differ from what the model saw; it has seen them then.

        `found` is what the file was before the model's own edit made `data` of it: what that changed is left out.
        """
        sight = self._sights[path]
        if sight.data is None:
            return "It is large: read again what you need of it."
        now = data if found is None else found
        changes = changed_ranges(_lines(sight.data), _lines(now))
        places = [(change.new_from + 1, change.new_to) for change in changes if change.new_from < change.new_to]
        gone = len(changes) - len(places)
        others = list(carried(sight_of(now, places), data)) if found is not None else places
        said = f"Elsewhere lines were taken out, at {gone} {'place' if gone == 1 else 'places'}." if gone else ""
        if not others:
            if found is None:
                return said or "Its lines are as you saw them; their ends or the encoding changed."
            return said or "Apart from the lines of your edit nothing differs from what you saw."
        return f"These lines differ:\n{self._show(path, data, others)}" + (f"\n{said}" if said else "")

    def _show(self, path: str, data: bytes, places: list[tuple[int, int]]) -> str:
        """The lines, as they are to be shown; the model has seen them then, unless they are too many for that."""
        try:
            lines = decode_text(data).lines
        except ToolError as error:
            return f"({error})"
        total = 0
        for low, high in places:
            total += high - low + 1
            if high - low + 1 <= _MOST_LINES and total <= _MOST_LINES_IN_ALL:
                self.note_shown(path, data, [(low, high)])
        self.note_shown(path, data, [])
        return show_ranges(lines, places, around=1, most=_MOST_LINES, most_in_all=_MOST_LINES_IN_ALL)


def _missing(lines: Lines, count: int) -> list[tuple[int, int]]:
    """The runs of lines within 1-count that are not among `lines`."""
    bounds = [(0, 0), *lines, (count + 1, count + 1)]
    return [(one[1] + 1, other[0] - 1) for one, other in pairwise(bounds) if one[1] + 1 < other[0]]
