"""What the app tells its terminal beside what it draws: titles, calls to the user, colours, and how it crashed."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.app import App
from textual.events import Key

from kcode.tui.drawing import drawn_on
from kcode.tui.fewcolors import Colorless, theme_for
from kcode.tui.keys import teach_keys
from kcode.tui.notify import notice_sequence
from kcode.tui.themes import own_themes, repaint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.events import Event
    from textual.filter import LineFilter

    from kcode.tui.drawing import HeldErrors
    from kcode.tui.preferences import Preferences
    from kcode.tui.texts import Texts


# What Textual itself sets: buttons, movements, and two ways to tell of places beyond column 223.
_MOUSE_MODES = (1000, 1003, 1015, 1006)
_COLORLESS = Colorless()


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
        # Whether to look at what the terminal can show: a test's or a picture's is none.
        self._at_terminal = False
        self._errors: HeldErrors | None = None
        self.pressed = 0
        """How many keys were pressed so far."""
        self.show_theme(preferences.theme)
        self.set_keymap(dict(preferences.keys))

    async def on_event(self, event: Event) -> None:
        if isinstance(event, Key) and not event.is_forwarded:
            self.pressed += 1
        await super().on_event(event)

    def run_at_terminal(self, descriptor: int) -> int:
        """Run until the user leaves, on this terminal in the colours that it has; the exit code."""
        teach_keys()
        self._at_terminal = True
        self.show_theme(self.preferences.theme)
        with drawn_on(descriptor) as self._errors:
            code = self.run(mouse=self.preferences.mouse)
        return self.return_code or code or 0

    def on_mount(self) -> None:
        """Have a signal, or a terminal that is gone, end the program as the user would."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.leave, 128 + number)
        if not self.is_headless and sys.stdin.isatty():
            tell_of_hangup(sys.stdin.fileno(), partial(self._hang_up, loop))

    def _hang_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Leave as with SIGHUP. Called in a thread of its own."""
        if self.is_running:
            loop.call_soon_threadsafe(self.leave, 128 + signal.SIGHUP)

    @contextmanager
    def suspend(self) -> Iterator[None]:
        """Leave the terminal, and stderr with it, to a program that the user asked for."""
        suspended = super().suspend()
        suspended.__enter__()
        if self._errors is not None:
            self._errors.let_through()
        try:
            yield
        finally:
            if self._errors is not None:
                self._errors.hold()
            # Not told of what went wrong in between: Textual would then leave the terminal as it is, deaf and blank.
            suspended.__exit__(None, None, None)

    def show_theme(self, name: str) -> None:
        """Show everything in this theme, or in the one for few colours or none."""
        colors = self.console.color_system if self._at_terminal else "truecolor"
        self.theme = theme_for(name, None if self.no_color else colors)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """As Textual has it, but that no colour is none, and no grey in its place."""
        return (_COLORLESS,) if self.no_color else super().get_line_filters()

    def follow(self, preferences: Preferences) -> None:
        """Look and act as the user has set it by now; the language is the next start's."""
        self.preferences = preferences
        self.show_theme(preferences.theme)
        self.set_keymap(dict(preferences.keys))
        self.use_mouse(on=preferences.mouse)

    def use_mouse(self, *, on: bool) -> None:
        """Have the terminal report the mouse, or leave it to the terminal's own selecting."""
        driver = self._driver
        if driver is not None and driver._mouse != on:  # noqa: SLF001 - Textual takes it at the start only
            # By it the driver has the modes as they are here after a suspend, and ends them at the end.
            driver._mouse = on  # noqa: SLF001
            self.capture_mouse(None)
            self.write_sequence("".join(f"\x1b[?{mode}{'h' if on else 'l'}" for mode in _MOUSE_MODES))

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

    async def action_quit(self) -> None:
        self.leave()

    def leave(self, code: int = 0) -> None:
        """End the program, with all that has to be done before."""
        self.exit(code)

    def action_help_quit(self) -> None:
        """Ctrl-C where there is nothing to copy: one step back, as Esc."""
        self.call_later(self.run_action, "screen.close")

    def _fatal_error(self) -> None:
        """Show what went wrong without the values of variables, among which a key may be."""
        from rich.traceback import Traceback  # noqa: PLC0415 - mostly never needed

        self.bell()
        self._exit_renderables.append(Traceback(show_locals=False, width=None))
        self._close_messages_no_wait()
