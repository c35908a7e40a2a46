"""Stores keys and takes them away: in the system's keyring where there is one, else in a file of the user's own."""

from __future__ import annotations

import json
import os
import re
import secrets
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.providers.keys import KEYRING_MARK
from kcode.providers.system_keyring import delete_secret, keyring_name, write_secret
from kcode.settingsfiles import read_credentials, read_credentials_text

if TYPE_CHECKING:
    from pathlib import Path

_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*')"""


def store_key(path: Path, name: str, key: str) -> str:
    """Store the key under this name and return in words where it lies.

    With a keyring the file holds only a mark, so that a run without a key there never has to load the library. Raises
    UsageError where the file is a link, or can be read by others, or cannot be written.
    """
    read_credentials(path)  # to refuse a file that cannot be read as one before a key goes anywhere
    text = read_credentials_text(path)
    keyring = keyring_name()
    refused = ""
    if keyring:
        try:
            write_secret(name, key)
        except UsageError as error:
            refused = f" {error}"
        else:
            _write(path, with_entry(text, name, KEYRING_MARK, path))
            return f"in the keyring ({keyring})"
    _write(path, with_entry(text, name, key, path))
    return f"in {path}, which only you can read.{refused}".removesuffix(".")


def forget_key(path: Path, name: str) -> bool:
    """Take the key under this name away, also from the keyring; False when none is stored."""
    stored = read_credentials(path).get(name)
    if stored is None:
        return False
    if stored == KEYRING_MARK:
        delete_secret(name)
    _write(path, without_entry(read_credentials_text(path), name, path))
    return True


def with_entry(text: str, name: str, value: str, path: Path) -> str:
    """The file's text with this entry in it; every other line, and a comment behind the entry, stays as it is."""
    meant = tomllib.loads(text) | {name: value}
    quoted = _quoted(value)
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if found := _entry(name).match(line):
            lines[number] = line[: found.start("value")] + quoted + line[found.end("value") :]
            return _checked("\n".join(lines), meant, path)
    bare = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)
    gap = "\n" if text and not text.endswith("\n") else ""
    return _checked(f"{text}{gap}{bare} = {quoted}\n", meant, path)


def without_entry(text: str, name: str, path: Path) -> str:
    """The file's text without this entry's line."""
    meant = {key: value for key, value in tomllib.loads(text).items() if key != name}
    lines = [line for line in text.split("\n") if not _entry(name).match(line)]
    return _checked("\n".join(lines), meant, path)


def _entry(name: str) -> re.Pattern[str]:
    spellings = "|".join(map(re.escape, (name, _quoted(name), f"'{name}'")))
    return re.compile(rf"\s*(?:{spellings})\s*=\s*{_VALUE}\s*(?:#.*)?$")


def _quoted(text: str) -> str:
    """The text as TOML has it: JSON's way, which is the same for all that a key or a host can hold."""
    return json.dumps(text, ensure_ascii=False)


def _checked(text: str, meant: dict[str, object], path: Path) -> str:
    """TOML has more ways to write an entry than one line; what cannot be edited line by line is left to the user."""
    try:
        right = tomllib.loads(text) == meant
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        raise UsageError(f'{path} is written in a way that kcode cannot edit: put each key on a line, NAME = "KEY".')
    return text


def _write(path: Path, text: str) -> None:
    """Replace the file at once and whole, for its owner alone."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:
            with suppress(OSError):
                fresh.unlink()
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. The key was not stored.") from None
