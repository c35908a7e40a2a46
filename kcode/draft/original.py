"""The text of a file as edits find it, with its lines and where they begin, and places in it to be replaced."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kcode.draft.linediff import changed_ranges, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.textfile import TextFile


@dataclass(frozen=True, slots=True)
class Place:
    """Where one edit replaces: the span of the file's text, what stands there afterwards, and the edit's number."""

    start: int
    end: int
    new: str
    number: int


@dataclass(frozen=True, slots=True)
class Original:
    r"""A file's text with every CRLF as "\n". `breaks` are the offsets of the line ends in `text`."""

    file: TextFile
    text: str
    lines: list[str]
    breaks: list[int]

    def line_of(self, offset: int) -> int:
        """The line, from 1, that the offset is in."""
        return bisect_right(self.breaks, offset - 1) + 1

    def start_of(self, line: int) -> int:
        """The offset where a line, from 1, begins; the text's end for the line after the last."""
        if line <= 1:
            return 0
        return self.breaks[line - 2] + 1 if line - 2 < len(self.breaks) else len(self.text)

    def end_of(self, line: int) -> int:
        """The offset of the line's end, which is the text's end for the last line."""
        return self.breaks[line - 1] if line <= len(self.breaks) else len(self.text)


def read_original(file: TextFile) -> Original:
    text = file.text
    return Original(file, text, text.split("\n"), [match.start() for match in re.finditer("\n", text)])


def replace_places(text: str, places: Sequence[Place]) -> str:
    """The text with every place replaced; they are in order and do not overlap."""
    pieces, done = [], 0
    for place in places:
        pieces += [text[done : place.start], place.new]
        done = place.end
    return "".join([*pieces, text[done:]])


def replace_lines(text: str, places: Sequence[Place]) -> list[tuple[int, int, str]]:
    """The same as replacements of whole lines: where each begins and ends, and what stands there afterwards."""
    return [
        (
            start,
            end,
            replace_places(text[start:end], [replace(p, start=p.start - start, end=p.end - start) for p in inside]),
        )
        for start, end, inside in _whole_lines(text, places)
    ]


def _whole_lines(text: str, places: Sequence[Place]) -> list[tuple[int, int, list[Place]]]:
    """The spans of whole lines that hold the places; places that share a line share a span."""
    spans: list[tuple[int, int, list[Place]]] = []
    for place in places:
        if spans and place.start < spans[-1][1]:
            start, _, inside = spans.pop()
        else:
            start, inside = text.rfind("\n", 0, place.start) + 1, []
        # Where `new` does not end its line, the line below may join it.
        ends = place.end > start and text[place.end - 1] == "\n" and place.new.endswith("\n")
        stop = place.end if ends else text.find("\n", place.end) + 1
        spans.append((start, stop or len(text), [*inside, place]))
    return spans


def to_lines(text: str) -> list[bytes]:
    """The lines with their ends, as the line diff takes them; any text goes in, half surrogate pairs too."""
    return split_lines(text.encode("utf-8", "surrogatepass"))


def narrow(base: Original, place: Place) -> list[Place]:
    """The same change as places that span only whole lines that do change."""
    start = base.start_of(base.line_of(place.start))
    end = min(base.end_of(base.line_of(place.end)) + 1, len(base.text))
    old_text = base.text[start:end]
    new_text = base.text[start : place.start] + place.new + base.text[place.end : end]
    old, new = to_lines(old_text), to_lines(new_text)
    first = base.line_of(start)
    return [
        Place(
            base.start_of(first + change.old_from),
            base.start_of(first + change.old_to),
            b"".join(new[change.new_from : change.new_to]).decode("utf-8", "surrogatepass"),
            place.number,
        )
        for change in changed_ranges(old, new)
    ]


def separate(base: Original, places: Sequence[Place]) -> list[Place] | tuple[Place, Place]:
    """The places in file order, so that none overlaps another; or two that change the same lines.

    Lines that `old` and `new` share are context: two edits may both quote them.
    """
    ordered = sorted(places, key=_order)
    pairs: list[tuple[Place, Place]] = []
    reaching: Place | None = None
    for place in ordered:
        if reaching is not None and place.start < reaching.end:
            pairs.append((reaching, place))
        if reaching is None or place.end > reaching.end:
            reaching = place
    if not pairs:
        return ordered
    overlapping = {place for pair in pairs for place in pair}
    narrowed = [part for place in overlapping for part in narrow(base, place)]
    ordered = sorted([*(place for place in ordered if place not in overlapping), *narrowed], key=_order)
    for one, other in pairwise(ordered):
        # Of two insertions at one place it is not known which comes first.
        touch = other.start == one.end and (one.start == one.end or other.start == other.end)
        if other.start < one.end or touch:
            return pairs[0]
    return ordered


def _order(place: Place) -> tuple[int, int]:
    return place.start, place.end
