"""The tool calls of one reply, put together from the pieces in which hosts send them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kcode.messages import ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class PartialCall:
    """A call that may still grow; `pieces` joined are its arguments, `shown` of them were given to the screen."""

    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    shown: int = 0

    def arguments(self) -> str:
        """All that came of the arguments."""
        return "".join(self.pieces)

    def is_whole(self) -> bool:
        """True when the arguments are JSON, so that nothing but whitespace can follow them."""
        return is_json(self.arguments())


class CallAssembler:
    """Takes `delta.tool_calls`, entry by entry, in whatever shape the host sends them.

    An entry continues the call of its index, or the last call where it has no index. It opens another one when its
    index is new, or when it brings a name and an id or arguments of its own although the call before is whole: some
    hosts give every call the index 0. Id and name count the first time that they are not empty.
    """

    def __init__(self) -> None:
        self.calls: list[PartialCall] = []
        self.size = 0
        self._by_index: dict[int, int] = {}

    def add(self, entry: Any) -> int | None:
        """Take one entry and return its call's place in the reply, or None when there was nothing in it."""
        if not isinstance(entry, dict):
            return None
        function = entry.get("function")
        if not isinstance(function, dict):
            function = {}
        index, call_id, name = entry.get("index"), _text(entry.get("id")), _text(function.get("name"))
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            arguments = json.dumps(arguments, ensure_ascii=False)
        elif not isinstance(arguments, str):
            arguments = ""
        if not (call_id or name or arguments):
            return None
        if isinstance(index, str) and index.isdecimal():
            index = int(index)
        place = self._place(index if isinstance(index, int) else None, call_id, name, arguments)
        call = self.calls[place]
        is_repeated = (
            bool(name and call_id) and call_id == call.id and arguments == call.arguments() and call.is_whole()
        )
        call.id = call.id or call_id
        call.name = call.name or name
        if arguments and not is_repeated:
            call.pieces.append(arguments)
            self.size += len(arguments)
        return place

    def _place(self, index: int | None, call_id: str, name: str, arguments: str) -> int:
        if index is None:
            place = len(self.calls) - 1
            if place >= 0 and not self._opens_unindexed(self.calls[place], call_id, name, arguments):
                return place
            return self._open(None)
        known = self._by_index.get(index)
        if known is not None and not self._opens_again(self.calls[known], call_id, name, arguments):
            return known
        return self._open(index)

    def _open(self, index: int | None) -> int:
        self.calls.append(PartialCall())
        if index is not None:
            self._by_index[index] = len(self.calls) - 1
        return len(self.calls) - 1

    @staticmethod
    def _opens_again(call: PartialCall, call_id: str, name: str, arguments: str) -> bool:
        if not (name and call.name):
            return False
        if call_id:
            return bool(call.id) and call_id != call.id and (call.is_whole() or not call.arguments().strip())
        return arguments.lstrip().startswith("{") and call.is_whole()

    @staticmethod
    def _opens_unindexed(call: PartialCall, call_id: str, name: str, arguments: str) -> bool:
        if call_id and call.id:
            return call_id != call.id
        if not name or not call.name:
            return False
        # The same name again is a repeated header while the arguments are still to come, else the next call.
        return call.is_whole() or name != call.name or (not arguments and bool(call.pieces))

    def finished(self) -> tuple[ToolCall, ...]:
        """The calls with a name or arguments, with ids that differ within the reply."""
        whole = (ToolCall(call.id, call.name, call.arguments().strip()) for call in self.calls)
        return with_own_ids(call for call in whole if call.name or call.arguments)


def with_own_ids(calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """The calls of one reply with ids that differ."""
    found: list[ToolCall] = []
    used: set[str] = set()
    for number, call in enumerate(calls):
        call_id = call.id or f"call_{number}"
        while call_id in used:
            call_id += f"_{number}"
        used.add(call_id)
        found.append(replace(call, id=call_id))
    return tuple(found)


def is_json(text: str) -> bool:
    """True when the text is one JSON value."""
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _text(value: Any) -> str:
    """Hosts send ids as text, as numbers, as null or not at all."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
