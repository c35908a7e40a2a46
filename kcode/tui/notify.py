"""Calling the user back to a terminal that they do not look at, and the terminal's title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.sanitize import sanitize_line
from kcode.tui.sequences import through_multiplexer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.tui.preferences import Notifications

_LONGEST = 120
# Terminals that know these keep the title on a stack.
SAVE_TITLE, RESTORE_TITLE = "\x1b[22;0t", "\x1b[23;0t"


def notice_sequence(how: Notifications, text: str, environment: Mapping[str, str], *, focused: bool) -> str:
    """What calls the user: nothing while they look, a bell, or a notification with this text."""
    if how == "off" or focused:
        return ""
    if how == "bell":
        return "\x07"
    # A bell too, since few terminals know the notification: it marks tmux's window and the terminal's tab.
    return through_multiplexer(f"\x1b]9;{_one_line(text)}\x07", environment) + "\x07"


def title_sequence(title: str) -> str:
    """What names the terminal's window and tab; tmux and screen take it for their pane."""
    return f"\x1b]0;{_one_line(title)}\x07"


def _one_line(text: str) -> str:
    line = sanitize_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
