"""The two files that the user writes: `config.toml`, and `credentials` with the keys beside it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

from kcode.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_BIGGEST_FILE = 1_000_000


def read_config(path: Path) -> dict[str, Any]:
    """All that stands in the settings file, unchecked; nothing when there is no file."""
    text = read_config_text(path)
    return _parse(path, text) if text else {}


def read_config_text(path: Path) -> str:
    """The settings file as it is written, "" when there is none."""
    try:
        return _read(path, private=False)
    except FileNotFoundError:
        return ""


def _parse(path: Path, text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most runs have no such file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as bad:
        raise UsageError(f"{path} is not valid TOML: {bad}.") from None


def read_credentials(path: Path) -> dict[str, str]:
    """The keys in the file, by endpoint; none when there is no file.

    Raises UsageError for a file that others could read or that is a link, so that a leaked key does not go unnoticed.
    """
    text = read_credentials_text(path)
    # Most users have no such file, and no need of a TOML parser.
    found = _parse(path, text) if text else {}
    for name, value in found.items():
        if not isinstance(value, str):
            raise UsageError(f'{path}: write each key as NAME = "KEY"; {name} is something else.')
    return {name: value.strip() for name, value in found.items() if value.strip()}


def read_credentials_text(path: Path) -> str:
    """The file as it is written, "" when there is none; refuses what `read_credentials` refuses."""
    try:
        return _read(path, private=True)
    except FileNotFoundError:
        return ""


def _read(path: Path, *, private: bool) -> str:
    try:
        # Looked at before the opening too: to open a named pipe would wait for its writer.
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path} is not a plain file.")
        with path.open("rb") as file:
            opened = os.fstat(file.fileno())
            if private:
                _refuse_exposed(path, opened)
            if opened.st_size > _BIGGEST_FILE:
                raise UsageError(f"{path} is larger than 1 MB, too large for settings.")
            return file.read().decode("utf-8")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _refuse_exposed(path: Path, opened: os.stat_result) -> None:
    # Compared after the opening, so that a file cannot be swapped for a link in between.
    named = path.lstat()
    if stat.S_ISLNK(named.st_mode) or (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
        raise UsageError(f"{path} is a link. Keys are read from a plain file only: put the file itself there.")
    if opened.st_mode & 0o077:
        raise UsageError(f"Other users of this machine can read {path}. Run: chmod 600 {path}")
