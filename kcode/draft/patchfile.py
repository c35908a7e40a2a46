"""A patch from outside, taken apart: which files it speaks of, their headers, hunks and binary parts.

Reads what `git diff`, `git format-patch`, `git show` and `diff -u` write. Anything that a lenient reader would pass over
(lines beyond a hunk's counts, a file without hunks, a combined diff) is refused with a DraftError instead.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from kcode.draft.gitformat import unquote
from kcode.draft.linediff import split_lines
from kcode.errors import DraftError

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_NO_NEWLINE = b"\\ No newline at end of file\n"
# Git's prefixes in pairs: the usual one, those of diff.mnemonicPrefix, and those of --no-index.
_PREFIXES = {(b"a/", b"b/"), (b"i/", b"w/"), (b"c/", b"i/"), (b"c/", b"w/"), (b"o/", b"w/"), (b"1/", b"2/")}
_PREFIXES |= {(second, first) for first, second in _PREFIXES}


@dataclass(frozen=True, slots=True)
class PatchHunk:
    """`start` is the number of the first old line (of the line before, if there is none).

    `leading` and `trailing` count the unchanged lines at its beginning and end.
    """

    start: int
    old_lines: tuple[bytes, ...]
    new_lines: tuple[bytes, ...]
    leading: int
    trailing: int


@dataclass(slots=True)
class FilePatch:
    """What a patch says of one file. Names are without quotes and prefix; None is /dev/null.

    `header` holds git's extended header lines by their first words, such as "rename from". A name of a patch that is
    not git's may have folders in front that mean nothing here.
    """

    is_git: bool
    old_name: bytes | None = None
    new_name: bytes | None = None
    named: bool = False
    epoch: bool = False
    header: dict[bytes, bytes] = field(default_factory=dict)
    texts: list[list[bytes]] = field(default_factory=list)
    binary: tuple[list[bytes], list[bytes]] | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return (self.new_name or self.old_name or b"?").decode("utf-8", "surrogateescape")


def read_files(data: bytes) -> list[FilePatch]:
    """The files of a patch in its order; DraftError if it is not whole and well-formed."""
    lines = split_lines(data if data.endswith(b"\n") else data + b"\n")
    files: list[FilePatch] = []
    in_header = False
    at = 0
    while at < len(lines):
        line = lines[at]
        current = files[-1] if files else None
        was_in_header, in_header = in_header, False
        if line.startswith(b"diff --git "):
            files.append(_git_file(line))
            in_header = True
        elif _is_header(lines, at):
            if current is None or not current.is_git or current.named:
                current = FilePatch(is_git=False)
                files.append(current)
            _read_names(current, line, lines[at + 1])
            at += 1
        elif line.startswith((b"@@", b"diff --cc ", b"diff --combined ")):
            if current is None or not current.named or not line.startswith(b"@@ "):
                raise DraftError(f"The patch has a hunk that belongs to no file (line {at + 1}).")
            end = _hunk_end(lines, at, current.name)
            current.texts.append(lines[at:end])
            at = end - 1
        elif line == b"GIT binary patch\n" and current and current.is_git:
            end, current.binary = _binary(lines, at + 1)
            at = end - 1
        elif re.fullmatch(rb"(Binary files|Files) .* differ\n", line):
            raise DraftError(
                f"The patch says only that a binary file differs (line {at + 1}); make it with `git diff --binary`."
            )
        elif current and was_in_header:
            in_header = _read_extended(current, line)
        at += 1
    _check(files)
    return files


def parse_hunks(file: FilePatch) -> list[PatchHunk]:
    """The hunks' lines, as unidiff reads them; DraftError if that is not what the patch says."""
    from unidiff.errors import UnidiffParseError  # noqa: PLC0415 - only a patch from outside needs it
    from unidiff.patch import PatchSet  # noqa: PLC0415

    body = [_NO_NEWLINE if line.startswith(b"\\") else line for text in file.texts for line in text]
    # Latin-1 keeps every byte; split_lines and StringIO both end lines at \n alone.
    text = b"--- a\n+++ b\n" + b"".join(b" \n" if line == b"\n" else line for line in body)
    try:
        parsed = PatchSet(io.StringIO(text.decode("latin-1")))
    except UnidiffParseError as error:
        raise DraftError(f"The patch of {file.name} cannot be read: {error}.") from error
    hunks = []
    for part, source in zip(parsed[0] if parsed else [], file.texts, strict=True):
        lines = [(line.line_type, line.value.encode("latin-1")) for line in part]
        expected = [_NO_NEWLINE if line.startswith(b"\\") else b" \n" if line == b"\n" else line for line in source[1:]]
        if [kind.encode() + value for kind, value in lines] != expected:
            raise DraftError(f"The patch of {file.name} cannot be read: a hunk has other lines than it says.")
        hunks.append(_hunk(part.source_start, lines))
    return hunks


def _hunk(start: int, lines: list[tuple[str, bytes]]) -> PatchHunk:
    old: list[bytes] = []
    new: list[bytes] = []
    kinds: list[str] = []
    for kind, value in lines:
        if kind == "\\":
            for side, kinds_of_side in ((old, " -"), (new, " +")):
                if kinds and kinds[-1] in kinds_of_side:
                    side[-1] = side[-1].removesuffix(b"\n")
            continue
        kinds.append(kind)
        if kind != "+":
            old.append(value)
        if kind != "-":
            new.append(value)
    signs = "".join(kinds)
    leading, trailing = len(signs) - len(signs.lstrip(" ")), len(signs) - len(signs.rstrip(" "))
    return PatchHunk(start, tuple(old), tuple(new), leading, trailing)


