"""Markdown that comes in pieces, as rows: what is finished is laid out once, and only the end of it costs anything."""

from kcode.tui.markdown.document import Document

__all__ = ["Document"]
