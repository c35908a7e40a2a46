"""What stands side by side where there is room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal

if TYPE_CHECKING:
    from textual.events import Resize

# From this width on the draft stands beside the conversation.
WIDE = 120


class Beside(Horizontal):
    """The conversation, and the draft beside it."""

    # Not by breakpoints of the screen, whose classes have every widget's style looked up anew before the first paint.
    DEFAULT_CSS = """
    Beside { height: 1fr; }
    Beside.-narrow DraftPane { display: none; }
    """

    @property
    def has_room(self) -> bool:
        """Whether there is room for both."""
        return not self.has_class("-narrow")

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.width < WIDE, "-narrow")
