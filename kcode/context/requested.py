"""The files that a request names: found in its words, and shown as far as there is room."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.context.budget import keep_start
from kcode.context.mentions import find_mentions
from kcode.context.secretfiles import NONE_ALLOWED, holds_secret
from kcode.context.symbols import read_symbols
from kcode.context.tokens import estimate_tokens
from kcode.errors import ToolError
from kcode.sanitize import sanitize_line, sanitize_names
from kcode.textfile import decode_text, number_lines, show_ranges

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from kcode.context.secretfiles import Allowed
    from kcode.context.symbols import Symbol

_AT = re.compile(
    r"""(?<![\w@./\\-])@(?:"(?P<quoted>[^"\n]{1,1000})"|(?P<bare>[^\s"'`<>|,;]{1,1000}))""",
)
_PLACE = re.compile(r"(?:#L|:)(\d{1,9})(?:-L?(\d{1,9}))?$")
_MOST_NAMED, _MOST_LISTED = 40, 200
_AROUND, _MOST_LINES, _MOST_LINES_IN_ALL = 20, 120, 400
# Of a file too large to be shown, so much of its room goes to the list of what it defines.
_OUTLINE_SHARE = 3


@dataclass(frozen=True, slots=True)
class Requested:
    """A path that the request names, and the lines that it names there; a folder's path ends in a slash."""

    path: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One file as a text, with its bytes and those of its lines (from 1, both ends included) that are shown to the end."""

    path: str
    text: str
    data: bytes = b""
    lines: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the words ask for by name: files and folders in their order, and identifiers."""

    places: tuple[Requested, ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)


def find_requested(words: str, files: Sequence[str], start: str, kind: Callable[[str], str | None]) -> Wanted:
    """What `words` names: with an @ before it anything that is there, without one a file of the list.

    `start` is the folder that the user stands in; `kind` says "file", "folder" or None of a path.
    """
    found: dict[str, set[int]] = {}

    def note(match: re.Match[str]) -> str:
        written = match["quoted"] or match["bare"]
        for text in (written, written.rstrip(".!?:)]}")):
            place = _PLACE.search(text)
            named = text[: place.start()] if place else text
            for base in dict.fromkeys((start, "")):
                path = posixpath.normpath(posixpath.join(base, named.replace("\\ ", " ")))
                what = kind(path) if named and not path.startswith(("../", "/")) else None
                if what is not None:
                    lines = found.setdefault(path if what == "file" else f"{path}/", set())
                    lines.update(_span(place) if place else ())
                    return " "
        return match.group()

    rest = _AT.sub(note, words)
    mentions = find_mentions(rest, files)
    for path, lines in mentions.paths.items():
        found.setdefault(path, set()).update(lines)
    places = tuple(Requested(path, tuple(sorted(lines))) for path, lines in found.items())
    return Wanted(places[:_MOST_NAMED], frozenset(mentions.names))


def _span(place: re.Match[str]) -> Iterable[int]:
    first = int(place[1])
    return range(first, min(int(place[2] or first), first + _MOST_LINES) + 1)


def show_requested(
    wanted: Wanted,
    files: Sequence[str],
    read: Callable[[str], bytes | None],
    tokens: int,
    most_a_file: int,
    known: Collection[str] = (),
    allowed: Allowed = NONE_ALLOWED,
) -> list[Shown]:
    """What is named, each file as read_file shows it, as far as `tokens` go.

    Those in `known` need not be shown again; those that are `allowed` are shown whatever they hold. Of one with more than `most_a_file` tokens the definitions are shown and the places that the words speak of.
    """
    shown: list[Shown] = []
    omitted: list[str] = []
    one: Shown | None
    for place in wanted.places:
        if place.path in known:
            continue
        room = min(most_a_file, tokens)
        if place.path.endswith("/"):
            one = _folder(place.path, files)
        else:
            one = _file(place, wanted.names, read, room, allowed)
        size = estimate_tokens(one.text) if one else 0
        if one is None or size > room:
            omitted.append(place.path)
            continue
        shown.append(one)
        tokens -= size
    if omitted:
        text = f"Named as well, and not shown for lack of room: {sanitize_names(omitted, _MOST_NAMED)}. Read what you need."
        shown.append(Shown("", text))
    return shown


def _folder(path: str, files: Sequence[str]) -> Shown:
    prefix = "" if path == "./" else path
    below = [file for file in files if file.startswith(prefix)]
    more = f"\n… and {len(below) - _MOST_LISTED} more" if len(below) > _MOST_LISTED else ""
    return Shown(path, f"{sanitize_line(path)}\n" + "\n".join(map(sanitize_line, below[:_MOST_LISTED])) + more)


def _file(
    place: Requested, names: frozenset[str], read: Callable[[str], bytes | None], room: int, allowed: Allowed
) -> Shown | None:
    """The file in so much room; None where not even a part of it has any."""
    path, data = sanitize_line(place.path), read(place.path)
    if data is None:
        return Shown(place.path, f"{path} cannot be read here.")
    if place.path not in allowed and holds_secret(place.path, data):
        return Shown(place.path, f"{path} is not shown: it looks like a file that holds passwords or keys.")
    try:
        lines = decode_text(data).lines
    except ToolError as error:
        return Shown(place.path, f"{path} is not shown: {error} of {len(data):,} bytes.")
    if not lines:
        return Shown(place.path, f"{path} is empty.")
    # No text has fewer tokens than a tenth of its characters.
    if len(data) <= room * 10:
        whole = f"{path}, all {len(lines)} lines:\n" + "\n".join(number_lines(lines, 1))
        if estimate_tokens(whole) <= room:
            return Shown(place.path, whole, data, ((1, len(lines)),))
    return _parts(place, data, lines, names, room)


def _parts(place: Requested, data: bytes, lines: Sequence[str], names: frozenset[str], room: int) -> Shown | None:
    path = sanitize_line(place.path)
    symbols = [one for one in read_symbols(place.path, data) or () if one.kind != "attribute"]
    head = f"{path} has {len(lines)} lines, too many to show here. Read what you need of it with read_file."
    outline = _whole_lines("\n".join(map(_outlined, symbols)), room // _OUTLINE_SHARE)
    text = f"{head}\n{outline}" if outline else head
    ranges = [(line, line) for line in place.lines if line <= len(lines)]
    ranges += [(one.start, one.end) for one in symbols if one.name in names]
    if ranges:
        around = show_ranges(lines, ranges, around=_AROUND, most=_MOST_LINES, most_in_all=_MOST_LINES_IN_ALL)
        left = room - estimate_tokens(text) - 20
        text = f"{text}\nThe places that the request speaks of:\n{_whole_lines(around, left)}"
    return Shown(place.path, text) if estimate_tokens(text) <= room else None


def _outlined(symbol: Symbol) -> str:
    span = str(symbol.start) if symbol.start == symbol.end else f"{symbol.start}-{symbol.end}"
    return f"{span} {'  ' * symbol.depth}{symbol.text}"


def _whole_lines(text: str, tokens: int) -> str:
    """As many lines from the start as have so many tokens."""
    kept = keep_start(text, tokens)
    return text if kept == text else kept.rpartition("\n")[0]
