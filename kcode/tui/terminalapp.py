"""What the app tells its terminal beside what it draws: titles, calls to the user, colours, and how it crashed."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING, Literal

from textual.app import App

from kcode.tui.notify import notice_sequence
from kcode.tui.themes import own_themes, repaint

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.tui.preferences import Preferences
    from kcode.tui.texts import Texts


def tell_of_hangup(terminal: int, tell: Callable[[], None]) -> None:
    """Call `tell`, in another thread, once nobody has the other side of the terminal open any more.

    Where SIGHUP does not come, or is ignored as under nohup, an end of input is all that shows it, and Textual would go on
    reading that.
    """

    def wait() -> None:
        hangups = select.poll()
        hangups.register(terminal, 0)  # a hangup is told of in any case
        hangups.poll()
        tell()

    threading.Thread(target=wait, name="kcode hangup", daemon=True).start()


class TerminalApp(App[int]):
    """An app with kcode's themes, in the user's language; its result is the exit code."""

    def __init__(self, preferences: Preferences, texts: Texts) -> None:
        super().__init__()
        self.preferences, self.texts = preferences, texts
        for theme in own_themes():
            self.register_theme(theme)
        self.theme = preferences.theme
        self.set_keymap(dict(preferences.keys))

    def watch_theme(self, before: str, theme: str) -> None:
        if theme != before and self.is_running:
            self.call_next(repaint, self)

    def call_user(self, why: Literal["done", "asks"]) -> None:
        """Call the user back to a terminal that they do not look at."""
        text = self.texts(f"app.{why}_title")
        how = self.preferences.notifications
        self.write_sequence(notice_sequence(how, text, os.environ, focused=self.app_focus))

    def write_sequence(self, sequence: str) -> None:
        """Send the terminal something that it does not show."""
        if sequence and self._driver is not None:
            self._driver.write(sequence)

    def _fatal_error(self) -> None:
        """Show what went wrong without the values of variables, among which a key may be."""
        from rich.traceback import Traceback  # noqa: PLC0415 - mostly never needed

        self.bell()
        self._exit_renderables.append(Traceback(show_locals=False, width=None))
        self._close_messages_no_wait()
