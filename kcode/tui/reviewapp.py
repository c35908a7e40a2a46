"""The review screen alone, as `kcode review` opens it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual.app import App

from kcode.tui.screens.review import ReviewScreen
from kcode.tui.screens.reviewlooking import ReviewOutcome
from kcode.tui.texts import language_of, load_texts
from kcode.tui.themes import DEFAULT_THEME, own_themes

if TYPE_CHECKING:
    from kcode.tui.reviewdesk import ReviewDesk


class ReviewApp(App[ReviewOutcome | None]):
    """Ends when its screen is left."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, desk: ReviewDesk) -> None:
        super().__init__()
        self._desk = desk
        for theme in own_themes():
            self.register_theme(theme)
        self.theme = DEFAULT_THEME

    def on_mount(self) -> None:
        # Nobody typed into anything here before.
        self.push_screen(ReviewScreen(self._desk, load_texts(language_of(os.environ)), grace=0.0), self.exit)


def show_review(desk: ReviewDesk) -> ReviewOutcome | None:
    """Show the screen until it is left; what was done there."""
    return ReviewApp(desk).run()
