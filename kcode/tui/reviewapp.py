"""The review screen alone, as `kcode review` opens it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kcode.folders import config_folder
from kcode.tui.preferences import load_preferences
from kcode.tui.screens.review import ReviewScreen
from kcode.tui.screens.reviewlooking import GRACE_SECONDS
from kcode.tui.terminalapp import TerminalApp
from kcode.tui.texts import language_of, load_texts

if TYPE_CHECKING:
    from kcode.tui.preferences import Preferences
    from kcode.tui.reviewdesk import ReviewDesk
    from kcode.tui.texts import Texts


def review_screen(
    desk: ReviewDesk, texts: Texts, preferences: Preferences, *, grace: float = GRACE_SECONDS
) -> ReviewScreen:
    """The review as the user has set it."""
    return ReviewScreen(
        desk,
        texts,
        grace=grace,
        side_by_side=preferences.side_by_side,
        wrap=preferences.wrap,
        linear=preferences.linear,
        keymap=preferences.keys,
    )


class ReviewApp(TerminalApp):
    """Ends when its screen is left."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, desk: ReviewDesk, preferences: Preferences, texts: Texts) -> None:
        super().__init__(preferences, texts)
        self._desk = desk

    def on_mount(self) -> None:
        # Nobody typed into anything here before.
        self.push_screen(review_screen(self._desk, self.texts, self.preferences, grace=0.0), lambda _: self.exit())


def review_app(desk: ReviewDesk) -> ReviewApp:
    """The app as the user has set the interface."""
    preferences = load_preferences(config_folder(os.environ) / "config.toml")
    texts = load_texts(language_of(os.environ) if preferences.language == "auto" else preferences.language)
    return ReviewApp(desk, preferences, texts)


def show_review(desk: ReviewDesk) -> int:
    """Show the screen until it is left, on stderr: what comes of it may go elsewhere on stdout. The exit code."""
    return review_app(desk).run_at_terminal(2)
