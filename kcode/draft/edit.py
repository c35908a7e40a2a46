"""Making a model's edits in a file: all of them where they are meant beyond doubt, or none."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.draft.forbidden import empties, find_conflict_marker, find_placeholder
from kcode.draft.indent import UnclearIndentError, map_indents
from kcode.draft.ladder import BLANK, Ladder, is_part_numbered, read_retyped
from kcode.draft.linediff import changed_ranges
from kcode.draft.lineends import with_line_ends
from kcode.draft.linemerge import merge_lines
from kcode.draft.original import Original, Place, read_original, replace_lines, replace_places, separate, to_lines
from kcode.draft.refusals import Refusals
from kcode.errors import EditRefusedError, ToolError
from kcode.textfile import decode_text
from kcode.tooling import Applied, Edit, Matched, Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_MATCHES, _MOST_REPLACED = 1000, 100_000
# How close the line that near_line names must be to the one match, and how far from all others.
_NEAR, _FAR = 3, 20
# How far around a window lines show how the file is indented.
_SURROUNDINGS = 500
_BYTE = re.compile("[\udc80-\udcff]")


def apply_edits(before: bytes, edits: Sequence[Edit]) -> Applied:
    r"""Make every edit in the file's bytes, or raise EditRefusedError, whose text says why and what to do next.

    Edits are matched against the file as it stands, never against each other's result, with every CRLF read as "\n".
    The first tier at which `old` is found at all decides, and there it must be found once. Bytes outside the changed
    lines stay; a new line ends as the line that it replaces or follows.
    """
    try:
        file = decode_text(before)
    except ToolError as error:
        raise EditRefusedError(
            f"{error} and cannot be edited as text. No file was changed. Use run_command to change it, with a small "
            "program that reads and writes bytes."
        ) from None
    if not edits:
        raise EditRefusedError("`edits` is empty. No file was changed. Give at least one {old, new}.")
    base = read_original(file)
    plain = [replace(edit, old=_to_lf(edit.old), new=_to_lf(edit.new)) for edit in edits]
    call = _Call(base, Refusals(base, plain), Ladder(base.lines), plain)
    found = call.find_all()
    places = separate(base, [place for _, its_places in found for place in its_places])
    if isinstance(places, tuple):
        raise call.refusals.overlap(*places)
    after_text = replace_places(base.text, places)
    if after_text == base.text:
        raise EditRefusedError("The edits together give the file as it is. No file was changed. Check what you want.")
    if empties(base.text, after_text):
        raise EditRefusedError(
            "Nothing of the file would be left. No file was changed. Use delete_file to delete it, or write_file to "
            "write it anew."
        )
    try:
        after = file.encode(after_text if "\r\n" not in file.raw else with_line_ends(base, places))
    except ToolError as error:
        raise EditRefusedError(f"{error} No file was changed.") from None
    if file.encoding != "utf-8" and decode_text(after).encoding != file.encoding:
        raise EditRefusedError(
            f"The file is {file.encoding.upper()}, and would not say so any more. No file was changed. To convert it, "
            "use run_command, as with iconv."
        )
    matches = tuple(match for match, _ in found if match is not None)
    return Applied(after, _changed_lines(base, places), matches, call.remarks(found))


def _to_lf(text: str) -> str:
    return text.replace("\r\n", "\n")


_Found = tuple[Matched | None, list[Place]]


class _Call:
    """The edits of one call over one file."""

    def __init__(self, base: Original, refusals: Refusals, ladder: Ladder, edits: Sequence[Edit]) -> None:
        self.base, self.refusals = base, refusals
        self._ladder, self._edits = ladder, edits

    def find_all(self) -> list[_Found]:
        """Where each edit is to be made, or a refusal that speaks of every edit that does not fit."""
        found, refused = [], []
        for number in range(len(self._edits)):
            try:
                found.append(self.find(number))
            except EditRefusedError as refusal:
                refused.append(refusal)
        if refused:
            raise self.refusals.together(refused)
        return found

    def find(self, number: int) -> _Found:
        """Where an edit is to be made; nowhere for one that asks for no change beside others that do, or for a repeat."""
        edit = self._edits[number]
        if edit in self._edits[:number]:
            return None, []
        if edit.old == edit.new:
            if any(other.old != other.new for other in self._edits):
                return None, []
            step = "Give the text as it should become in `new`"
            raise self.refusals.because(number, "`old` and `new` are the same", step)
        if not edit.old:
            if not self.base.text and len(self._edits) == 1:
                return Matched(Tier.EXACT, 1, 1), [Place(0, 0, edit.new, number)]
            step = "Put the lines that stand beside the place in both, or use write_file"
            raise self.refusals.because(number, "`old` is empty", step)
        self._refuse_forbidden(number)
        starts = _occurrences(self.base.text, edit.old, overlapping=not edit.replace_all)
        if not starts:
            return self._find_retyped(number)
        times = len(starts)
        if times > _MOST_REPLACED:
            reason = f"`old` stands in the file more than {_MOST_REPLACED:,} times"
            raise self.refusals.because(number, reason, "Replace it with run_command, as with sed")
        if times > 1 and not edit.replace_all:
            starts = [self._choose(number, starts)]
        places = [Place(at, at + len(edit.old), edit.new, number) for at in starts]
        for place in places:
            self._refuse_unknown(place)
        last = self.base.line_of(places[-1].end - edit.old.endswith("\n"))
        return Matched(Tier.EXACT, self.base.line_of(starts[0]), last, times), places

    def remarks(self, found: Sequence[_Found]) -> tuple[str, ...]:
        said = []
        for number, (match, places) in enumerate(found):
            name = f"Edit {number + 1}" if len(found) > 1 else "The edit"
            if match is None and (first := self._edits.index(self._edits[number])) < number:
                said.append(f"{name} repeats edit {first + 1}, which was made once.")
            elif match is None:
                said.append(f"{name} asked for no change: its `old` and `new` are the same.")
            elif match.tier is not Tier.EXACT:
                said.append(
                    f"{name} matched {_span(match)} by passing over {match.tier.value}: what it does not change stays as it "
                    "is in the file."
                )
            elif len(places) == 1 and _loses_indent(self.base, places[0]):
                said.append(
                    f"{name} begins within the indentation of line {match.first}: of `new` only the first line has that "
                    "before it. Check how the others are indented."
                )
            elif len(places) == 1 and _stands_twice(self.base.text, self._edits[number], places[0].start):
                said.append(
                    f"What {name[0].lower()}{name[1:]} adds stood there before, so it stands there twice. Take it out "
                    "again if the edit had been made already."
                )
        return tuple(said)

    def _refuse_forbidden(self, number: int) -> None:
        edit = self._edits[number]
        if line := find_placeholder(edit.new, edit.old):
            reason = f"`new` leaves text out: the line `{line[:80]}` would stand in the file as it is"
            raise self.refusals.because(
                number, reason, "Write out all lines, or take a smaller part of the file as `old`"
            )
        if "\0" in edit.new:
            reason = "`new` holds a NUL character, which makes a file a binary one"
            raise self.refusals.because(number, reason, "Write it as an escape of the language")
        if line := find_conflict_marker(edit.new, edit.old):
            reason = f"`new` holds the mark of a merge conflict, `{line[:80]}`"
            raise self.refusals.because(number, reason, "Write the text as it should be, without such marks")

    def _refuse_unknown(self, place: Place) -> None:
        """Of a file whose encoding is not known only the characters that are there can be written, and whole ones cut."""
        if not self.base.file.has_unknown_bytes:
            return
        there = self.base.text[place.start : place.end]
        strange = sorted({character for character in place.new if not character.isascii()} - set(there))
        if strange:
            reason = (
                "the file's encoding is not known: it is not UTF-8, and bytes that are not are shown as \ufffd. So it is "
                f"not known how {' '.join(strange[:5])} would be written in it"
            )
            step = "Use plain ASCII in `new`, and leave lines with \ufffd as they are, or change them with run_command"
            raise self.refusals.because(place.number, reason, step, self.base.line_of(place.start))
        if place.start and _BYTE.match(self.base.text, place.start - 1):
            reason = "`old` begins right after a byte whose character is not known, and might cut one in two"
            step = "Begin `old` at the start of a line"
            raise self.refusals.because(place.number, reason, step, self.base.line_of(place.start))

    def _choose(self, number: int, starts: list[int]) -> int:
        """The exact match that near_line means; refused if that is not clear."""
        lines = [self.base.line_of(at) for at in starts]
        wanted = self._edits[number].near_line
        at_least = len(starts) == _MOST_MATCHES
        if wanted is not None and not at_least:
            near = [at for at, line in zip(starts, lines, strict=True) if abs(line - wanted) <= _NEAR]
            if len(near) == 1 and sum(abs(line - wanted) <= _FAR for line in lines) == 1:
                return near[0]
        raise self.refusals.ambiguous(number, lines, Tier.EXACT, at_least=at_least)

    def _find_retyped(self, number: int) -> _Found:
        edit = self._edits[number]
        retyped = read_retyped(edit.old, edit.new)
        windows = None if edit.replace_all else self._ladder.climb(retyped)
        if windows is None:
            raise self.refusals.not_found(number)
        if len(windows.starts) > 1:
            at_least = len(windows.starts) == _MOST_MATCHES
            raise self.refusals.ambiguous(number, windows.starts, windows.tier, at_least=at_least)
        first = windows.starts[0]
        last = first + len(windows.old) - 1
        if is_part_numbered(retyped):
            reason = "some lines of `new` begin with line numbers, which are no part of the file, and others do not"
            raise self.refusals.because(number, reason, "Leave out the numbers and the arrow", first)
        window = self.base.lines[first - 1 : last]
        around = self.base.lines[max(0, first - 1 - _SURROUNDINGS) : last + _SURROUNDINGS]
        try:
            merged = merge_lines(
                window, windows.old, windows.new, map_indents(window, windows.old, windows.new, around)
            )
        except UnclearIndentError as error:
            reason = f"`old` is found at lines {first}-{last} by passing over {windows.tier.value}. It {error}"
            step = f"Read lines {first}-{last}, and give `old` and `new` indented as they are there"
            raise self.refusals.because(number, reason, step, first) from None
        start, end = self.base.start_of(first), self.base.end_of(last)
        if not merged:
            end = self.base.start_of(last + 1)
        place = Place(start, end, "\n".join(merged), number)
        self._refuse_unknown(place)
        return Matched(windows.tier, first, last), [place]


def _span(match: Matched) -> str:
    return f"line {match.first}" if match.first == match.last else f"lines {match.first}-{match.last}"


def _occurrences(text: str, old: str, *, overlapping: bool) -> list[int]:
    """The offsets where `old` begins: those that do not overlap an earlier one, or any; not endlessly many."""
    step, most = (1, _MOST_MATCHES) if overlapping else (len(old), _MOST_REPLACED + 1)
    starts: list[int] = []
    at = text.find(old)
    while at >= 0 and len(starts) < most:
        starts.append(at)
        at = text.find(old, at + step)
    return starts


def _loses_indent(base: Original, place: Place) -> bool:
    """Whether `new` begins behind blanks that its other lines lack, though those that it replaces have them."""
    indent = base.text[base.start_of(base.line_of(place.start)) : place.start]
    if not indent or indent.strip(BLANK):
        return False
    old, new = base.text[place.start : place.end], place.new
    after, before = (
        [line for line in text.split("\n")[1:] if line.strip(BLANK) and not line.startswith(indent)]
        for text in (new, old)
    )
    return bool(after) and not before


def _stands_twice(text: str, edit: Edit, start: int) -> bool:
    """Whether `new` adds whole lines around `old` that are around it in the file, as after the same edit before."""
    old, new = edit.old, edit.new
    if new.count("\n") <= old.count("\n"):
        return False
    at = new.find(old)
    while at >= 0:
        low, high = start - at, start - at + len(new)
        whole = (low <= 0 or text[low - 1] == "\n") and (high >= len(text) or "\n" in {text[high], text[high - 1]})
        if low >= 0 and whole and text.startswith(new, low):
            return True
        at = new.find(old, at + 1)
    return False


def _changed_lines(base: Original, places: Sequence[Place]) -> tuple[tuple[int, int], ...]:
    """The lines of the new text that the file did not have; those that `old` and `new` share are not among them."""
    found: list[tuple[int, int]] = []
    shift = 0
    for start, end, new in replace_lines(base.text, places):
        before, after = to_lines(base.text[start:end]), to_lines(new)
        first = base.line_of(start) + shift
        for change in changed_ranges(before, after):
            low, high = first + change.new_from, first + change.new_to - 1
            if found and found[-1][0] <= found[-1][1] == low - 1 and low <= high:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
        shift += len(after) - len(before)
    return tuple(found)
