"""What the model is told: Markdown files with named blanks."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.share import shared

if TYPE_CHECKING:
    from pathlib import Path


def render_prompt(name: str, own_folder: Path | None = None, /, **blanks: str) -> str:
    """Fill the blanks of `prompts/NAME.md`, or of the user's file of that name in `own_folder`, which wins.

    Raises UsageError when a blank is left without a value or the file is not there.
    """
    own = own_folder / f"{name}.md" if own_folder else None
    path = own if own and own.is_file() else shared("prompts") / f"{name}.md"
    try:
        # A file written on Windows may begin with a byte-order mark.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"There is no prompt named {name!r}: {path} is missing.") from None
    except OSError as error:
        raise UsageError(f"The prompt {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise UsageError(f"The prompt {path} is not UTF-8 text. Save it as UTF-8.") from None
    try:
        return Template(text).substitute(blanks).strip() + "\n"
    except KeyError as missing:
        known = ", ".join(f"${blank}" for blank in blanks) or "none"
        raise UsageError(f"{path}: the blank ${missing.args[0]} has no value here. Known blanks: {known}.") from None
    except ValueError as bad:
        raise UsageError(f"{path}: {bad}. Write a dollar sign as $$.") from None
