"""kcode: a coding assistant for the terminal, built around Kimi K2 Thinking."""

__version__ = "0.1.0"
