"""What is said right above the composer and nowhere else: a mode that it is in, and why something was not done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.tui.lines import Role
from kcode.tui.widgets.notice import Notice

if TYPE_CHECKING:
    from textual.timer import Timer

# Long enough to be read; whoever types on has read it.
REMARK_SECONDS = 8.0


class Aside(Notice):
    """Shows the mode as long as it lasts; a remark lies over it for a while, and goes once something else is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._mode = ""
        self._typed: str | None = None
        self._timer: Timer | None = None

    @property
    def has_remark(self) -> bool:
        return self._typed is not None

    def set_mode(self, words: str) -> None:
        """Say from here on what the composer is about; "" where that is nothing special."""
        self._mode = words
        self.drop_remark()

    def remark(self, words: str, typed: str, *, role: Role = Role.WARNING, seconds: float = REMARK_SECONDS) -> None:
        """Say this for so long, or until something else than `typed` stands in the composer."""
        self.drop_remark()
        self._typed = typed
        self._timer = self.set_timer(seconds, self.drop_remark)
        self.show(f"! {words}", role)

    def hear(self, typed: str) -> None:
        """This stands in the composer by now."""
        if self.has_remark and typed != self._typed:
            self.drop_remark()

    def drop_remark(self) -> None:
        """Say no more than the mode."""
        self._typed = None
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.show(f"› {self._mode}" if self._mode else "", Role.ACCENT)  # noqa: RUF001 - as before what the user says