def _is_header(lines: list[bytes], at: int) -> bool:
    return lines[at].startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ ")


def _hunk_end(lines: list[bytes], at: int, name: str) -> int:
    match = _HUNK.match(lines[at])
    if not match:
        raise DraftError(f"The patch of {name} has a damaged hunk header (line {at + 1}).")
    old, new = (1 if match[group] is None else int(match[group]) for group in (2, 4))
    start, at = at, at + 1
    while at < len(lines) and (old > 0 or new > 0 or lines[at].startswith(b"\\")):
        sign = lines[at][:1]
        if sign not in b"\n +-\\":
            break
        old -= sign in b"\n -"
        new -= sign in b"\n +"
        at += 1
    # A mail's signature starts with "-- ".
    more = at < len(lines) and lines[at][:1] in (b" ", b"+", b"-", b"\\") and not _is_header(lines, at)
    if old or new or (more and lines[at].rstrip(b"\r\n") != b"-- "):
        raise DraftError(f"The patch of {name} has a hunk with more or fewer lines than it says (line {start + 1}).")
    return at


def _binary(lines: list[bytes], at: int) -> tuple[int, tuple[list[bytes], list[bytes]]]:
    blocks: list[list[bytes]] = []
    while at < len(lines) and lines[at].startswith((b"literal ", b"delta ")) and len(blocks) < 2:
        start = at
        while at < len(lines) and lines[at] != b"\n":
            at += 1
        blocks.append(lines[start:at])
        at += 1
    if not blocks:
        raise DraftError(f"A binary part of the patch is empty (line {at + 1}).")
    return min(at, len(lines)), (blocks[0], blocks[1] if len(blocks) > 1 else [])


def _git_file(line: bytes) -> FilePatch:
    """The names in a `diff --git` line are certain only if both are the same; others come in a later line."""
    file = FilePatch(is_git=True)
    rest = line[len(b"diff --git ") :].rstrip(b"\r\n")
    if rest.startswith(b'"'):
        old, rest = unquote(rest)
        rest = rest.removeprefix(b" ")
        new = unquote(rest)[0] if rest.startswith(b'"') else rest
    elif rest.endswith(b'"') and b' "' in rest:
        old, _, rest = rest.partition(b' "')
        new = unquote(b'"' + rest)[0]
    else:
        old, new = rest[: len(rest) // 2], rest[len(rest) // 2 + 1 :]
    old, new = _without_prefixes(old, new)
    if old == new:
        file.old_name = file.new_name = old
    return file


def _read_extended(file: FilePatch, line: bytes) -> bool:
    """Whether the line is one of git's extended header; they stand directly below `diff --git`."""
    text = line.rstrip(b"\r\n")
    for words in (b"old mode", b"new mode", b"new file mode", b"deleted file mode", b"index"):
        if text.startswith(words + b" "):
            file.header[words] = text[len(words) + 1 :]
    for words in (b"rename from", b"rename to", b"copy from", b"copy to"):
        if text.startswith(words + b" "):
            name = text[len(words) + 1 :]
            file.header[words] = name = unquote(name)[0] if name.startswith(b'"') else name
            if words.endswith(b"from"):
                file.old_name = name
            else:
                file.new_name = name
    return text.startswith((b"old ", b"new ", b"deleted ", b"index ", b"rename ", b"copy ", b"similarity ", b"dissim"))


def _read_names(file: FilePatch, old_line: bytes, new_line: bytes) -> None:
    (old, old_time), (new, new_time) = _name(old_line), _name(new_line)
    if (old, new) != (file.old_name, file.new_name):
        old, new = _without_prefixes(old, new)
    names = [None if name == b"/dev/null" else name for name in (old, new)]
    if file.is_git:
        for known, name in zip((file.old_name, file.new_name), names, strict=True):
            if known is not None and name is not None and known != name:
                raise DraftError(f"The patch names two different files in one place: {known!r} and {name!r}.")
        file.old_name, file.new_name = names[0] or file.old_name, names[1] or file.new_name
    else:
        file.old_name, file.new_name = names
    file.named = True
    # GNU diff -N marks a missing file by a time stamp at the epoch, in the time zone of whoever made the patch.
    file.epoch = any(time.startswith((b"1970-01-01", b"1969-12-31")) for time in (old_time, new_time))


def _name(line: bytes) -> tuple[bytes, bytes]:
    text = line[4:].rstrip(b"\r\n")
    if text.startswith(b'"'):
        name, rest = unquote(text)
        return name, rest.strip()
    name, _, time = text.partition(b"\t")
    return name, time


def _without_prefixes(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    if b"/dev/null" in {old, new}:
        first = {prefix for pair in _PREFIXES for prefix in pair}
        return old[2:] if old[:2] in first else old, new[2:] if new[:2] in first else new
    return (old[2:], new[2:]) if (old[:2], new[:2]) in _PREFIXES else (old, new)


def _check(files: list[FilePatch]) -> None:
    if not files:
        raise DraftError("The input holds no patch: neither a `diff --git` line nor a pair of --- and +++ lines.")
    for file in files:
        if file.old_name is None and file.new_name is None:
            raise DraftError("The patch has a file whose name cannot be told.")
        if file.named and not file.texts:
            raise DraftError(f"The patch of {file.name} has no hunk.")
