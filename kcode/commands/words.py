"""Commands that are only words: a Markdown file each, whose text becomes the user's message.

    ---
    description: Explain a part of the code
    ---
    Explain $ARGUMENTS …

`$ARGUMENTS` is all that stands behind the command, `$1` to `$9` are its words; `$$` is a dollar sign, and any other one is
itself. Where a text has no place for them, the arguments go below it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.share import shared

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_BLANK = re.compile(r"\$(ARGUMENTS\b|[1-9](?![0-9])|\$)")
_FRONT = re.compile(r"---[ \t]*\n(?P<front>.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"([A-Za-z_-]+)\s*:\s*(.*)")
_LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class WordCommand:
    """`text` is the message with its blanks; `description` is one line, "" where the file has none."""

    name: str
    description: str
    text: str

    def message(self, arguments: str = "") -> str:
        """The message that the command sends."""
        return fill_in(self.text, arguments)


def load_word_commands(own_folder: Path) -> tuple[list[WordCommand], list[str]]:
    """What comes with kcode and what the user has, which wins, by name; and what is wrong with any of the files."""
    found: dict[str, WordCommand] = {}
    warnings: list[str] = []
    for folder in (shared("prompts") / "commands", own_folder):
        for path in sorted(folder.glob("*.md")):
            try:
                command = _read(path)
            except ValueError as error:
                warnings.append(f"The command {path} is left out: {error}")
            else:
                found[command.name] = command
    return [found[name] for name in sorted(found)], warnings


def _read(path: Path) -> WordCommand:
    if not _NAME.fullmatch(path.stem):
        raise ValueError("its name may have small letters, digits, - and _ only. Rename the file.")
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise ValueError("it is no plain file of at most 100 kB.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}.") from None
    fields, body = split_front(text)
    if not body.strip():
        raise ValueError("it has no text.")
    return WordCommand(path.stem, fields.get("description", ""), body.strip())


def split_front(text: str) -> tuple[Mapping[str, str], str]:
    """The fields between `---` at the top of a file, each on a line, and what follows."""
    front = _FRONT.match(text)
    if front is None:
        return {}, text
    fields = {}
    for line in front["front"].splitlines():
        if field := _FIELD.fullmatch(line.strip()):
            value = field[2].strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            fields[field[1].lower()] = value[1:-1] if quoted else value
    return fields, text[front.end() :]


def fill_in(text: str, arguments: str) -> str:
    """The text with the arguments in its blanks. What stands in the arguments is no blank."""
    arguments = arguments.strip()
    words = _words(arguments)
    wants = False

    def blank(found: re.Match[str]) -> str:
        nonlocal wants
        if found[1] == "$":
            return "$"
        wants = True
        if found[1] == "ARGUMENTS":
            return arguments
        number = int(found[1])
        return words[number - 1] if number <= len(words) else ""

    filled = _BLANK.sub(blank, text).strip()
    return f"{filled}\n\n{arguments}" if arguments and not wants else filled


def _words(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments)
    except ValueError:  # an apostrophe is no open quotation
        return arguments.split()
