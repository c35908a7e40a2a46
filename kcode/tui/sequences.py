"""Escape sequences that Textual does not send, on their way to the terminal that the user looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

# GNU screen takes no longer string at a time.
_SCREEN_PIECE = 700


def through_multiplexer(sequence: str, environment: Mapping[str, str]) -> str:
    """The sequence wrapped so that tmux or screen hands it on to the terminal outside; as it is without them."""
    if environment.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("STY"):
        pieces = [sequence[start : start + _SCREEN_PIECE] for start in range(0, len(sequence), _SCREEN_PIECE)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence


def send(app: App[object], sequence: str) -> None:
    """Write to the terminal in order with what Textual draws; nothing where there is no terminal."""
    driver = app._driver  # noqa: SLF001 - Textual has no public way to send a sequence of one's own
    if driver is not None and sequence and not app.is_headless:
        driver.write(sequence)
        driver.flush()
