"""The review screen alone, as `kcode review` opens it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kcode.folders import config_folder
from kcode.tui.preferences import load_preferences
from kcode.tui.screens.review import ReviewScreen
from kcode.tui.terminalapp import TerminalApp
from kcode.tui.texts import language_of, load_texts

if TYPE_CHECKING:
    from kcode.tui.preferences import Preferences
    from kcode.tui.reviewdesk import ReviewDesk
    from kcode.tui.texts import Texts


class ReviewApp(TerminalApp):
    """Ends when its screen is left."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, desk: ReviewDesk, preferences: Preferences, texts: Texts) -> None:
        super().__init__(preferences, texts)
        self._desk = desk

    def on_mount(self) -> None:
        # Nobody typed into anything here before.
        split, wrap = self.preferences.side_by_side == "always", self.preferences.wrap
        screen = ReviewScreen(self._desk, self.texts, grace=0.0, split=split, wrap=wrap)
        self.push_screen(screen, lambda _: self.exit())


def show_review(desk: ReviewDesk) -> None:
    """Show the screen until it is left, as the user has set the interface."""
    preferences = load_preferences(config_folder(os.environ) / "config.toml")
    texts = load_texts(language_of(os.environ) if preferences.language == "auto" else preferences.language)
    ReviewApp(desk, preferences, texts).run_at_terminal()
