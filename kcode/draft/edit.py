"""Matching a model's edits against a file: all of them exactly and uniquely, or none."""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kcode.draft.linediff import changed_ranges, split_lines
from kcode.draft.nearmiss import describe_near_miss
from kcode.errors import EditRefusedError, ToolError
from kcode.textfile import TextFile, cut_line, decode_text
from kcode.tooling import Applied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.tooling import Edit

_MOST_MATCHES_SHOWN, _LONG_ENOUGH = 8, 8


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one edit replaces: the span of the file's text, what stands there afterwards, and the edit's number."""

    start: int
    end: int
    new: str
    number: int


@dataclass(frozen=True, slots=True)
class _Base:
    """The file that all edits of a call are matched against. `breaks` are the offsets of the line ends in `text`."""

    file: TextFile
    text: str
    lines: list[str]
    breaks: list[int]

    def line_of(self, offset: int) -> int:
        return bisect_right(self.breaks, offset - 1) + 1


def apply_edits(before: bytes, edits: Sequence[Edit]) -> Applied:
    r"""Make every edit in the file's bytes, or raise EditRefusedError, whose text says why and what to do next.

    Edits are matched against the file as it stands, never against each other's result, with every CRLF read as "\n".
    Bytes outside the changed lines stay; a new line ends as the line that it replaces or follows.
    """
    try:
        file = decode_text(before)
    except ToolError as error:
        raise EditRefusedError(
            f"{error} and cannot be edited as text. No file was changed. Use run_command to change it, with a small "
            "program that reads and writes bytes."
        ) from None
    text = file.text
    base = _Base(file, text, text.split("\n"), [match.start() for match in re.finditer("\n", text)])
    if not edits:
        raise EditRefusedError("`edits` is empty. No file was changed. Give at least one {old, new}.")
    plain = [(edit.old.replace("\r\n", "\n"), edit.new.replace("\r\n", "\n"), edit.replace_all) for edit in edits]
    places = [place for number in range(len(plain)) for place in _find(base, plain, number)]
    places.sort(key=lambda place: (place.start, place.end))
    _refuse_overlap(base, places, len(edits))
    after_text = _replace(text, places)
    if after_text == text:
        raise EditRefusedError("The edits together give the file as it is. No file was changed. Check what you want.")
    try:
        after = file.encode(after_text if "\r\n" not in file.raw else _with_line_ends(base, places))
    except ToolError as error:
        raise EditRefusedError(f"{error} No file was changed.") from None
    return Applied(after, _changed_lines(base, places))


def _find(base: _Base, edits: list[tuple[str, str, bool]], number: int) -> list[_Place]:
    """The places of one edit in the file's text."""
    old, new, replace_all = edits[number]
    if not old:
        raise _refusal(
            edits, number, "`old` is empty", "Put the lines that stand beside the place in both, or use write_file"
        )
    if old == new:
        raise _refusal(edits, number, "`old` and `new` are the same", "Give the text as it should become in `new`")
    starts = _occurrences(base.text, old)
    if not starts:
        raise _not_found(base, edits, number)
    if len(starts) == 1 and _stands_already(base.text, old, new, starts[0]):
        reason = f"What `new` adds already stands at line {base.line_of(starts[0])}: the edit seems to be made already"
        raise _refusal(edits, number, reason, "If so, leave it out; to add the lines twice, use longer `old` and `new`")
    if replace_all:
        return [_Place(at, at + len(old), new, number) for at in _without_overlap(starts, len(old))]
    if len(starts) > 1:
        raise _ambiguous(base, edits, number, starts)
    return [_Place(starts[0], starts[0] + len(old), new, number)]


def _stands_already(text: str, old: str, new: str, start: int) -> bool:
    """Whether `new` adds whole lines around `old` that are around it in the file, as after the same edit before."""
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


def _occurrences(text: str, old: str) -> list[int]:
    """Every offset where `old` begins, those that overlap an earlier one too."""
    starts, at = [], text.find(old)
    while at >= 0:
        starts.append(at)
        at = text.find(old, at + 1)
    return starts


def _without_overlap(starts: list[int], length: int) -> list[int]:
    kept: list[int] = []
    for at in starts:
        if not kept or at >= kept[-1] + length:
            kept.append(at)
    return kept


def _replace(text: str, places: list[_Place]) -> str:
    pieces, done = [], 0
    for place in places:
        pieces += [text[done : place.start], place.new]
        done = place.end
    return "".join([*pieces, text[done:]])


def _changed_lines(base: _Base, places: list[_Place]) -> tuple[tuple[int, int], ...]:
    """The lines of the new text that the file did not have; those that `old` and `new` share are not among them."""
    found: list[tuple[int, int]] = []
    shift = 0
    for start, end, inside in _whole_lines(base.text, places):
        here = [replace(place, start=place.start - start, end=place.end - start) for place in inside]
        before = split_lines(base.text[start:end].encode("utf-8", "surrogatepass"))
        after = split_lines(_replace(base.text[start:end], here).encode("utf-8", "surrogatepass"))
        first = base.line_of(start) + shift
        for change in changed_ranges(before, after):
            low, high = first + change.new_from, first + change.new_to - 1
            if found and found[-1][0] <= found[-1][1] == low - 1 and low <= high:
                found[-1] = (found[-1][0], high)
            else:
                found.append((low, high))
        shift += len(after) - len(before)
    return tuple(found)


def _whole_lines(text: str, places: list[_Place]) -> list[tuple[int, int, list[_Place]]]:
    """The spans of whole lines that hold the places; places that share a line share a span."""
    spans: list[tuple[int, int, list[_Place]]] = []
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


