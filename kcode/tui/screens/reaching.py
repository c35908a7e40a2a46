"""Reaching the parts of the conversation's screen, by keys that work everywhere in it and by clicks on its lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from textual import on

from kcode.tui.doing import move
from kcode.tui.screens.hearing import HearingScreen
from kcode.tui.widgets.beside import WIDE, Beside
from kcode.tui.widgets.composer import Composer
from kcode.tui.widgets.statusline import StatusLine

if TYPE_CHECKING:
    from textual.widgets import TextArea


class ReachingScreen(HearingScreen):
    """Whatever has the focus, all parts can be reached."""

    def action_palette(self) -> None:
        """All commands, in the composer's own list."""
        composer = self.query_one(Composer)
        composer.focus()
        if not composer.text:
            composer.insert("/")

    def action_find(self) -> None:
        self.finding.open(self.transcript, self.query_one(Composer))

    def action_toggle_draft(self) -> None:
        """Show or hide the draft beside the conversation; where it cannot be seen either way, say why."""
        if not self.query_one(Beside).has_room:
            self.remark(self.texts("app.draft_narrow", width=WIDE))
            return
        self.draft.is_wanted = not self.draft.is_wanted
        self.draft.come_or_go()
        if self.draft.is_wanted and not self.draft.display:
            self.remark(self.texts("app.draft_empty"))

    def action_in_transcript(self, action: str, argument: str | int) -> None:
        """Scroll or walk through the conversation."""
        move(self, action, argument)

    def action_in_composer(self, action: Literal["send", "interrupt"]) -> None:
        """What the composer's own keys do, for a click on them."""
        composer = self.query_one(Composer)
        if action == "send":
            composer.focus()
            composer.action_send()
        else:
            composer.action_interrupt()

    def on_resize(self) -> None:
        # Once all have their places again.
        self.call_after_refresh(self.query_one(Composer).fit_list)

    @on(Composer.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        """Offer to send what is typed."""
        if isinstance(event.text_area, Composer):
            self.aside.hear(event.text_area.text)
        status, is_typed = self.query_one(StatusLine), bool(event.text_area.text.strip())
        if isinstance(event.text_area, Composer) and is_typed is not status.state.is_typed:
            status.state = replace(status.state, is_typed=is_typed)
