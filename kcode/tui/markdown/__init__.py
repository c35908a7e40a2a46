"""Markdown that comes in pieces, as rows: what is finished is laid out once, and only the end of it costs anything."""

from kcode.tui.highlight import highlight_lines
from kcode.tui.markdown.document import Document
from kcode.tui.markdown.inline import inline

__all__ = ["Document", "prepare"]


def prepare() -> None:
    """Load the libraries behind it, which takes some 60 ms; may run in a thread."""
    inline("*a*")
    highlight_lines("a = 1", "python")