def _refuse_overlap(base: _Base, places: list[_Place], count: int) -> None:
    for one, other in pairwise(places):
        if other.start < one.end:
            raise EditRefusedError(
                f"Edits {one.number + 1} and {other.number + 1} of {count} change the same text, at line "
                f"{base.line_of(other.start)}. No file was changed. Put them into one edit."
            )


def _refusal(edits: list[tuple[str, str, bool]], number: int, reason: str, step: str) -> EditRefusedError:
    """What happened, the state, the next step; `reason` and `step` come without their last full stop."""
    which = f"Edit {number + 1} of {len(edits)}: " if len(edits) > 1 else ""
    state = (
        "No file was changed, and no other edit of this call was made." if len(edits) > 1 else "No file was changed."
    )
    return EditRefusedError(f"{which}{reason}. {state} {step}.")


def _ambiguous(base: _Base, edits: list[tuple[str, str, bool]], number: int, starts: list[int]) -> EditRefusedError:
    lines = [base.line_of(at) for at in starts]
    shown = [f"  line {line}: {cut_line(base.lines[line - 1], 120)}" for line in lines[:_MOST_MATCHES_SHOWN]]
    if len(lines) > _MOST_MATCHES_SHOWN:
        rest = ", ".join(str(line) for line in lines[_MOST_MATCHES_SHOWN:][:40])
        shown.append(f"  and lines {rest}" + (" …" if len(lines) > _MOST_MATCHES_SHOWN + 40 else ""))
    where = "\n".join(["", *shown, ""])
    return _refusal(
        edits,
        number,
        f"`old` stands in the file {len(starts)} times:{where}So it is not clear which is meant",
        "Add the lines above or below the one that you mean to both `old` and `new`, or set replace_all to change each",
    )


def _not_found(base: _Base, edits: list[tuple[str, str, bool]], number: int) -> EditRefusedError:
    old, new, _ = edits[number]
    if (at := _stands_once(base.text, new)) is not None:
        line = base.line_of(at)
        return _refusal(
            edits,
            number,
            f"`old` is not in the file, but `new` already is, at line {line}: the edit seems to be made already",
            "If so, leave it out",
        )
    for other, (_, earlier, _) in enumerate(edits):
        if other != number and old in earlier:
            return _refusal(
                edits,
                number,
                f"`old` is not in the file, only in the `new` of edit {other + 1}. "
                "All edits are matched against the file as it is before the call",
                "Put both into one edit",
            )
    if _is_numbered(old):
        return _refusal(
            edits,
            number,
            "`old` is not in the file: its lines begin with the line numbers of read_file, which are no part of it",
            "Leave out the numbers and the arrow",
        )
    near = describe_near_miss(base.lines, old)
    if near is None:
        return _refusal(
            edits,
            number,
            "`old` is not in the file, nor anything like it",
            "Find the place with search, or read the file again, and copy the text exactly",
        )
    return _refusal(edits, number, f"`old` is not in the file. {near.told}", near.step)


def _stands_once(text: str, new: str) -> int | None:
    """Where `new` stands as whole lines, once, and is long enough that this is no chance."""
    words = new.strip()
    at = text.find(words)
    if len(words) < _LONG_ENOUGH or text.find(words, at + 1) >= 0:
        return None
    before, after = text[:at].rpartition("\n")[2], text[at + len(words) :].partition("\n")[0]
    return None if at < 0 or before.strip() or after.strip() else at


def _is_numbered(old: str) -> bool:
    lines = [line for line in old.split("\n") if line.strip()]
    return all(re.match(r"\s*\d+(?:→|\t)", line) for line in lines)


def _with_line_ends(base: _Base, places: list[_Place]) -> str:
    """The new text as it is written to a file that holds CRLF."""
    raw, crlf = base.file.raw, [match.start() for match in re.finditer("\r\n", base.file.raw)]
    # In `text` each CRLF is one character shorter, so the offsets of its LFs there are these.
    in_text = [at - index for index, at in enumerate(crlf)]

    def in_raw(offset: int) -> int:
        return offset + bisect_right(in_text, offset - 1)

    pieces, done = [], 0
    for place in places:
        start, end = in_raw(place.start), in_raw(place.end)
        pieces.append(raw[done:start])
        if base.file.is_mixed:
            pieces.append(_merge_line_ends(base, place, raw[start:end], raw[:start]))
        else:
            pieces.append(place.new.replace("\n", "\r\n"))
        done = end
    pieces.append(raw[done:])
    return "".join(pieces)


def _merge_line_ends(base: _Base, place: _Place, raw_old: str, raw_before: str) -> str:
    """`place.new` with the line ends of a file that holds both kinds: unchanged lines keep theirs."""
    old_ends = [_end_of(line) for line in raw_old.split("\n")[:-1]]
    line_before = raw_before[:-1].rpartition("\n")[2] + raw_before[-1:]
    last = _end_of(line_before[:-1]) if line_before.endswith("\n") else base.file.line_end
    if not raw_before or "\n" not in raw_before:
        last = base.file.line_end
    old, new = base.text[place.start : place.end].split("\n"), place.new.split("\n")
    ends: list[str] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "delete":
            continue
        for index in range(j2 - j1):
            if i1 + index < min(i2, len(old_ends)):
                last = old_ends[i1 + index]
            ends.append(last)
    return "".join(line + end for line, end in zip(new[:-1], ends, strict=False)) + new[-1]


def _end_of(line: str) -> str:
    return "\r\n" if line.endswith("\r") else "\n"
