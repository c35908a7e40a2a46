"""OpenRouter's `reasoning_details`: an array that is streamed in pieces and goes back whole."""

from __future__ import annotations

import json
from typing import Any

from kcode.providers.surrogates import mend_surrogates

_TEXT_KEYS = {"reasoning.text": "text", "reasoning.summary": "summary"}


class ReasoningDetails:
    """Gathers the pieces. Neighbours that are one text cut in two are joined; everything else is kept as it came."""

    def __init__(self) -> None:
        self.size = 0
        self._entries: list[Any] = []
        self._open: list[str] = []

    def add(self, pieces: list[Any]) -> str | None:
        """Take one delta's pieces and return the text in them; None when they hold none."""
        found: list[str] = []
        for piece in pieces:
            key = _TEXT_KEYS.get(str(piece.get("type"))) if isinstance(piece, dict) else None
            text = piece.get(key) if key else None
            if key and isinstance(text, str):
                found.append(text)
                self.size += len(text)
                if self._entries and self._open and _continues(self._entries[-1], piece, key):
                    self._open.append(text)
                    self._entries[-1].update({k: v for k, v in piece.items() if k != key and v is not None})
                    continue
                self._close()
                self._entries.append(dict(piece))
                self._open = [text]
            else:
                self._close()
                self._entries.append(piece)
                self.size += len(str(piece))
        return "".join(found) if found else None

    def _close(self) -> None:
        if self._open:
            last = self._entries[-1]
            last[_TEXT_KEYS[last["type"]]] = mend_surrogates("".join(self._open))
            self._open = []

    def as_json(self) -> str | None:
        """The whole array as JSON text, in ASCII so that any character survives; None when nothing came."""
        self._close()
        return json.dumps(self._entries, separators=(",", ":")) if self._entries else None


def _continues(last: Any, piece: dict[str, Any], key: str) -> bool:
    """A signature closes a text. A field that the piece repeats must say the same."""
    if last.get("signature") or last.get("type") != piece.get("type") or last.get("index") != piece.get("index"):
        return False
    return all(
        last.get(k) is None or v is None or last[k] == v for k, v in piece.items() if k not in {key, "signature"}
    )
