r"""How git spells things in a patch: blob ids, quoted names, binary blocks.

Sources: git's quote.c (C-style quoting with core.quotePath), diff.c (emit_binary_diff_body), patch-delta.c.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib

from kcode.errors import DraftError

NO_BLOB = "0" * 40
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_UNESCAPES = {letter.encode(): bytes([code]) for code, letter in _ESCAPES.items()}
_ESCAPED = re.compile(rb"\\([0-3][0-7]{2}|[abtnvfr\"\\])")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
# What HFS+ ignores in a name, so that ".g\u200cit" opens .git there (git's utf8.c, next_hfs_char).
_IGNORED_BY_HFS = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
_BINARY_WIDTH = 52
_LARGEST = 1 << 30


def blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def path_bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def quote(name: bytes, *, for_people: bool = False) -> bytes:
    """The name as it is, or in double quotes with octal escapes if it holds what git quotes.

    `for_people` letters beyond ASCII stay as they are, as with git's core.quotePath=false.
    """
    plain = {*range(32, 127), *(range(128, 256) if for_people else ())} - _ESCAPES.keys()
    if plain.issuperset(name):
        return name
    spelled = (bytes([code]) if code in plain else f"\\{_ESCAPES.get(code, f'{code:03o}')}".encode() for code in name)
    return b'"' + b"".join(spelled) + b'"'


def unquote(text: bytes) -> tuple[bytes, bytes]:
    """The name that `text` starts with in double quotes, and what follows the quotes; DraftError if there is none."""
    found = _QUOTED.match(text)
    if not found:
        raise DraftError(f"The patch holds a name whose quotes do not end: {text!r}.")
    inner = found[1]
    if b"\\" in _ESCAPED.sub(b"", inner):
        raise DraftError(f"The patch holds a name with an unknown escape: {text!r}.")

    def spelled(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return _UNESCAPES[code] if code in _UNESCAPES else bytes([int(code, 8)])

    return _ESCAPED.sub(spelled, inner), text[found.end() :]


def is_git_folder(component: str) -> bool:
    """Whether some file system opens .git by this name: letter case, HFS+'s ignored characters, NTFS's short names."""
    plain = component.translate(_IGNORED_BY_HFS).casefold().split(":", 1)[0].rstrip(" .")
    return plain in {".git", "git~1"}


def binary_block(data: bytes) -> list[bytes]:
    packed = zlib.compress(data)
    lines = [b"literal %d\n" % len(data)]
    for at in range(0, len(packed), _BINARY_WIDTH):
        part = packed[at : at + _BINARY_WIDTH]
        length = len(part) + (64 if len(part) <= 26 else 70)
        lines.append(bytes([length]) + base64.b85encode(part, pad=True) + b"\n")
    return [*lines, b"\n"]


def read_binary_block(lines: list[bytes], base: bytes) -> bytes:
    """What a block stands for: `literal N` or `delta N` (against `base`), then lines of base 85; DraftError else."""
    header = re.fullmatch(rb"(literal|delta) (\d{1,10})\n?", lines[0]) if lines else None
    if not header:
        raise DraftError("A binary part of the patch starts neither with literal nor with delta.")
    size = int(header[2])
    packed = b""
    try:
        for line in lines[1:]:
            length = line[0] - (64 if line[:1] <= b"Z" else 70)
            part = base64.b85decode(line[1:].rstrip(b"\n"))
            if not 0 < length <= len(part) < length + 4:
                raise DraftError("A line of a binary part of the patch has the wrong length.")
            packed += part[:length]
        inflate = zlib.decompressobj()
        data = inflate.decompress(packed, min(size, _LARGEST) + 1)
    except (ValueError, zlib.error) as error:
        raise DraftError(f"A binary part of the patch is damaged: {error}.") from error
    if len(data) != size or not inflate.eof:
        raise DraftError(f"A binary part of the patch says {size} bytes and holds another number.")
    return data if header[1] == b"literal" else _apply_delta(data, base)


def _apply_delta(delta: bytes, base: bytes) -> bytes:
    try:
        base_size, at = _varint(delta, 0)
        size, at = _varint(delta, at)
        out = bytearray()
        while at < len(delta) and len(out) <= min(size, _LARGEST):
            code = delta[at]
            at += 1
            if code & 0x80:
                numbers = []
                for bit in range(7):
                    numbers.append(delta[at] if code >> bit & 1 else 0)
                    at += code >> bit & 1
                offset = int.from_bytes(bytes(numbers[:4]), "little")
                length = int.from_bytes(bytes(numbers[4:]), "little") or 0x10000
                out += base[offset : offset + length]
            else:
                out += delta[at : at + code]
                at += code
    except IndexError as error:
        raise DraftError("A binary delta of the patch ends too early.") from error
    if base_size != len(base) or size != len(out):
        raise DraftError("A binary delta of the patch was made from another file.")
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
