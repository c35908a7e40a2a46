"""Copying to the clipboard of the machine that the user sits at.

By OSC 52 alone: it reaches that machine also through SSH and tmux, where `xclip` or `wl-copy` would fill another one's
clipboard, and no program has to be run. A terminal without it (macOS Terminal) has its own selection, with Shift or Option
held down.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from kcode.tui.sequences import through_multiplexer

if TYPE_CHECKING:
    from collections.abc import Mapping

# tmux drops a sequence of more than 1 MiB, in base64.
LARGEST = 700_000


def copy_sequence(text: str, environment: Mapping[str, str]) -> str | None:
    """What puts the text into the clipboard; None for one that is larger than terminals take."""
    data = text.encode("utf-8", "replace")
    if len(data) > LARGEST:
        return None
    plain = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"
    wrapped = through_multiplexer(plain, environment)
    # tmux itself takes the plain one where `set-clipboard` is on, and hands the wrapped one on where passthrough is.
    return plain if wrapped == plain else plain + wrapped
