"""What of a streaming text may be shown, and what waits because it may be a leaked tool call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kcode.providers.quoting import Quotes
from kcode.providers.salvage import ARGUMENTS, LONGEST_ID, TOKEN, TOKENS, is_partial_token, read_leak

if TYPE_CHECKING:
    from kcode.providers.salvage import Leak
    from kcode.providers.toolnames import ToolNames

_LONGEST_TOKEN = max(map(len, TOKENS))
# The start of a line that may be an id whose begin token the host has eaten.
_ID_LINE = re.compile(r"[ \t]*([\w.\-]*(?::\d*)?)([ \t]*)")


class Gate:
    """Lets a text through but for a leaked call and all that follows it: that is `held` until its end is known.

    What is let through does not depend on how the text is cut into pieces. It waits only for a piece's end that may
    yet become a token of the call grammar, and for a line's first word while that may be an id.
    """

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._quotes = Quotes()
        self._shown: list[str] = []
        self._read = 0
        self._pending = ""
        self._at_line_start = True
        self._held: list[str] = []
        self.is_open = False

    @property
    def holds(self) -> bool:
        """True when a leak was found: nothing more is let through."""
        return bool(self._held)

    @property
    def held(self) -> str:
        """The leak and all that follows it."""
        return "".join(self._held)

    def hold_only(self, text: str) -> None:
        """Hold this in place of what is held."""
        self._held = [text] if text else []

    def take(self, piece: str) -> str:
        """The part of the text that may be shown now."""
        if self.is_open:
            return piece
        if not (self._held or self._pending or self._at_line_start or "<" in piece or "\n" in piece):
            self._shown.append(piece)
            return piece
        if self._held:
            self._held.append(piece)
            return ""
        return self._sift(self._pending + piece)

    def is_quoted(self) -> bool:
        """True when what comes next is quoted."""
        self._catch_up()
        return self._quotes.is_open

    def flush(self) -> str:
        """What waited for its continuation, when there is none."""
        pending, self._pending = self._pending, ""
        self._show(pending)
        return pending

    def open(self) -> str:
        """All that waited. From now on everything is let through."""
        self.is_open = True
        held, self._held = self.held, []
        return self.flush() + held

    def read_leak(self) -> Leak | None:
        """What the held text comes to, None when nothing is held."""
        if not self._held:
            return None
        before = "".join(self._shown[-LONGEST_ID:])[-LONGEST_ID:]
        return read_leak(self.held, before, self._quotes, self._names)

    def _sift(self, text: str) -> str:
        done = 0
        for token in TOKEN.finditer(text):
            start = self._start_of_leak(text, done, token)
            self._show(text[done:start])
            if not self.is_quoted():
                self._pending = ""
                self._held = [text[start:]]
                return text[:start]
            self._quotes.mention()
            self._show(text[start : token.end()])
            done = token.end()
        wait = self._waiting_from(text, done)
        self._show(text[done:wait])
        self._pending = text[wait:]
        return text[:wait]

    def _show(self, text: str) -> None:
        if text:
            self._shown.append(text)
            self._at_line_start = text.endswith("\n")

    def _start_of_leak(self, text: str, done: int, token: re.Match[str]) -> int:
        """Where the call begins that the token belongs to: at the token, or at the id that is alone in the line before."""
        if token[0] != ARGUMENTS:
            return token.start()
        line = self._start_of_line(text, done, token.start())
        if line is not None and token.start() - line <= LONGEST_ID:
            found = _ID_LINE.fullmatch(text, line, token.start())
            if found and found[1] and self._names.starts_call(found[1]):
                return line
        return token.start()

    def _start_of_line(self, text: str, done: int, end: int) -> int | None:
        """Where the line that holds `end` starts, None when its start was shown before."""
        newline = text.rfind("\n", done, end)
        if newline >= 0:
            return newline + 1
        return done if self._at_line_start else None

    def _waiting_from(self, text: str, done: int) -> int:
        tail = text.rfind("<", max(done, len(text) - _LONGEST_TOKEN))
        partial = text[tail:] if tail >= 0 and is_partial_token(text[tail:]) else ""
        end = len(text) - len(partial)
        line = self._start_of_line(text, done, end)
        if line is None or end - line > LONGEST_ID or (partial and not ARGUMENTS.startswith(partial)):
            return end
        found = _ID_LINE.fullmatch(text, line, end)
        if not found:
            return end
        is_whole = bool(partial or found[2])
        may_be_id = self._names.starts_call(found[1]) if is_whole and found[1] else self._names.may_begin(found[1])
        return line if may_be_id else end

    def _catch_up(self) -> None:
        if self._read < len(self._shown):
            self._quotes.read("".join(self._shown[self._read :]))
            self._read = len(self._shown)
