"""Server-sent events out of bytes that may be cut anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# A line holds one delta, or a whole call with the file that it writes. The SDK has no cap: 200 MB in one line took
# 262 MB of memory.
LINE_LIMIT = 8 * 1024 * 1024
_STRAY_LIMIT = 8 * 1024 * 1024

# Not `json.loads`: with a keyword it builds a decoder for every call. A raw control character in a string is let pass.
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Event:
    """One event's decoded JSON, and its `event:` name where it has one."""

    data: Any
    name: str = ""


class StreamFault(Exception):  # noqa: N818 - a fault of the stream, turned into a ProviderError by its reader
    """The bytes are not a stream of events; the text says how, in a few words."""


class EventDecoder:
    """Bytes in, events out.

    A `data:` line that is JSON by itself is an event at once: some servers leave the empty line out. What is no field
    of the format is kept as `stray`, since an endpoint may answer with a plain JSON or HTML body instead.
    """

    def __init__(self) -> None:
        self.done = False
        self.stray = bytearray()
        self._rest = bytearray()
        self._lines: list[str] = []
        self._size = 0
        self._name = ""
        self._started = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete, up to `[DONE]`; raises StreamFault."""
        if self.done:
            return []
        self._rest += data
        if not self._started:
            if len(self._rest) < 3 and b"\xef\xbb\xbf".startswith(self._rest):
                return []
            if self._rest.startswith(b"\xef\xbb\xbf"):
                del self._rest[:3]
            self._started = True
        end = self._rest.rfind(b"\n", max(0, len(self._rest) - len(data)))
        if end < 0:
            if len(self._rest) > LINE_LIMIT:
                raise StreamFault(f"a line is longer than {LINE_LIMIT // 1_048_576} MiB")
            return []
        whole = bytes(self._rest[:end])
        del self._rest[: end + 1]
        events: list[Event] = []
        for line in whole.split(b"\n"):
            self._take_line(line, events)
            if self.done:
                break
        return events

    def finish(self) -> list[Event]:
        """The events of a last line without its newline; raises StreamFault when it is cut."""
        events: list[Event] = []
        if not self.done and self._rest:
            line = bytes(self._rest)
            self._rest.clear()
            self._take_line(line, events)
        if not self.done:
            self._take_end_of_event(events)
        return events

    def _take_line(self, line: bytes, events: list[Event]) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        if line.startswith(b"data:"):
            self._take_data(line[5:], events)
        elif not line:
            self._take_end_of_event(events)
        elif line.startswith(b"event:"):
            self._name = line[6:].decode("utf-8", "replace").strip()
        elif not line.startswith((b":", b"id:", b"retry:", b"data", b"id", b"event", b"retry")):
            if len(self.stray) + len(line) > _STRAY_LIMIT:
                raise StreamFault("the answer is no stream of events and does not end")
            self.stray += line + b"\n"

    def _take_data(self, data: bytes, events: list[Event]) -> None:
        text = _decode(data)
        if self._lines:
            self._size += len(text)
            if self._size > LINE_LIMIT:
                raise StreamFault("an event does not end")
            self._lines.append(text)
            return
        stripped = text.strip()
        if stripped == "[DONE]":
            self.done = True
            return
        try:
            decoded = _JSON.decode(stripped)
        except (ValueError, RecursionError):
            # The first of several lines, or damaged; the end of the event tells.
            if stripped:
                self._lines, self._size = [text], len(text)
            return
        events.append(Event(decoded, self._name))

    def _take_end_of_event(self, events: list[Event]) -> None:
        name, self._name = self._name, ""
        if not self._lines:
            return
        text = "\n".join(self._lines)
        self._lines = []
        try:
            events.append(Event(_JSON.decode(text.strip()), name))
        except (ValueError, RecursionError):
            raise StreamFault(f"an event is not JSON: {text.strip()[:80]!r}") from None


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def decode_body(data: bytes) -> Any:
    """The JSON of a body that is no stream, or None."""
    try:
        return _JSON.decode(_decode(data).strip().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
