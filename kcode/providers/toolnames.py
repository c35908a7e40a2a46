"""Which declared tool a damaged name means."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kcode.messages import ToolCall
    from kcode.tooling import Tool

_PREFIX = re.compile(r"(?:call_)?functions[._]?")
_COUNTER = re.compile(r"[.:]\d*$")
_DIGITS = re.compile(r"[._:-]?\d+$")
# What hosts write where they could not read a name.
_NO_NAME = frozenset({"", "invalid"})


class ToolNames:
    """The names of the tools that a request declares."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._parameters = {tool.name: tool.parameters for tool in tools}

    def find(self, written: str) -> str | None:
        """The declared tool that a name or an id such as `functions.read_file:3` means."""
        return next((name for name in _readings(written) if name in self._parameters), None)

    def find_for_call(self, written: str, arguments: str) -> str | None:
        """Like `find`; where no name was written, the one tool that the arguments fit."""
        found = self.find(written)
        if found is None and _without_decoration("".join(written.split())) in _NO_NAME:
            found = self._fitting(arguments)
        return found

    def mend(self, call: ToolCall) -> str:
        """The call's name, or the declared one that it means. An unknown name stays as it is."""
        if call.name in self._parameters or not self._parameters:
            return call.name
        if call.name:
            return self.find_for_call(call.name, call.arguments) or call.name
        return self.find(call.id) or self._fitting(call.arguments) or ""

    def may_begin(self, word: str) -> bool:
        """True while the word can still become an id that `starts_call` accepts."""
        name, colon, _ = word.partition(":")
        if colon or name.isdigit():
            return self.starts_call(word)
        return (
            name.startswith(("functions", "call_functions"))
            or "functions".startswith(name)
            or "call_functions".startswith(name)
            or any(declared.startswith(name) for declared in self._parameters)
        )

    def starts_call(self, word: str) -> bool:
        """True for an id that can stand for a call without any token before it: `read_file:0`, `functions.…`, `0`."""
        name = word.partition(":")[0]
        return name.isdigit() or name.startswith(("functions", "call_functions")) or name in self._parameters

    def _fitting(self, arguments: str) -> str | None:
        given = read_object(arguments)
        if not given:
            return None
        fitting = [name for name, schema in self._parameters.items() if _fits(given, schema)]
        return fitting[0] if len(fitting) == 1 else None


def _readings(written: str) -> Iterator[str]:
    base = "".join(written.split())
    yield base
    plain = _COUNTER.sub("", base)
    stems = [base, plain]
    if _PREFIX.match(base):
        stems.append(_DIGITS.sub("", plain))
    for stem in stems:
        rest = _PREFIX.sub("", stem, count=1)
        yield stem
        yield rest
        yield rest.rpartition(".")[2]


def _without_decoration(written: str) -> str:
    return _PREFIX.sub("", _DIGITS.sub("", _COUNTER.sub("", written)), count=1).strip(".:")


def _fits(given: dict[str, Any], schema: Any) -> bool:
    known, required = schema.get("properties") or {}, schema.get("required") or ()
    return all(key in known for key in given) and all(key in given for key in required)


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is, else None."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
